import { setTimeout as sleep } from 'node:timers/promises';
import { describeFailover, describePauses, type Failover, FailoverClock } from './failover.ts';
import { type Report, Trial } from './trial.ts';
import { UniqueWrites } from './writes.ts';

export interface ChurnOptions {
  readonly servers: number;
  readonly clients: number;
  readonly seconds: number;
  /** Kill nobody but leaders. */
  readonly leadersOnly?: boolean;
  readonly report: Report;
}

/** Between one server's return and the next kill. */
const BETWEEN_KILLS_MS = 1_500;
/** How long a killed server stays down. */
const DOWN_MS = 700;

/**
 * Clients write and read while one server after the other, the leader every second time, is killed with -9 and started
 * again. Afterwards every acknowledged write is on every server at its revision, and none happened twice.
 */
export async function churn(options: ChurnOptions): Promise<{ readonly failovers: readonly Failover[] }> {
  const { servers, clients, seconds, leadersOnly = false, report } = options;
  return Trial.run({ servers, report, flags: ['--debug', 'votes'] }, async (trial) => {
    const writes = new UniqueWrites();
    const stop = new AbortController();
    const workers: Promise<void>[] = [];
    for (let n = 0; n < clients; n++) workers.push(writes.keepGoing(await trial.client(), `churn/${n}`, stop.signal));
    const failovers = await Promise.race([
      killAndRestart(trial, writes, performance.now() + seconds * 1000, leadersOnly),
      // A worker that finds a broken promise ends the trial at once.
      Promise.all(workers).then(() => [] as Failover[]),
    ]);
    stop.abort();
    await Promise.all(workers);
    await writes.verifyEverywhere(trial, 'churn/');
    report(`${failovers.length} leaders killed; ${describePauses(failovers)}`);
    return { failovers };
  });
}

async function killAndRestart(
  trial: Trial,
  writes: UniqueWrites,
  until: number,
  leadersOnly: boolean,
): Promise<Failover[]> {
  const clock = new FailoverClock(trial);
  const failovers: Failover[] = [];
  for (let n = 0; performance.now() < until; n++) {
    const leader = await trial.leader();
    const others = trial.running.filter((server) => server !== leader);
    const victim = leadersOnly || n % 2 === 0 ? leader : (others[Math.floor(Math.random() * others.length)] ?? leader);
    const marks = await clock.mark();
    const killedAt = performance.now();
    await victim.process.kill('SIGKILL');
    const commitAt = await writes.firstAcknowledgedFromNow();
    if (victim === leader) {
      const failover = clock.measure(victim, killedAt, marks, commitAt);
      failovers.push(failover);
      trial.report(describeFailover(failover));
    } else
      trial.report(
        `killed ${victim.member.name}, a follower; a write was acknowledged ${(commitAt - killedAt).toFixed(0)} ms later`,
      );
    await sleep(DOWN_MS);
    victim.process.start();
    await trial.until(`${victim.member.name} to come back`, () => trial.page(victim));
    await sleep(BETWEEN_KILLS_MS);
  }
  return failovers;
}
