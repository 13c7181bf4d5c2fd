/** A leader that stands still for a while and goes on: whether it is replaced, and how long nobody can write. */
import type { Cell, CellResult, Experiment, Row, Scale } from '../experiment.ts';
import type { Cluster } from '../harness/cluster.ts';
import type { Harness } from '../harness/harness.ts';
import { firstWriteServed } from '../harness/prober.ts';
import type { Server } from '../places/place.ts';
import type { Figure } from '../plots/figure.ts';
import { lacking, observations } from '../plots/observations.ts';
import { spread } from '../plots/spread.ts';
import { GO_2019_STUTTER } from '../reference/ancestors.ts';
import { type TimeoutRange, timeoutFlags } from './election-timeouts.ts';

/** The timeouts and heartbeats of the system whose settings these are. */
const TIMEOUTS: TimeoutRange = { name: '350–500', minMs: 350, maxMs: 500, heartbeatMs: 50 };
const SIZES = [5, 7, 9];
const STUTTERS = [50, 150, 250, 500, 750, 1000];
/** So many stutters in a row without a new leader: it is kept. */
const MAX_ROUNDS = 20;
const LIMIT_MS = 60_000;
const BUDGETS = {
  full: { sequences: 50, seconds: 45, rounds: MAX_ROUNDS },
  quick: { sequences: 3, seconds: 10, rounds: 3 },
} as const;

export const stutter: Experiment = {
  name: 'stutter',
  title: 'Stutter: a leader that sleeps again and again',
  question: 'When is a leader that stands still replaced, and what does it cost those who write?',
  method:
    'The leader is stopped for so long and goes on; after as long again it is stopped anew, up to 20 times, until another one leads. Election timeouts of 350 to 500 ms, ' +
    'heartbeats of 50 ms: the timeouts of a system in Go whose authors ran this experiment in 2019. Writes are sent to the other servers every 2 ms from the ' +
    'moment at which it is stopped; the pause ends with the first answer, whoever leads then. Quick runs stop after three times.',
  measures: [
    { column: 'ms', label: 'pause of writes, for each stutter', unit: 'ms', where: { kind: 'stutter' } },
    { column: 'ms', label: 'time until another one serves', unit: 'ms', where: { kind: 'sequence' } },
    { column: 'rounds', label: 'stutters until then', unit: '', where: { kind: 'sequence' } },
  ],
  cells: (scale) => settingsOf(scale).map(([servers, stutterMs]) => cellOf(servers, stutterMs, scale)),
  figures,
};

function settingsOf(scale: Scale): readonly (readonly [number, number])[] {
  if (scale === 'quick')
    return [
      [5, 150],
      [5, 500],
      [5, 1000],
    ];
  return SIZES.flatMap((servers) => STUTTERS.map((stutterMs) => [servers, stutterMs] as const));
}

function cellOf(servers: number, stutterMs: number, scale: Scale): Cell {
  const { sequences, seconds, rounds } = BUDGETS[scale];
  const perSequence = stutterMs < TIMEOUTS.minMs ? (rounds * 2 * stutterMs) / 1000 : (2 * stutterMs) / 1000;
  return {
    key: `${servers}-servers-${stutterMs}ms`,
    settings: { servers, stutterMs },
    servers,
    seconds: 3 + servers * 0.4 + Math.min(seconds, sequences * (perSequence + 1)),
    run: (harness) => new Stutter(harness, servers, stutterMs, scale).run(),
  };
}

class Stutter {
  readonly #harness: Harness;
  readonly #servers: number;
  readonly #stutterMs: number;
  readonly #scale: Scale;

  constructor(harness: Harness, servers: number, stutterMs: number, scale: Scale) {
    this.#harness = harness;
    this.#servers = servers;
    this.#stutterMs = stutterMs;
    this.#scale = scale;
  }

