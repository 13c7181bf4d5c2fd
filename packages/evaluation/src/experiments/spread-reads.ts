/** Reads a server while servers join: clients spread them over followers and learners, and a newcomer takes its share. */
import { clientAddress } from '@quorate/processes';
import type { Cell, CellResult, Experiment, Row, Scale } from '../experiment.ts';
import type { Harness } from '../harness/harness.ts';
import { eventLines, eventWords } from '../plots/events.ts';
import type { Figure } from '../plots/figure.ts';
import { planFor, preload, ready } from './load-cells.ts';
import { Timeline } from './timeline.ts';

const FOUNDERS = 3;
const CLIENTS = 48;
const INTERVAL_MS = 100;
const VALUE_BYTES = 256;
/** It has taken its share when it answers so much of what an even split would give it. */
const SHARE = 0.8;
const KINDS = ['serializable', 'linearizable'] as const;
type Kind = (typeof KINDS)[number];
const NEWCOMERS = { full: 4, quick: 2 } as const;
const STEP_SECONDS = { full: 10, quick: 3 } as const;

export const spreadReads: Experiment = {
  name: 'spread',
  title: 'Spread: reads of each server while servers join',
  question: 'How soon does a newcomer take its share of the reads?',
  method:
    'Three servers; 48 clients read in a closed loop, each read from the next server in turn. The clients ask for the member list every 200 ms and read from whoever it shows with an ' +
    'address for clients: a server enters its own when it is ready to serve, as a learner already. Newcomers join one after the other. Serializable reads are answered by each ' +
    'server from what it has applied; for linearizable ones followers and learners ask the leader how far they must have applied. Its share: four fifths of an even split.',
  measures: [
    {
      column: 'shareMs',
      label: 'from the first read that a newcomer answers to its share',
      unit: 'ms',
      where: { kind: 'newcomer' },
    },
    {
      column: 'firstMs',
      label: 'from the start of its process to the first read that it answers',
      unit: 'ms',
      where: { kind: 'newcomer' },
    },
  ],
  cells: (scale) => KINDS.map((kind) => cellOf(kind, scale)),
  figures,
};

function cellOf(kind: Kind, scale: Scale): Cell {
  return {
    key: kind,
    settings: { reads: kind, founders: FOUNDERS },
    servers: FOUNDERS + NEWCOMERS[scale],
    seconds: 6 + (NEWCOMERS[scale] + 1) * STEP_SECONDS[scale],
    run: (harness) => run(harness, kind, scale),
  };
}

async function run(harness: Harness, kind: Kind, scale: Scale): Promise<void> {
  const cluster = await harness.start({ servers: FOUNDERS });
  await ready(harness, cluster);
  await preload(cluster, VALUE_BYTES);
  const plan = planFor(harness, cluster, {
    pace: { kind: 'closed', clients: CLIENTS },
    seconds: 0,
    spread: 'each',
    discover: true,
    readPercent: 100,
    serializable: kind === 'serializable',
    intervalMs: INTERVAL_MS,
  });
  const started = new Map<string, number>();
  const rows: Row[] = [];
  const record = (row: Row): void => {
    rows.push(row);
    harness.record(row);
  };
  await Timeline.run(
    harness,
    { ...plan, warmUpSeconds: 0.5 },
    async (script) => {
      await script.wait(STEP_SECONDS[scale]);
      for (const member of await harness.newMembers(FOUNDERS + 1, NEWCOMERS[scale])) {
        const server = cluster.add(member);
        started.set(clientAddress(member), script.mark(`${member.name} starts`));
        server.process.start();
        await script.wait(STEP_SECONDS[scale]);
      }
    },
    record,
  );
  for (const [address, time] of started) harness.record(newcomerRow(rows, address, time));
}

/** When a newcomer answered its first read, and when it had its share. `rows`: of a timeline; `startedAt`: milliseconds since 1970. */
export function newcomerRow(rows: readonly Row[], address: string, startedAt: number): Row {
  const intervals = rows.filter((row) => row['kind'] === 'interval');
  const began = Number(rows.find((row) => row['kind'] === 'began')?.['time']);
  const own = (row: Row): number => Number(row[`reads:${address}`] ?? 0);
  const first = intervals.find((row) => own(row) > 0);
  const shared = intervals.find((row) => {
    const serving = Object.entries(row).filter(([key, count]) => key.startsWith('reads:') && Number(count) > 0).length;
    return own(row) >= (SHARE * Number(row['reads'])) / Math.max(1, serving) && own(row) > 0;
  });
  const firstAt = first === undefined ? null : Number(first['at']);
  const sharedAt = shared === undefined ? null : Number(shared['at']) + INTERVAL_MS / 1000;
  return {
    kind: 'newcomer',
    server: address,
    firstMs: firstAt === null ? null : firstAt * 1000 - (startedAt - began),
    shareMs: firstAt === null || sharedAt === null ? null : (sharedAt - firstAt) * 1000,
  };
}

function figures(results: readonly CellResult[]): readonly Figure[] {
  return results
    .filter(({ rows }) => rows.some((row) => row['kind'] === 'interval'))
    .map(({ key, rows }) => ({
      id: key,
      title: `Reads of each server over time, ${key}`,
      caption:
        'Reads answered in each 100 ms, as a rate, stacked by server in the order in which they joined; dashed: a process is started.',
      spec: stacked(rows),
      missing: [],
    }));
}

function stacked(rows: readonly Row[]): Readonly<Record<string, unknown>> {
  const addresses = [...new Set(rows.flatMap((row) => Object.keys(row).filter((key) => key.startsWith('reads:'))))];
  const names = new Map(addresses.map((address, at) => [address, `server ${at + 1}`]));
  const values = rows
    .filter((row) => row['kind'] === 'interval')
    .flatMap((row) =>
      addresses.map((address) => ({
        part: 'interval',
        at: row['at'],
        server: names.get(address),
        perSecond: Number(row[address] ?? 0) / Number(row['seconds']),
      })),
    );
  const events = rows
    .filter((row) => row['kind'] === 'event')
    .map((row) => ({ part: 'event', at: row['at'], what: row['what'] }));
  const x = { field: 'at', type: 'quantitative', title: 'time (s)' };
  return {
    data: { values: [...values, ...events] },
    width: 900,
    height: 280,
    layer: [
      {
        transform: [{ filter: "datum.part === 'interval'" }],
        mark: { type: 'area', interpolate: 'step-after' },
        encoding: {
          x,
          y: { field: 'perSecond', type: 'quantitative', stack: true, title: 'reads (1/s)' },
          color: { field: 'server', type: 'nominal', title: '', sort: [...names.values()] },
          order: { field: 'server' },
        },
      },
      eventLines(x, '#333333'),
      eventWords(x, '#333333'),
    ],
  };
}
