/** How long a server needs to serve again after a restart, by what it holds: keys in its snapshot and log, and how often they were written. */
import { etcdProgram, type ServerProgram } from '@quorate/processes';
import type { Cell, CellResult, Experiment, Row, Scale } from '../experiment.ts';
import type { Cluster } from '../harness/cluster.ts';
import type { Harness } from '../harness/harness.ts';
import { firstWriteServed } from '../harness/prober.ts';
import { curves } from '../plots/curves.ts';
import type { Figure } from '../plots/figure.ts';
import { observations } from '../plots/observations.ts';
import { timeoutFlags } from './election-timeouts.ts';
import { keyOf } from '../load/raw/messages.ts';
import { ready } from './load-cells.ts';

interface Settings {
  readonly system: 'quorate' | 'etcd';
  readonly keys: number;
  /** How often each key was written. */
  readonly rounds: number;
}

const VALUE_BYTES = 256;
/** Short, because what is measured is how long it takes to load, and not how long a server waits before it stands. */
const TIMEOUTS = { name: '50–60', minMs: 50, maxMs: 60, heartbeatMs: 10 } as const;
/** The same for etcd, whose timeout is at least five heartbeats. */
const ETCD_FLAGS = ['--heartbeat-interval', '10', '--election-timeout', '60'];
/** Puts of one transaction, and transactions at once. */
const PUTS = 100;
const AT_ONCE = 8;
/** What a machine can be expected to hold: all versions of all keys. */
const MAX_WRITES = 3_000_000;
const LIMIT_MS = 300_000;
const REPEATS = { full: 7, quick: 2 } as const;

export const recovery: Experiment = {
  name: 'recovery',
  title: 'Recovery: time to serve again after a restart',
  question: 'How long is a server away that is restarted, by what it holds?',
  method:
    'One server by itself, its election timeout 50 to 60 ms instead of 1.7 to 2 s: a server that is alone waits for it before it leads, as any other does. Keys with values of 256 bytes ' +
    'are written in transactions of 100, each key once or several times; then the server is killed with kill -9 and started again. As soon as it takes connections a write is sent every 2 ms ' +
    'until one is answered. Snapshots are taken by themselves when the log has outgrown 64 MiB and the last snapshot, so small stores come back from the log alone. The start of the ' +
    'process itself, about a third of a second of a processor, is in every figure. etcd, where it is installed, is given the same keys, once each, and as short a timeout.',
  measures: [
    { column: 'ms', label: 'time to the first write served', unit: 'ms' },
    { column: 'logMegabytes', label: 'log behind the newest snapshot', unit: 'MB' },
  ],
  cells: (scale) => settingsOf(scale).map((settings) => cellOf(settings, scale)),
  figures,
};

function settingsOf(scale: Scale): readonly Settings[] {
  const sizes = scale === 'full' ? [10_000, 30_000, 100_000, 300_000, 1_000_000] : [10_000, 40_000];
  const rounds = scale === 'full' ? [1, 3, 10] : [1, 3];
  const own = sizes.flatMap((keys) =>
    rounds
      .filter((times) => keys * times <= MAX_WRITES)
      .map((times) => ({ system: 'quorate' as const, keys, rounds: times })),
  );
  const compared = scale === 'full' ? sizes : sizes.slice(-1);
  return [...own, ...compared.map((keys) => ({ system: 'etcd' as const, keys, rounds: 1 }))];
}

function cellOf(settings: Settings, scale: Scale): Cell {
  const { system, keys, rounds } = settings;
  return {
    key: `${system}-${keys}-keys-${rounds}-times`,
    settings: { ...settings, writes: keys * rounds },
    servers: 1,
    seconds: 3 + (keys * rounds) / 30_000 + REPEATS[scale] * (1 + (keys * rounds) / 300_000),
    run: (harness) => run(harness, settings, REPEATS[scale]),
  };
}

async function run(harness: Harness, { system, keys, rounds }: Settings, repeats: number): Promise<void> {
  if (system === 'etcd' && !harness.hasEtcd) return harness.note('etcd is not installed (Debian: etcd-server).');
  const cluster = await harness.start({
    servers: 1,
    ...(system === 'etcd' ? { program: impatientEtcd() } : { flags: timeoutFlags(TIMEOUTS) }),
  });
  await ready(harness, cluster);
  for (let round = 0; round < rounds; round++) await fill(cluster, keys);
  const [server] = cluster.servers;
  if (server === undefined) throw new Error('The cluster has no server.');
  for (let repeat = 1; repeat <= repeats; repeat++) {
    await cluster.kill(server);
    const since = performance.now();
    server.process.start();
    await cluster.listens(server, LIMIT_MS);
    const client = await cluster.client();
    const served = await firstWriteServed([client], since, LIMIT_MS, harness.signal);
    await client.close();
    const page = await cluster.page(server);
    harness.record({
      repeat,
      ms: served?.ms ?? null,
      logMegabytes: page === null ? null : page.storage.logBytes / 1e6,
      entriesBehindSnapshot: page === null ? null : page.lastIndex - page.snapshot.index,
    });
  }
}

function impatientEtcd(): ServerProgram {
  const program = etcdProgram('etcd');
  return { ...program, args: (...given) => [...program.args(...given), ...ETCD_FLAGS] };
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
      const success = Array.from({ length: count }, (_, at) => ({ op: 'put', key: keyOf(from + at), value }) as const);
      await client.txn({ compare: [], success, failure: [] });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, write));
  await client.close();
}

function figures(results: readonly CellResult[]): readonly Figure[] {
  const rows = observations(results)
    .filter((row) => row['ms'] !== null)
    .map(
      (row): Row => ({
        ...row,
        how:
          row['system'] === 'etcd'
            ? 'etcd, once'
            : `Quorate, ${row['rounds'] === 1 ? 'once' : `${row['rounds']} times`}`,
        stored: `${Number(row['keys']).toLocaleString('en')} keys`,
      }),
    );
  if (rows.length === 0) return [];
  const missing = rows.some((row) => row['system'] === 'etcd')
    ? []
    : ['etcd is not installed where this was measured.'];
  const logged = rows.filter((row) => typeof row['logMegabytes'] === 'number');
  return [byKeys(rows, missing), ...(logged.length === 0 ? [] : [byLog(logged)])];
}

const Y = { field: 'ms', title: 'time to the first write served (ms)', scale: 'log' } as const;

function byKeys(rows: readonly Row[], missing: readonly string[]): Figure {
  return {
    id: 'by-keys',
    title: 'Time to serve again after kill -9, by keys stored',
    caption: 'Each point is one restart; lines join the medians. Both axes are logarithmic.',
    spec: curves({
      rows,
      x: { field: 'keys', title: 'keys with values of 256 bytes', scale: 'log' },
      y: Y,
      colour: { field: 'how', title: 'each key written' },
      width: 480,
    }),
    missing,
  };
}

function byLog(rows: readonly Row[]): Figure {
  return {
    id: 'by-log',
    title: 'Time to serve again after kill -9, by length of the log',
    caption:
      'The same restarts over the length of the log behind the newest snapshot, all of which is read and applied again. Where the log is short and the time is long, it is the snapshot that ' +
      'takes it.',
    spec: curves({
      rows,
      x: { field: 'logMegabytes', title: 'log behind the newest snapshot (MB)', scale: 'linear' },
      y: Y,
      colour: { field: 'stored', title: 'stored' },
      width: 480,
      lines: false,
    }),
    missing: [],
  };
}