  async run(): Promise<void> {
    const { sequences, seconds } = BUDGETS[this.#scale];
    const cluster = await this.#harness.start({ servers: this.#servers, flags: timeoutFlags(TIMEOUTS) });
    const began = performance.now();
    for (let done = 0; done < sequences && performance.now() - began < seconds * 1000; done++) {
      const leader = await cluster.settled();
      await this.#harness.wait(100 + this.#harness.random.below(TIMEOUTS.maxMs));
      await this.#sequence(cluster, leader);
    }
  }

  async #sequence(cluster: Cluster, leader: Server): Promise<void> {
    const { rounds } = BUDGETS[this.#scale];
    const term = (await cluster.page(leader))?.term ?? 0;
    const others = cluster.servers.filter((server) => server !== leader);
    const clients = await Promise.all(others.map((server) => cluster.client([server])));
    const began = performance.now();
    let done = 0;
    let isReplaced = false;
    let servedAfter: number | null = null;
    for (; done < rounds && !isReplaced; done++) {
      const since = performance.now();
      await cluster.freeze(leader);
      const [served] = await Promise.all([
        firstWriteServed(clients, since, LIMIT_MS, this.#harness.signal),
        this.#wakeLater(cluster, leader),
      ]);
      const terms = await Promise.all(others.map(async (server) => (await cluster.page(server))?.term ?? 0));
      isReplaced = Math.max(...terms) > term;
      servedAfter = served === null ? null : since - began + served.ms;
      this.#harness.record({ kind: 'stutter', ms: served?.ms ?? null, replaced: isReplaced, limitMs: LIMIT_MS });
      if (!isReplaced) await this.#harness.wait(this.#stutterMs);
    }
    const ms = isReplaced ? servedAfter : null;
    this.#harness.record({ kind: 'sequence', ms, rounds: done, replaced: isReplaced, limitMs: LIMIT_MS });
    await Promise.all(clients.map((client) => client.close()));
  }

  async #wakeLater(cluster: Cluster, leader: Server): Promise<void> {
    try {
      await this.#harness.wait(this.#stutterMs);
    } finally {
      await cluster.thaw(leader);
    }
  }
}

function figures(results: readonly CellResult[]): readonly Figure[] {
  const rows = observations(results, { kind: 'stutter' }).map(
    (row): Row => ({
      ...row,
      stutter: String(row['stutterMs']),
      size: `${row['servers']} servers`,
      leader: row['replaced'] === true ? 'replaced' : 'kept',
      outcome: row['ms'] === null ? 'none' : 'served',
      ms: row['ms'] ?? row['limitMs'] ?? null,
    }),
  );
  return rows.length === 0 ? [] : [pause(rows), replacement(results)];
}

const X = { field: 'stutter', title: 'length of a stutter (ms)', order: STUTTERS.map(String) };
const SIZE_ORDER = SIZES.map((servers) => `${servers} servers`);

function pause(rows: readonly Row[]): Figure {
  return {
    id: 'pause',
    title: 'How long nobody could write, for each stutter of the leader',
    caption:
      'Each point is one stutter; the bar is the median, the line spans the 10th to the 90th percentile. A stutter shorter than the least election timeout ' +
      '(350 ms) should cost its own length and no election; a longer one costs an election, or its own length where the leader wakes just in time.',
    spec: spread({
      rows,
      x: X,
      y: { field: 'ms', title: 'pause of writes (ms)' },
      colour: { field: 'leader', title: 'leader', order: ['kept', 'replaced'] },
      column: { field: 'size', title: '', order: SIZE_ORDER },
      censored: 'outcome',
      width: 280,
    }),
    missing: lacking(rows, 'stutterMs', STUTTERS),
  };
}

function replacement(results: readonly CellResult[]): Figure {
  const own = observations(results, { kind: 'sequence' }).map(
    (row): Row => ({
      ...row,
      stutter: String(row['stutterMs']),
      size: `${row['servers']} servers`,
      system: 'Quorate',
      outcome: row['replaced'] === true ? 'replaced' : 'kept',
      // A leader that was kept stands at the time after which no more stutters came.
      ms: row['ms'] ?? 2 * Number(row['stutterMs']) * Number(row['rounds']),
    }),
  );
  const published = GO_2019_STUTTER.flatMap(({ servers, medians }) =>
    STUTTERS.map(
      (stutterMs, at): Row => ({
        stutter: String(stutterMs),
        size: `${servers} servers`,
        ms: medians[at] ?? null,
      }),
    ),
  );
  return {
    id: 'replacement',
    title: 'Time until a leader that stutters again and again is replaced',
    caption:
      'Each point is one sequence of stutters, from the first to the first write that another leader served; triangles: it was kept through all of them. Crosses: medians that the ' +
      'system in Go published (100 sequences each; it counted the answers of random servers, in steps of the stutter). A system that keeps a leader through stutters shorter than its ' +
      'timeout is meant to be at the top on the left.',
    spec: spread({
      rows: own,
      x: X,
      y: { field: 'ms', title: 'time to replacement (ms)', scale: 'log' },
      colour: { field: 'system', title: '', order: ['Quorate'] },
      column: { field: 'size', title: '', order: SIZE_ORDER },
      censored: 'outcome',
      outcomes: ['replaced', 'kept'],
      width: 280,
      published,
    }),
    missing: lacking(own, 'stutterMs', STUTTERS),
  };
}
