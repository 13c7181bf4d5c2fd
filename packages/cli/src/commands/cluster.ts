import type { StatusResult } from '@quorate/client';
import { showMembers, showStatus } from '../output/cluster-output.ts';
import { type ClientFlags, endpointsOf, print, withClient } from './session.ts';

/** Asks every endpoint by itself. Those that do not answer are named, and make the command fail, after the others. */
export async function runStatus(flags: ClientFlags): Promise<void> {
  const answers: StatusResult[] = [];
  const failures: unknown[] = [];
  for (const endpoint of endpointsOf(flags)) {
    try {
      await withClient({ ...flags, endpoints: endpoint }, async (client) => {
        answers.push({ ...(await client.status(endpoint)), endpoint });
      });
    } catch (error) {
      failures.push(error);
      process.stderr.write(`Error: ${endpoint}: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  if (answers.length > 0) print(showStatus(answers, flags.writeOut));
  if (failures.length > 0) process.exitCode = 1;
}

export async function runMemberList(flags: ClientFlags): Promise<void> {
  await withClient(flags, async (client) => {
    print(showMembers(await client.memberList(), flags.writeOut));
  });
}
