/** Beyond one machine: the same cores in virtual time, over five regions, and up to 101 servers. Simulated, and marked so. */
import type { RaftDefaults } from '@quorate/raft';
import type { Cell, CellResult, Experiment, Row, Scale } from '../experiment.ts';
import type { Harness } from '../harness/harness.ts';
import type { Figure } from '../plots/figure.ts';
import { lacking, observations } from '../plots/observations.ts';
import { spread } from '../plots/spread.ts';
import { oneWayMicros, REGIONS } from '../reference/regions.ts';
import { VirtualCluster, type VirtualOptions } from '../simulated/virtual-cluster.ts';

const MILLI = 1_000;
const SECOND = 1_000_000;
const JITTER_PERCENT = 10;
/** A disk that syncs in a millisecond. */
const SYNC_MICROS = MILLI;
/** Without a leader for so long, the outcome is "none". */
const LIMIT_MICROS = 60 * SECOND;
/** One way within a room. */
const NEAR_MICROS = 150;

const TIMEOUTS = [
  [150, 300],
  [300, 500],
  [500, 1000],
  [1000, 2000],
  [1700, 2000],
] as const;
/** Against a round trip of 100 ms: far below it, about it, and above it. */
const TIGHT = [
  [12, 25],
  [50, 100],
  [80, 160],
  [100, 200],
  [150, 300],
  [300, 500],
] as const;
const TIGHT_ONE_WAY = 50 * MILLI;
const FOUNDINGS = { full: 50, quick: 5 } as const;
const SIZES = [3, 5, 11, 21, 51, 101];
const FAILURES = { full: 300, quick: 15 } as const;
const WRITES = { full: 200, quick: 20 } as const;

export const wideArea: Experiment = {
  name: 'wide-area',
  title: 'Simulated: five regions, and up to 101 servers',
  question: 'What do distance and number alone do to elections and writes?',
  method:
    'Simulated. The consensus core that production runs, in virtual time: every message takes half of a published round trip between two regions (AWS, 2017) and up to a tenth more, every ' +
    'sync takes a millisecond, nothing else takes any time, and no processor is ever busy. Leaders fall silent one after the other and come back when they are replaced; a successor serves when ' +
    'it has committed an entry of its own term. Writes are sent to the server of the client’s own region, which carries them to the leader. Servers in one room are 0.15 ms apart. ' +
    'What servers cost each other on real machines is not in these figures.',
  measures: [
    { column: 'ms', label: 'replacement', unit: 'ms', where: { kind: 'replacement' } },
    { column: 'terms', label: 'terms per replacement', unit: '', where: { kind: 'replacement' } },
    { column: 'ms', label: 'first write of a new cluster', unit: 'ms', where: { kind: 'founding' } },
    { column: 'terms', label: 'terms until then, or in a minute', unit: '', where: { kind: 'founding' } },
    { column: 'ms', label: 'latency of a write', unit: 'ms', where: { kind: 'write' } },
    {
      column: 'messages',
      label: 'messages while one write is under way, heartbeats included',
      unit: '',
      where: { kind: 'messages' },
    },
  ],
  cells: (scale) => [
    ...(scale === 'full' ? TIMEOUTS : TIMEOUTS.filter((_, at) => at % 2 === 0)).map((timeouts) =>
      regionElections(timeouts, scale),
    ),
    regionWrites(scale),
    ...[true, false].flatMap((preVote) => [true, false].map((adaptive) => roundTrips(preVote, adaptive, scale))),
    ...(scale === 'full' ? SIZES : [3, 11, 101]).map((servers) => roomElections(servers, scale)),
  ],
  figures,
};

function tuned([min, max]: readonly [number, number]): Partial<RaftDefaults> {
  return {
    electionTimeoutMin: min * MILLI,
    electionTimeoutMax: max * MILLI,
    heartbeatInterval: Math.round((min * MILLI) / 10),
  };
}

function regionElections(timeouts: readonly [number, number], scale: Scale): Cell {
  const name = `${timeouts[0]}–${timeouts[1]}`;
  return {
    key: `regions-${timeouts[0]}-${timeouts[1]}ms`,
    settings: { simulated: true, where: 'five regions', servers: REGIONS.length, timeouts: name },
    servers: 0,
    seconds: 1 + FAILURES[scale] / 50,
    run: (harness) =>
      replace(harness, FAILURES[scale], { servers: REGIONS.length, delay: oneWayMicros, raft: tuned(timeouts) }),
  };
}

function roomElections(servers: number, scale: Scale): Cell {
  return {
    key: `room-${servers}-servers`,
    settings: { simulated: true, where: 'one room', servers, timeouts: '150–300' },
    servers: 0,
    seconds: 1 + (FAILURES[scale] * servers) / 500,
    run: (harness) => replace(harness, FAILURES[scale], { servers, delay: () => NEAR_MICROS, raft: tuned([150, 300]) }),
  };
}

