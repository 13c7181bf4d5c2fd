/** Writes over time while servers are killed and come back: up to as many as may be missing, and beyond. */
import { ClientError } from '@quorate/client';
import type { Cell, CellResult, Experiment, Row, Scale } from '../experiment.ts';
import type { Cluster } from '../harness/cluster.ts';
import type { Harness } from '../harness/harness.ts';
import { firstWriteServed } from '../harness/prober.ts';
import type { Server } from '../places/place.ts';
import type { Figure } from '../plots/figure.ts';
import { planFor, ready } from './load-cells.ts';
import { Timeline, timelineFigure } from './timeline.ts';
import { Witness } from './witness.ts';

/** Who is killed, one after the other; all of them come back before the next script. */
type Script = 'followers' | 'leader' | 'leader-and-followers';

const SCRIPTS: Readonly<Record<Script, string>> = {
  followers: 'Followers are killed, one more than may be missing',
  leader: 'Leaders are killed, one after the other',
  'leader-and-followers': 'The leader is killed together with followers',
};
const SERVERS = 5;
/** Of five servers so many may be missing. */
const TOLERATED = 2;
const MAJORITY = SERVERS - TOLERATED;
/** Writes, and as many linearizable reads, that are tried while no majority runs: all of them must fail. */
const ATTEMPTS = 5;
const ATTEMPT_TIMEOUT_MS = 1_000;
/** From the moment at which a majority is started again to the first write served. */
const RECOVERY_LIMIT_MS = 60_000;
const CLIENTS = 16;
const INTERVAL_MS = 100;
const PHASE_SECONDS = { full: 10, quick: 1.5 } as const;
/** From the return of the last server until all must hold all keys. */
const FINAL_SECONDS = { full: 10, quick: 3 } as const;

export const failures: Experiment = {
  name: 'failures',
  title: 'Failures: writes while servers are killed and come back',
  question: 'What do clients notice when servers die, up to the limit and beyond it?',
  method:
    'Five servers, 16 clients that write in a closed loop, each call with a limit of one second. Servers are killed with kill -9, one phase after the other, and come back ' +
    'with their data. Beside the load a witness writes a key of its own every 20 ms and remembers which were acknowledged: after each phase every such key is looked ' +
    'for on each running server, and must be on a majority of five whenever three or more run; at the end all keys must be on all servers. While fewer run, five writes and ' +
    'five linearizable reads are tried, and all must fail; when a majority is back, a write is sent every 2 ms until one is served. Writes are counted in ' +
    'intervals of 100 ms, and the time between two answers is measured apart: a pause that goes on over several events counts for each as far as to the next.',
  measures: [
    { column: 'pauseMs', label: 'pause of writes after an event', unit: 'ms', where: { kind: 'event' } },
    {
      column: 'ms',
      label: 'from the start of a majority to the first write served',
      unit: 'ms',
      where: { kind: 'recovery' },
    },
    { column: 'answered', label: 'calls answered without a majority', unit: '', where: { kind: 'beyond' } },
    {
      column: 'missing',
      label: 'acknowledged keys that were not on a majority',
      unit: '',
      where: { kind: 'presence' },
    },
    {
      column: 'missing',
      label: 'acknowledged keys that were not everywhere at the end',
      unit: '',
      where: { kind: 'final' },
    },
  ],
  cells: (scale) => (Object.keys(SCRIPTS) as Script[]).map((script) => cellOf(script, scale)),
  figures,
};

function cellOf(script: Script, scale: Scale): Cell {
  return {
    key: script,
    settings: { script, servers: SERVERS },
    servers: SERVERS,
    seconds: 6 + 8 * PHASE_SECONDS[scale] + FINAL_SECONDS[scale],
    run: (harness) => new Failures(harness, script, scale).run(),
  };
}

class Failures {
  readonly #harness: Harness;
  readonly #script: Script;
  readonly #scale: Scale;

  constructor(harness: Harness, script: Script, scale: Scale) {
    this.#harness = harness;
    this.#script = script;
    this.#scale = scale;
  }

