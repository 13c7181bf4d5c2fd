/** How long a server needs to serve again after a restart, by what it holds: keys in its snapshot and log, and how often they were written. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { memberDirectory } from '@quorate/processes';
import type { Cell, CellResult, Experiment, Row, Scale } from '../experiment.ts';
import type { Cluster } from '../harness/cluster.ts';
import type { Harness } from '../harness/harness.ts';
import { firstWriteServed } from '../harness/prober.ts';
import { curves } from '../plots/curves.ts';
import type { Figure } from '../plots/figure.ts';
import { observations } from '../plots/observations.ts';
import { timeoutFlags } from './election-timeouts.ts';
import { keyAt, ready } from './load-cells.ts';

interface Settings {
  readonly keys: number;
  /** How often each key was written. */
  readonly rounds: number;
}

const VALUE_BYTES = 256;
/** Short, because what is measured is how long it takes to load, and not how long a server waits before it stands. */
const TIMEOUTS = { name: '50–60', minMs: 50, maxMs: 60, heartbeatMs: 10 } as const;
/** Puts of one transaction, and transactions at once. */
const PUTS = 100;
const AT_ONCE = 8;
const LIMIT_MS = 300_000;
const REPEATS = { full: 10, quick: 3 } as const;

export const recovery: Experiment = {
  name: 'recovery',
  title: 'Recovery: time to serve again after a restart',
  question: 'How long is a server away that is restarted, by what it holds?',
  method:
    'One server by itself, its election timeout 50 to 60 ms instead of 1.7 to 2 s: a server that is alone waits for it before it leads, as any other does. Keys with values of 256 bytes are written in transactions of 100, each key once or several times; then the server is killed ' +
    'with kill -9 and started again, and a write is sent every 2 ms until one is answered. Snapshots are taken by themselves when the log has outgrown 64 MiB and the last ' +
    'snapshot, so small stores come back from the log alone. The start of the process itself, about a third of a second of a processor, is in every figure.',
  measures: [
    { column: 'ms', label: 'time to the first write served', unit: 'ms' },
    { column: 'megabytes', label: 'data on disk', unit: 'MB' },
  ],
  cells: (scale) => settingsOf(scale).map((settings) => cellOf(settings, scale)),
  figures,
};

function settingsOf(scale: Scale): readonly Settings[] {
  if (scale === 'quick') return [10_000, 40_000].flatMap((keys) => [1, 3].map((rounds) => ({ keys, rounds })));
  return [10_000, 30_000, 100_000, 300_000, 1_000_000].flatMap((keys) =>
    [1, 3, 10].filter((rounds) => keys * rounds <= 3_000_000).map((rounds) => ({ keys, rounds })),
  );
}

function cellOf(settings: Settings, scale: Scale): Cell {
  const { keys, rounds } = settings;
  return {
    key: `${keys}-keys-${rounds}-times`,
    settings: { ...settings, writes: keys * rounds },
    servers: 1,
    seconds: 3 + (keys * rounds) / 30_000 + REPEATS[scale] * (1 + (keys * rounds) / 300_000),
    run: (harness) => run(harness, settings, REPEATS[scale]),
  };
}

async function run(harness: Harness, { keys, rounds }: Settings, repeats: number): Promise<void> {
  const cluster = await harness.start({ servers: 1, flags: timeoutFlags(TIMEOUTS) });
  await ready(harness, cluster);
  for (let round = 0; round < rounds; round++) await fill(cluster, keys);
  const [server] = cluster.servers;
  if (server === undefined) throw new Error('The cluster has no server.');
  for (let repeat = 1; repeat <= repeats; repeat++) {
    await cluster.kill(server);
    const bytes = sizeOf(memberDirectory(cluster.local.directory, server.member));
    const since = performance.now();
    server.process.start();
    const client = await cluster.client();
    const served = await firstWriteServed([client], since, LIMIT_MS, harness.signal);
    await client.close();
    const page = await cluster.page(server);
    harness.record({
      repeat,
      ms: served?.ms ?? null,
      megabytes: bytes / 1e6,
      snapshotIndex: page?.snapshot.index ?? null,
      entriesBehindSnapshot: page === null ? null : page.lastIndex - page.snapshot.index,
    });
  }
}

async function fill(cluster: Cluster, keys: number): Promise<void> {
  const client = await cluster.client();
  const value = new Uint8Array(VALUE_BYTES).fill(0x76);
  let next = 0;
  const write = async (): Promise<void> => {
    while (next < keys) {
      const from = next;
      next += PUTS;
      const count = Math.min(PUTS, keys - from);
      const success = Array.from({ length: count }, (_, at) => ({ op: 'put', key: keyAt(from + at), value }) as const);
      await client.txn({ compare: [], success, failure: [] });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, write));
  await client.close();
}

function sizeOf(directory: string): number {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true });
  return files.reduce((sum, file) => (file.isFile() ? sum + statSync(join(file.parentPath, file.name)).size : sum), 0);
}

function figures(results: readonly CellResult[]): readonly Figure[] {
  const rows = observations(results)
    .filter((row) => row['ms'] !== null)
    .map((row): Row => ({ ...row, written: row['rounds'] === 1 ? 'once' : `${row['rounds']} times` }));
  if (rows.length === 0) return [];
  const y = { field: 'ms', title: 'time to the first write served (ms)', scale: 'log' } as const;
  const colour = { field: 'written', title: 'each key written' };
  return [
    {
      id: 'by-keys',
      title: 'Time to serve again after kill -9, by keys stored',
      caption: 'Each point is one restart; lines join the medians. Both axes are logarithmic.',
      spec: curves({ rows, x: { field: 'keys', title: 'keys of 256 bytes', scale: 'log' }, y, colour, width: 480 }),
      missing: [],
    },
    {
      id: 'by-size',
      title: 'Time to serve again after kill -9, by data on disk',
      caption: 'The same restarts over what stood on disk: log, snapshots, and what of both was not reclaimed yet.',
      spec: curves({
        rows,
        x: { field: 'megabytes', title: 'data on disk (MB)', scale: 'log' },
        y,
        colour,
        width: 480,
        lines: false,
      }),
      missing: [],
    },
  ];
}
