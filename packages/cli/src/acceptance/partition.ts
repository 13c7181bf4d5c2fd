import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { askPage, clientAddress, type LocalServer } from '@quorate/processes';
import { type Report, Trial } from './trial.ts';
import { UniqueWrites } from './writes.ts';

/** Short, so that a client soon turns away from a leader that cannot decide any more. */
const CALL_TIMEOUT_MS = 1_000;
/** Long enough for a server that wrongly campaigns after healing to be seen. */
const WATCH_AFTER_HEALING_MS = 3_000;

export interface PartitionOptions {
  readonly report: Report;
  /** Called while the leader is cut off, with the leader. */
  readonly whileCut?: (leader: LocalServer) => Promise<void>;
}

/** A leader that is cut off decides nothing; the others go on without it; its return changes neither leader nor term. */
export async function partition({ report, whileCut }: PartitionOptions): Promise<void> {
  await Trial.run({ servers: 3, report }, async (trial) => {
    const writes = new UniqueWrites();
    const client = await trial.client(null, CALL_TIMEOUT_MS);
    for (let n = 0; n < 50; n++) assert.equal(await writes.write(client, `w/before/${n}`), null);
    const cut = await trial.leader();
    const cutAt = performance.now();
    const others = trial.running.filter((server) => server !== cut).map(({ member }) => member.name);
    await askPage('POST', clientAddress(cut.member), `/debug/partition?from=${others.join(',')}`);
    await whileCut?.(cut);

    let n = 0;
    await trial.until('a write to be acknowledged by the others', async () => {
      return (await writes.write(client, `w/during/${n++}`)) === null ? true : null;
    });
    report(
      `the leader was cut off; the others acknowledged a write ${(performance.now() - cutAt).toFixed(0)} ms later`,
    );
    await trial.until('the cut-off leader to step down', async () => {
      return (await trial.page(cut))?.role === 'leader' ? null : true;
    });
    const leader = await trial.leader();
    const term = (await trial.page(leader))?.term;

    await askPage('POST', clientAddress(cut.member), '/debug/partition');
    await sleep(WATCH_AFTER_HEALING_MS);
    assert.equal(await trial.leader(), leader, 'The return of a server changed the leader.');
    for (const server of trial.cluster.servers) assert.equal((await trial.page(server))?.term, term);
    report(`it came back: same leader, same term ${term}`);
    for (let k = 0; k < 50; k++) assert.equal(await writes.write(client, `w/after/${k}`), null);
    await writes.verifyEverywhere(trial, 'w/');
  });
}