  async run(): Promise<void> {
    const cluster = await this.#harness.start({ servers: SERVERS });
    await ready(this.#harness, cluster);
    const witness = new Witness(cluster);
    await witness.start();
    const pace = { kind: 'closed', clients: CLIENTS } as const;
    const plan = planFor(this.#harness, cluster, { pace, seconds: 0, intervalMs: INTERVAL_MS, timeoutMs: 1_000 });
    try {
      await Timeline.run(this.#harness, { ...plan, warmUpSeconds: 0.5 }, async (timeline) => {
        await timeline.wait(PHASE_SECONDS[this.#scale]);
        for (const step of this.#steps()) {
          const survivors = [...cluster.running];
          const since = performance.now();
          const time = timeline.now;
          timeline.mark(await step.act(cluster), time);
          if (survivors.length < MAJORITY && cluster.running.length >= MAJORITY)
            await this.#recovers(cluster, survivors, since);
          await timeline.wait(PHASE_SECONDS[this.#scale]);
          await this.#look(cluster, witness);
        }
      });
    } finally {
      await witness.stop();
    }
    await this.#everywhere(cluster, witness);
  }

  #steps(): readonly { readonly act: (cluster: Cluster) => Promise<string> }[] {
    const down: Server[] = [];
    const kill = async (cluster: Cluster, server: Server): Promise<void> => {
      await cluster.kill(server);
      down.push(server);
    };
    const follower = {
      act: async (cluster: Cluster) => {
        const leader = await cluster.leaderNow();
        const victim = cluster.running.find((server) => server !== leader?.server);
        if (victim === undefined) throw new Error('No follower runs.');
        await kill(cluster, victim);
        return down.length > TOLERATED ? 'one more: no majority' : 'a follower dies';
      },
    };
    const leader = {
      act: async (cluster: Cluster) => {
        await kill(cluster, await cluster.leader());
        return 'the leader dies';
      },
    };
    const both = {
      act: async (cluster: Cluster) => {
        const first = await cluster.leader();
        const others = cluster.running.filter((server) => server !== first).slice(0, TOLERATED - down.length - 1);
        await Promise.all([first, ...others].map((server) => kill(cluster, server)));
        return `the leader and ${others.length} follower${others.length === 1 ? '' : 's'} die`;
      },
    };
    const back = (count: number) => ({
      act: async () => {
        const returning = down.splice(-count);
        for (const { process } of returning) process.start();
        await Promise.resolve();
        return returning.length === 1 ? 'one comes back' : `${returning.length} come back`;
      },
    });
    const scripts = {
      followers: [follower, follower, follower, back(1), back(2)],
      leader: [leader, leader, back(2), leader, back(1)],
      'leader-and-followers': [both, back(2), both, follower, back(3)],
    };
    return scripts[this.#script];
  }

  /** Whatever was acknowledged is on a majority of all five, as long as there is one. */
  async #look(cluster: Cluster, witness: Witness): Promise<void> {
    const running = cluster.running.length;
    if (running < MAJORITY) {
      this.#harness.record({ kind: 'presence', running, keys: witness.acknowledged, missing: null });
      await this.#nothingIsServed(cluster);
      return;
    }
    // What was acknowledged a moment ago may not be applied everywhere yet: looked at again until it is, or the time is over.
    const deadline = performance.now() + 5_000;
    let seen = await witness.present(MAJORITY);
    while (seen.present < seen.keys && performance.now() < deadline) {
      await this.#harness.wait(50);
      seen = await witness.present(MAJORITY);
    }
    const missing = seen.keys - seen.present;
    this.#harness.record({ kind: 'presence', running, keys: seen.keys, missing });
    if (missing > 0) throw new Error(`${missing} of ${seen.keys} acknowledged keys are not on a majority of servers.`);
  }

  /** Beyond the limit nobody may be told that anything was done, or read what a majority might have overwritten. */
  async #nothingIsServed(cluster: Cluster): Promise<void> {
    const client = await cluster.client(cluster.running, ATTEMPT_TIMEOUT_MS);
    const attempts = Array.from({ length: ATTEMPTS }, (_, nth) => [
      outcomeOf(client.put(`beyond/${nth}`, 'x')),
      outcomeOf(client.get(`beyond/${nth}`)),
    ]);
    const outcomes = await Promise.all(attempts.flat());
    await client.close();
    const answered = outcomes.filter((outcome) => outcome === ANSWERED).length;
    this.#harness.record({
      kind: 'beyond',
      running: cluster.running.length,
      attempts: outcomes.length,
      answered,
      outcomes: [...new Set(outcomes)].toSorted().join(' '),
    });
    if (answered > 0) throw new Error(`${answered} of ${outcomes.length} calls were answered without a majority.`);
  }

  /** A majority was started again at `since`: whoever had survived serves when it can. */
  async #recovers(cluster: Cluster, survivors: readonly Server[], since: number): Promise<void> {
    const client = await cluster.client(survivors);
    const served = await firstWriteServed([client], since, RECOVERY_LIMIT_MS, this.#harness.signal);
    await client.close();
    this.#harness.record({ kind: 'recovery', ms: served?.ms ?? null, limitMs: RECOVERY_LIMIT_MS });
    if (served === null) throw new Error(`No write was served within ${RECOVERY_LIMIT_MS / 1000} s of a majority.`);
  }

  async #everywhere(cluster: Cluster, witness: Witness): Promise<void> {
    await cluster.settled();
    await this.#harness.wait(FINAL_SECONDS[this.#scale] * 1000);
    const { keys, present } = await witness.present(SERVERS);
    this.#harness.record({ kind: 'final', running: cluster.running.length, keys, missing: keys - present });
    if (present < keys) throw new Error(`${keys - present} of ${keys} acknowledged keys are not on all servers.`);
    this.#harness.note(`${keys} acknowledged keys of the witness, all on all ${SERVERS} servers at the end.`);
  }
}

const ANSWERED = 'answered';

/** What became of a call, in a word. */
async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return ANSWERED;
  } catch (error) {
    if (error instanceof ClientError) return error.code;
    throw error;
  }
}

function figures(results: readonly CellResult[]): readonly Figure[] {
  return results
    .filter(({ rows }) => rows.some((row) => row['kind'] === 'interval'))
    .map(({ key, rows }) =>
      timelineFigure(rows, {
        id: key,
        title: `${SCRIPTS[key as Script]}: writes over time`,
        caption: captionOf(rows),
        missing: [],
      }),
    );
}

function captionOf(rows: readonly Row[]): string {
  const looks = rows.filter((row) => row['kind'] === 'presence' && row['missing'] !== null);
  const missing = sum(looks, 'missing');
  const beyond = rows.filter((row) => row['kind'] === 'beyond');
  const tried =
    beyond.length === 0
      ? ''
      : ` Without a majority ${sum(beyond, 'attempts')} calls were tried; ${sum(beyond, 'answered')} were answered.`;
  return (
    'Writes answered in each 100 ms, as a rate, and the 99th percentile of their latency (logarithmic); dashed: what happened. ' +
    `Acknowledged keys were looked for ${looks.length} times; ${missing} were not on a majority.${tried}`
  );
}

function sum(rows: readonly Row[], column: string): number {
  return rows.reduce((total, row) => total + Number(row[column]), 0);
}