/** Clusters are founded, one after the other, with timeouts that hardly fit their network or do not. */
function roundTrips(preVote: boolean, adaptive: boolean, scale: Scale): Cell {
  const words = `${preVote ? 'prevote' : 'plain'}-${adaptive ? 'adaptive' : 'fixed'}`;
  return {
    key: `round-trip-${words}`,
    settings: { simulated: true, where: 'round trip of 100 ms', servers: 3, preVote, adaptive },
    servers: 0,
    seconds: 0.5 + FOUNDINGS[scale] / 10,
    run: async (harness) => {
      for (const timeouts of TIGHT) {
        const raft = { ...tuned(timeouts), stableLeadership: preVote, maxElectionBackoff: adaptive ? 8 : 1 };
        for (let founding = 0; founding < FOUNDINGS[scale]; founding++) {
          const cluster = clusterOf(harness, { servers: 3, delay: () => TIGHT_ONE_WAY, raft });
          const served = cluster.runUntil(() => cluster.leader?.serves === true, LIMIT_MICROS);
          const ms = served ? cluster.now / MILLI : null;
          const range = `${timeouts[0]}–${timeouts[1]}`;
          harness.record({ kind: 'founding', timeouts: range, ms, terms: cluster.term, limitMs: LIMIT_MICROS / MILLI });
        }
        await harness.wait(0);
      }
    },
  };
}

type Place = Pick<VirtualOptions, 'servers' | 'delay' | 'raft'>;

function clusterOf(harness: Harness, place: Place): VirtualCluster {
  return new VirtualCluster({
    ...place,
    jitterPercent: JITTER_PERCENT,
    syncMicros: SYNC_MICROS,
    random: harness.random,
  });
}

/** Leaders fall silent, one after the other. */
async function replace(harness: Harness, failures: number, place: Place): Promise<void> {
  const cluster = clusterOf(harness, place);
  const limitMs = LIMIT_MICROS / MILLI;
  for (let failure = 0; failure < failures; failure++) {
    if (!cluster.runUntil(() => cluster.leader?.serves === true, LIMIT_MICROS)) {
      harness.record({ kind: 'replacement', ms: null, terms: null, limitMs });
      continue;
    }
    // At rest, and at any point of its rhythm.
    cluster.run(SECOND + harness.random.below(SECOND));
    const fallen = cluster.leader;
    // Deposed without a failure while it was waited for: the next turn finds its successor.
    if (fallen?.serves !== true) continue;
    const { now: since, term } = cluster;
    fallen.freeze();
    const found = cluster.runUntil(() => cluster.leader?.serves === true, LIMIT_MICROS);
    const ms = found ? (cluster.now - since) / MILLI : null;
    harness.record({ kind: 'replacement', ms, terms: cluster.term - term, limitMs });
    fallen.thaw();
    // Lets the interrupt of a user through: virtual time keeps the processor to itself.
    await harness.wait(0);
  }
  recordMessages(harness, cluster);
}

/** What passes between servers while one write, and no other, is under way. */
function recordMessages(harness: Harness, cluster: VirtualCluster): void {
  if (!cluster.runUntil(() => cluster.leader?.serves === true, LIMIT_MICROS)) return;
  cluster.run(SECOND);
  const { leader, messages: before } = cluster;
  const write = leader?.write();
  if (write === undefined || !cluster.runUntil(() => write.isOver, LIMIT_MICROS) || write.servedAt === null) return;
  harness.record({ kind: 'messages', messages: cluster.messages - before });
}

/** Clients of each region write, by where the leader is. */
function regionWrites(scale: Scale): Cell {
  return {
    key: 'regions-writes',
    settings: { simulated: true, where: 'five regions', servers: REGIONS.length, timeouts: '1700–2000' },
    servers: 0,
    seconds: 2,
    run: async (harness) => {
      for (const [leaderPlace, leaderRegion] of REGIONS.entries()) {
        const cluster = clusterLedBy(harness, leaderPlace);
        for (const [place, client] of REGIONS.entries()) {
          for (let turn = 0; turn < WRITES[scale]; turn++) {
            const since = cluster.now;
            const write = cluster.servers[place]?.write();
            if (write === undefined || !cluster.runUntil(() => write.isOver, LIMIT_MICROS))
              throw new Error('A write was never answered.');
            const ms = write.servedAt === null ? null : (write.servedAt - since) / MILLI;
            harness.record({ kind: 'write', leader: leaderRegion, client, ms });
            cluster.run(harness.random.below(100 * MILLI));
          }
        }
        await harness.wait(0);
      }
    },
  };
}

