/** Throughput and latency of writes, by number of servers and size of values. */
import type { Cell, CellResult, Experiment, Scale } from '../experiment.ts';
import type { Harness } from '../harness/harness.ts';
import type { Figure } from '../plots/figure.ts';
import { distinct, lacking, observations } from '../plots/observations.ts';
import { spread } from '../plots/spread.ts';
import { loadRow, loadSeconds, planFor, ready } from './load-cells.ts';

interface Settings {
  readonly servers: number;
  readonly valueBytes: number;
}

const SIZES = [1, 3, 5, 7, 9, 11];
const VALUES = [16, 256, 4096, 65_536];
/** One client at a time shows what a write takes; many show how many writes there can be. */
const CLIENTS = [1, 64];
const BUDGETS = { full: { repeats: 4, seconds: 3 }, quick: { repeats: 2, seconds: 1 } } as const;

export const scale: Experiment = {
  name: 'scale',
  title: 'Scale: writes by number of servers and size of values',
  question: 'What does another server cost, and what does a larger value?',
  method:
    'A closed loop writes to the leader: 1 client, then 64 over 4 connections. Every server syncs every batch to the same disk, and all servers and the ' +
    'generator share the processors of one machine: each server more takes processor time from the others, which servers on machines of their own would ' +
    'not. So the slope here is an upper bound of what another server costs.',
  measures: CLIENTS.flatMap((clients) => [
    { column: 'throughput', label: `writes a second, ${clients} clients`, unit: '1/s', where: { clients } },
    { column: 'writeP50', label: `median latency, ${clients} clients`, unit: 'ms', where: { clients } },
    { column: 'writeP99', label: `p99 latency, ${clients} clients`, unit: 'ms', where: { clients } },
  ]),
  cells: (how) => settingsOf(how).map((settings) => cellOf(settings, how)),
  figures,
};

function settingsOf(how: Scale): readonly Settings[] {
  if (how === 'full') return SIZES.flatMap((servers) => VALUES.map((valueBytes) => ({ servers, valueBytes })));
  const bySize = [1, 3, 7].map((servers) => ({ servers, valueBytes: 256 }));
  return [...bySize, { servers: 3, valueBytes: 65_536 }];
}

function cellOf({ servers, valueBytes }: Settings, how: Scale): Cell {
  const { repeats, seconds } = BUDGETS[how];
  return {
    key: `${servers}-servers-${valueBytes}b`,
    settings: { servers, valueBytes },
    servers,
    seconds: 2 + servers * 0.4 + repeats * CLIENTS.length * loadSeconds(seconds),
    run: (harness) => run(harness, { servers, valueBytes }, how),
  };
}

async function run(harness: Harness, { servers, valueBytes }: Settings, how: Scale): Promise<void> {
  const { repeats, seconds } = BUDGETS[how];
  const cluster = await harness.start({ servers });
  await ready(harness, cluster);
  for (let repeat = 1; repeat <= repeats; repeat++) {
    for (const clients of CLIENTS) {
      const pace = { kind: 'closed', clients } as const;
      const result = await harness.load(planFor(harness, cluster, { pace, seconds, valueBytes }));
      harness.record({ clients, repeat, ...loadRow(result) });
    }
  }
}

function figures(results: readonly CellResult[]): readonly Figure[] {
  const rows = observations(results).map((row) => ({
    ...row,
    size: String(row['servers']),
    value: bytesText(Number(row['valueBytes'])),
    load: row['clients'] === 1 ? '1 client' : `${row['clients']} clients`,
  }));
  if (rows.length === 0) return [];
  const order = VALUES.map(bytesText);
  const common = {
    rows,
    x: { field: 'size', title: 'servers', order: SIZES.map(String) },
    colour: { field: 'value', title: 'value', order },
    column: { field: 'load', title: '', order: distinct(rows, 'load') },
    width: 330,
  };
  const missing = lacking(rows, 'servers', SIZES);
  return [
    {
      id: 'throughput',
      title: 'Writes a second, by number of servers',
      caption: 'Each point is one run; the bar is the median of the runs. Logarithmic.',
      spec: spread({ ...common, y: { field: 'throughput', title: 'writes (1/s)', scale: 'log' } }),
      missing,
    },
    {
      id: 'latency',
      title: 'Median latency of a write, by number of servers',
      caption: 'Each point is the median of one run; the bar is the median of the runs. Logarithmic.',
      spec: spread({ ...common, y: { field: 'writeP50', title: 'latency (ms)', scale: 'log' } }),
      missing,
    },
    {
      id: 'latency-p99',
      title: '99th percentile of the latency of a write, by number of servers',
      caption: 'Each point is the 99th percentile of one run; the bar is the median of the runs. Logarithmic.',
      spec: spread({ ...common, y: { field: 'writeP99', title: 'latency (ms)', scale: 'log' } }),
      missing,
    },
  ];
}

function bytesText(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KiB`;
}
