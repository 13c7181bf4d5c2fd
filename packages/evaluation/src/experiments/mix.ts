/** Throughput and latency by share of reads and by how reads are served, against one server alone and against etcd. */
import { clientAddress, etcdProgram } from '@quorate/processes';
import type { Cell, CellResult, Experiment, Row, Scale } from '../experiment.ts';
import type { Harness } from '../harness/harness.ts';
import type { Figure } from '../plots/figure.ts';
import { lacking, observations } from '../plots/observations.ts';
import { spread } from '../plots/spread.ts';
import { leaderAddress, loadRow, loadSeconds, planFor, preload, ready } from './load-cells.ts';

type System = 'quorate' | 'one server' | 'etcd';
type Reads = 'ReadIndex' | 'lease' | 'serializable';

interface Settings {
  readonly system: System;
  readonly reads: Reads;
  readonly readPercent: number;
}

const SHARES = [0, 50, 90, 99, 100];
const CLIENTS = 64;
const VALUE_BYTES = 256;
const BUDGETS = { full: { repeats: 5, seconds: 4 }, quick: { repeats: 2, seconds: 1 } } as const;

/** The single server is the same store without replication, its log fsynced: every read is at once linearizable and serializable. */
const VARIANTS: readonly { readonly system: System; readonly reads: Reads }[] = [
  { system: 'quorate', reads: 'ReadIndex' },
  { system: 'quorate', reads: 'lease' },
  { system: 'quorate', reads: 'serializable' },
  { system: 'one server', reads: 'ReadIndex' },
  { system: 'etcd', reads: 'ReadIndex' },
  { system: 'etcd', reads: 'serializable' },
];

export const mix: Experiment = {
  name: 'mix',
  title: 'Mix: reads and writes, against one server alone and against etcd',
  question: 'What does replication cost a workload, by its share of reads?',
  method:
    'A closed loop of 64 clients, of prepared frames that cost the generator a few microseconds each, to each system: three servers of Quorate, one server of Quorate (the same store, its log fsynced, nothing to ' +
    'replicate), three servers of etcd where it is installed, in its own default settings. Linearizable reads and all writes go to the leader; serializable reads ' +
    'go to every server in turn, which answers from what it has applied. With leases the leader answers without asking the others. 1,000 keys, values of 256 ' +
    'bytes. The same generator drives all systems, from the same machine.',
  measures: [
    { column: 'throughput', label: 'requests a second', unit: '1/s' },
    { column: 'readP50', label: 'median latency of reads', unit: 'ms' },
    { column: 'readP99', label: 'p99 latency of reads', unit: 'ms' },
    { column: 'writeP50', label: 'median latency of writes', unit: 'ms' },
    { column: 'writeP99', label: 'p99 latency of writes', unit: 'ms' },
  ],
  cells: (scale) => settingsOf(scale).map((settings) => cellOf(settings, scale)),
  figures,
};

function settingsOf(scale: Scale): readonly Settings[] {
  const shares = scale === 'full' ? SHARES : [0, 90];
  return VARIANTS.flatMap((variant) =>
    shares
      // Without reads it does not matter how they would be served.
      .filter((share) => share > 0 || variant.reads === 'ReadIndex')
      .map((readPercent) => ({ ...variant, readPercent })),
  );
}

function cellOf(settings: Settings, scale: Scale): Cell {
  const { system, reads, readPercent } = settings;
  const { repeats, seconds } = BUDGETS[scale];
  const servers = system === 'one server' ? 1 : 3;
  return {
    key: `${system.replace(' ', '-')}-${reads.toLowerCase()}-${readPercent}`,
    settings: { system, reads, readPercent, servers },
    servers,
    seconds: 4 + servers * 0.4 + repeats * loadSeconds(seconds),
    run: (harness) => run(harness, settings, servers, scale),
  };
}

async function run(harness: Harness, settings: Settings, servers: number, scale: Scale): Promise<void> {
  const { system, reads, readPercent } = settings;
  const { repeats, seconds } = BUDGETS[scale];
  if (system === 'etcd' && !harness.hasEtcd) {
    harness.note('etcd is not installed (Debian: etcd-server).');
    return;
  }
  const cluster = await harness.start({
    servers,
    ...(system === 'etcd' ? { program: etcdProgram('etcd') } : {}),
    ...(reads === 'lease' ? { flags: ['--lease-reads'] } : {}),
  });
  await ready(harness, cluster);
  await preload(cluster, VALUE_BYTES);
  const serializable = reads === 'serializable';
  const all = cluster.servers.map(({ member }) => clientAddress(member));
  const leader = await leaderAddress(cluster);
  for (let repeat = 1; repeat <= repeats; repeat++) {
    const plan = planFor(harness, cluster, {
      pace: { kind: 'closed', clients: CLIENTS },
      seconds,
      readPercent,
      serializable,
      spread: serializable ? 'each' : 'leader',
      generator: 'raw',
      endpoints: serializable ? all : [leader],
    });
    harness.record({ repeat, ...loadRow(await harness.load(plan)) });
  }
}

function figures(results: readonly CellResult[]): readonly Figure[] {
  const rows = observations(results).map(
    (row): Row => ({
      ...row,
      share: `${row['readPercent']} %`,
      how: row['system'] === 'one server' ? 'one server' : `${row['system']}, ${row['reads']}`,
    }),
  );
  if (rows.length === 0) return [];
  const order = VARIANTS.map(({ system, reads }) => (system === 'one server' ? system : `${system}, ${reads}`));
  const common = {
    x: { field: 'share', title: 'share of reads', order: SHARES.map((share) => `${share} %`) },
    colour: { field: 'how', title: '', order },
    width: 640,
  };
  const missing = [
    ...lacking(rows, 'readPercent', SHARES),
    ...(rows.some((row) => row['system'] === 'etcd') ? [] : ['etcd is not installed where this was measured.']),
  ];
  const latency = (id: string, what: string, column: string): readonly Figure[] => {
    const timed = rows.filter((row) => row[column] !== null);
    // A run that was interrupted may hold reads alone, or writes alone.
    if (timed.length === 0) return [];
    const y = { field: column, title: `latency of ${what} (ms)`, scale: 'log' } as const;
    return [
      {
        id,
        title: `Latency of ${what}, by share of reads (median of a run)`,
        caption: 'Each point is the median latency of one run; the bar is the median of the runs. Logarithmic.',
        spec: spread({ ...common, rows: timed, y }),
        missing,
      },
    ];
  };
  return [
    {
      id: 'throughput',
      title: 'Requests a second, by share of reads',
      caption: 'Each point is one run; the bar is the median of the runs. 64 clients in a closed loop.',
      spec: spread({ ...common, rows, y: { field: 'throughput', title: 'requests (1/s)' } }),
      missing,
    },
    ...latency('read-latency', 'reads', 'readP50'),
    ...latency('write-latency', 'writes', 'writeP50'),
  ];
}