/** Whoever is elected hands over to the server of that region. */
function clusterLedBy(harness: Harness, place: number): VirtualCluster {
  const cluster = clusterOf(harness, { servers: REGIONS.length, delay: oneWayMicros, raft: tuned([1700, 2000]) });
  const wanted = cluster.servers[place];
  const lead = (): boolean => cluster.leader?.serves === true;
  if (!cluster.runUntil(lead, LIMIT_MICROS)) throw new Error('Nobody leads.');
  cluster.run(SECOND);
  if (cluster.leader !== wanted && wanted !== undefined) cluster.leader?.handOver(wanted);
  if (!cluster.runUntil(() => cluster.leader === wanted && lead(), LIMIT_MICROS))
    throw new Error(`The server of ${REGIONS[place]} does not lead.`);
  cluster.run(5 * SECOND);
  return cluster;
}

function figures(results: readonly CellResult[]): readonly Figure[] {
  const rows = observations(results).map(
    (row): Row => ({
      ...row,
      ms: row['ms'] ?? row['limitMs'] ?? null,
      outcome: row['ms'] === null ? 'none' : 'served',
      size: String(row['servers']),
      kindName: 'replacement',
    }),
  );
  const replacements = rows.filter((row) => row['kind'] === 'replacement');
  const far = replacements.filter((row) => row['where'] === 'five regions');
  const near = replacements.filter((row) => row['where'] === 'one room');
  const writes = rows.filter((row) => row['kind'] === 'write' && row['ms'] !== null);
  const foundings = rows.filter((row) => row['kind'] === 'founding');
  return [
    ...(foundings.length === 0 ? [] : [roundTripFigure(foundings)]),
    ...(far.length === 0 ? [] : [regionFigure(far)]),
    ...(writes.length === 0 ? [] : [writeFigure(writes)]),
    ...(near.length === 0 ? [] : [sizeFigure(near)]),
  ];
}

const COLOUR = { field: 'kindName', title: '', order: ['replacement'] };
const Y = { field: 'ms', title: 'time to serve again (ms)', scale: 'log' } as const;
const CAPTION =
  'Simulated. Each point is one failure; the bar is the median, the line spans the 10th to the 90th percentile. Logarithmic.';

const VARIANTS = ['PreVote, adaptive', 'PreVote, fixed', 'without PreVote, adaptive', 'without PreVote, fixed'];

function roundTripFigure(all: readonly Row[]): Figure {
  const rows = all.map((row): Row => {
    const variant = `${row['preVote'] === true ? '' : 'without '}PreVote, ${row['adaptive'] === true ? 'adaptive' : 'fixed'}`;
    return { ...row, variant };
  });
  const order = TIGHT.map(([min, max]) => `${min}–${max}`);
  return {
    id: 'round-trip',
    title: 'Simulated: the first leader of three servers that are 50 ms apart',
    caption:
      'Simulated. Each point is a cluster that is founded; triangles: it served nothing within a minute. Timeouts whose least is not above the round trip of 100 ms: a PreVote is asked for anew ' +
      'before the answers to the last one are there, and where somebody is elected, CheckQuorum deposes them before the first answers can come. Without PreVote, and so without CheckQuorum, timeouts ' +
      'that lengthen find a range that fits.',
    spec: spread({
      rows,
      x: { field: 'timeouts', title: 'election timeout (ms)', order },
      y: { field: 'ms', title: 'time to the first write served (ms)', scale: 'log' },
      colour: { field: 'variant', title: '', order: VARIANTS },
      censored: 'outcome',
      width: 640,
    }),
    missing: lacking(rows, 'timeouts', order),
  };
}

function regionFigure(rows: readonly Row[]): Figure {
  const order = TIMEOUTS.map(([min, max]) => `${min}–${max}`);
  return {
    id: 'regions-elections',
    title: 'Simulated: time to replace a silent leader, one server in each of five regions',
    caption: CAPTION,
    spec: spread({
      rows,
      x: { field: 'timeouts', title: 'election timeout (ms)', order },
      y: Y,
      colour: COLOUR,
      censored: 'outcome',
      width: 480,
    }),
    missing: lacking(rows, 'timeouts', order),
  };
}

function writeFigure(rows: readonly Row[]): Figure {
  return {
    id: 'regions-writes',
    title: 'Simulated: latency of a write, by where the client and the leader are',
    caption:
      'Simulated. Each point is one write, sent to the server of the client’s region; the bar is the median. From another region a write pays the way to the leader and back besides the ' +
      'leader’s own majority.',
    spec: spread({
      rows,
      x: { field: 'client', title: 'region of the client', order: REGIONS },
      y: { field: 'ms', title: 'latency (ms)' },
      colour: { field: 'leader', title: 'region of the leader', order: REGIONS },
      width: 620,
    }),
    missing: [],
  };
}

function sizeFigure(rows: readonly Row[]): Figure {
  return {
    id: 'size-elections',
    title: 'Simulated: time to replace a silent leader, by number of servers (timeouts of 150–300 ms, one room)',
    caption: CAPTION,
    spec: spread({
      rows,
      x: { field: 'size', title: 'servers', order: SIZES.map(String) },
      y: Y,
      colour: COLOUR,
      censored: 'outcome',
      width: 480,
    }),
    missing: lacking(rows, 'servers', SIZES),
  };
}
