import type { StatusResult } from '@quorate/client';
import { showMembers, showStatus } from '../output/cluster-output.ts';
import { showVersions, type Versions, versionsOf } from '../output/versions-output.ts';
import { askPage } from '@quorate/processes';
import { type ClientFlags, endpointsOf, print, withClient } from './session.ts';

/** Asks every endpoint by itself. Those that do not answer are named, and make the command fail, after the others. */
export async function runStatus(flags: ClientFlags): Promise<void> {
  const answers: (StatusResult & { readonly versions: Versions | null })[] = [];
  const failures: unknown[] = [];
  for (const endpoint of endpointsOf(flags)) {
    try {
      await withClient({ ...flags, endpoints: endpoint }, async (client) => {
        const [status, versions] = await Promise.all([client.status(endpoint), askVersions(endpoint)]);
        answers.push({ ...status, endpoint, versions });
      });
    } catch (error) {
      failures.push(error);
      process.stderr.write(`Error: ${endpoint}: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  if (answers.length > 0) print(showStatus(answers, flags.writeOut));
  if (flags.writeOut !== 'json') {
    for (const { versions } of answers) if (versions !== null) print(showVersions(versions));
  }
  if (failures.length > 0) process.exitCode = 1;
}

/** Null where the endpoint has no such page: etcd answers `status` too. */
async function askVersions(endpoint: string): Promise<Versions | null> {
  try {
    return versionsOf(await askPage('GET', endpoint.replace(/^http:\/\//, '').replace(/\/$/, ''), '/debug/raft'));
  } catch {
    return null;
  }
}

export async function runMemberList(flags: ClientFlags): Promise<void> {
  await withClient(flags, async (client) => {
    print(showMembers(await client.memberList(), flags.writeOut));
  });
}
