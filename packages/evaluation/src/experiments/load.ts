/** Latency against offered load: an open loop, rate by rate up to where the cluster does not keep up. */
import type { Cell, CellResult, Experiment, Row, Scale } from '../experiment.ts';
import type { Harness } from '../harness/harness.ts';
import type { Figure } from '../plots/figure.ts';
import { curves } from '../plots/curves.ts';
import { observations } from '../plots/observations.ts';
import { leaderAddress, loadRow, loadSeconds, planFor, preload, ready } from './load-cells.ts';

interface Settings {
  readonly servers: number;
  readonly readPercent: number;
}

/** Requests a second. */
const RATES = [100, 250, 500, 1_000, 2_000, 3_000, 4_000, 6_000, 8_000, 10_000, 12_000, 16_000, 20_000, 25_000];
const QUICK_RATES = [250, 1_000, 2_000, 4_000, 8_000, 12_000];
const BUDGETS = { full: { repeats: 2, seconds: 4 }, quick: { repeats: 1, seconds: 1.5 } } as const;
/** Below this share of what is offered a cluster does not keep up; higher rates would show the length of queues and nothing else. */
const KEEPS_UP = 0.9;

export const load: Experiment = {
  name: 'load',
  title: 'Load: latency against offered load, up to saturation',
  question: 'How much can be asked of a cluster before its answers come late?',
  method:
    'An open loop: requests leave at a constant rate, in ticks of a millisecond, whether or not earlier ones were answered, and the latency of each counts ' +
    'from its tick, so that what waits, in the servers or in the generator, is counted (no coordinated omission). Rates rise until fewer than nine tenths of ' +
    'what is offered are answered. Values of 256 bytes; reads are linearizable. The generator shares the processors with the servers.',
  measures: [
    { column: 'throughput', label: 'answered', unit: '1/s' },
    { column: 'writeP50', label: 'median latency of writes', unit: 'ms' },
    { column: 'writeP99', label: 'p99 latency of writes', unit: 'ms' },
  ],
  cells: (scale) => settingsOf(scale).map((settings) => cellOf(settings, scale)),
  figures,
};

function settingsOf(scale: Scale): readonly Settings[] {
  const sizes = scale === 'full' ? [1, 3, 5] : [3];
  return sizes.flatMap((servers) => [0, 90].map((readPercent) => ({ servers, readPercent })));
}

function cellOf(settings: Settings, scale: Scale): Cell {
  const { servers, readPercent } = settings;
  const { repeats, seconds } = BUDGETS[scale];
  const rates = scale === 'full' ? RATES : QUICK_RATES;
  return {
    key: `${servers}-servers-${readPercent}-reads`,
    settings: { servers, readPercent },
    servers,
    seconds: 4 + servers * 0.4 + rates.length * repeats * loadSeconds(seconds),
    run: (harness) => run(harness, settings, scale),
  };
}

async function run(harness: Harness, { servers, readPercent }: Settings, scale: Scale): Promise<void> {
  const { repeats, seconds } = BUDGETS[scale];
  const cluster = await harness.start({ servers });
  await ready(harness, cluster);
  await preload(cluster, 256);
  const endpoints = [await leaderAddress(cluster)];
  for (const perSecond of scale === 'full' ? RATES : QUICK_RATES) {
    let kept = 0;
    for (let repeat = 1; repeat <= repeats; repeat++) {
      const pace = { kind: 'open', perSecond } as const;
      const plan = planFor(harness, cluster, { pace, seconds, readPercent, generator: 'raw', endpoints });
      const row = loadRow(await harness.load(plan));
      harness.record({ offered: perSecond, repeat, ...row });
      if (Number(row['throughput']) >= KEEPS_UP * perSecond) kept += 1;
    }
    if (kept === 0) {
      harness.note(`Does not keep up with ${perSecond} requests a second; higher rates were not tried.`);
      return;
    }
  }
}

function figures(results: readonly CellResult[]): readonly Figure[] {
  const rows = observations(results);
  if (rows.length === 0) return [];
  const named = rows.map((row) => ({
    ...row,
    cluster: `${row['servers']} server${row['servers'] === 1 ? '' : 's'}`,
    mix: row['readPercent'] === 0 ? 'writes only' : `${row['readPercent']} % linearizable reads`,
  }));
  return [latency(named), answered(named)];
}

function latency(rows: readonly Row[]): Figure {
  const long = rows.flatMap((row) =>
    (
      [
        ['writeP50', 'median'],
        ['writeP99', '99th percentile'],
      ] as const
    ).flatMap(([column, part]) =>
      row[column] === null ? [] : [{ ...row, latency: row[column] ?? null, percentile: part }],
    ),
  );
  return {
    id: 'latency',
    title: 'Latency of writes against offered load',
    caption: 'Each point is one run at one rate; lines join the medians of the runs. Both axes are logarithmic.',
    spec: curves({
      rows: long,
      x: { field: 'offered', title: 'offered load (requests a second)', scale: 'log' },
      y: { field: 'latency', title: 'latency of writes (ms)', scale: 'log' },
      colour: { field: 'percentile', title: '' },
      dash: { field: 'cluster', title: '' },
      column: { field: 'mix', title: '' },
    }),
    missing: [],
  };
}

function answered(rows: readonly Row[]): Figure {
  return {
    id: 'answered',
    title: 'Answered against offered load',
    caption: 'Where a line leaves the diagonal the cluster, or the generator beside it, does not keep up.',
    spec: curves({
      rows,
      x: { field: 'offered', title: 'offered load (requests a second)', scale: 'linear' },
      y: { field: 'throughput', title: 'answered (requests a second)', scale: 'linear' },
      colour: { field: 'cluster', title: '' },
      column: { field: 'mix', title: '' },
      diagonal: Math.max(...rows.map((row) => Number(row['offered']))),
    }),
    missing: [],
  };
}
