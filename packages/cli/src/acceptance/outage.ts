import assert from 'node:assert/strict';
import { type Report, Trial } from './trial.ts';
import { UniqueWrites } from './writes.ts';

/** The deadline of calls to a cluster without a majority, and what a busy machine may add to it. */
const DEADLINE_MS = 1_500;
const SLACK_MS = 1_500;
const TYPED_CODES: readonly string[] = ['Unavailable', 'DeadlineExceeded', 'OutcomeUnknown'];

/**
 * Five servers. Two die at once: writes go on. A third: every put and get fails with a typed error within its deadline. One
 * comes back: service resumes, and nothing acknowledged is lost.
 */
export async function outage(options: { readonly report: Report }): Promise<void> {
  const { report } = options;
  await Trial.run({ servers: 5, report }, async (trial) => {
    const writes = new UniqueWrites();
    const client = await trial.client();
    for (let n = 0; n < 50; n++) assert.equal(await writes.write(client, `outage/before/${n}`), null);

    const leader = await trial.leader();
    const [second, third] = trial.running.filter((server) => server !== leader);
    assert.ok(second !== undefined && third !== undefined);
    await Promise.all([leader.process.kill(), second.process.kill()]);
    await eventuallyWrites(trial, writes, client, 'two-down');
    report('two of five killed at once, the leader among them: writes go on');

    await third.process.kill();
    for (let round = 0; round < 2; round++) {
      await Promise.all(
        [0, 1, 2, 3].flatMap((n) => [
          failsInTime(() => writes.write(client, `outage/three-down/${round}-${n}`, DEADLINE_MS), 'put'),
          failsInTime(() => refusedRead(client), 'get'),
        ]),
      );
    }
    report('three of five down: every put and get failed with a typed error within its deadline');

    third.process.start();
    await eventuallyWrites(trial, writes, client, 'one-back');
    report('one back: writes are acknowledged again');
    for (const { process } of [leader, second]) process.start();
    await trial.until('all servers', async () => ((await pagesOf(trial)).includes(null) ? null : true));
    await writes.verifyEverywhere(trial, 'outage/');
  });
}

async function eventuallyWrites(
  trial: Trial,
  writes: UniqueWrites,
  client: Awaited<ReturnType<Trial['client']>>,
  name: string,
): Promise<void> {
  let n = 0;
  await trial.until(`a write to be acknowledged (${name})`, async () => {
    return (await writes.write(client, `outage/${name}/${n++}`)) === null ? true : null;
  });
}

async function refusedRead(client: Awaited<ReturnType<Trial['client']>>): Promise<unknown> {
  try {
    await client.get('outage/before/0', { timeout: DEADLINE_MS });
    return null;
  } catch (error) {
    return error;
  }
}

async function failsInTime(call: () => Promise<unknown>, what: string): Promise<void> {
  const began = performance.now();
  const error = await call();
  const took = performance.now() - began;
  assert.ok(
    error instanceof Error && 'code' in error,
    `A ${what} was answered although three of five servers are down.`,
  );
  assert.ok(TYPED_CODES.includes(String(error.code)), `A ${what} failed with ${String(error.code)}: ${error.message}`);
  assert.ok(
    took <= DEADLINE_MS + SLACK_MS,
    `A ${what} with a deadline of ${DEADLINE_MS} ms failed only after ${took.toFixed(0)} ms.`,
  );
}

function pagesOf(trial: Trial): Promise<unknown[]> {
  return Promise.all(trial.cluster.servers.map((server) => trial.page(server)));
}
