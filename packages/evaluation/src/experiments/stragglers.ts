/** Slow servers: which of them hurt, and what saves the others. */
import type { LocalServer } from '@quorate/processes';
import type { Cell, CellResult, Experiment, Row, Scale } from '../experiment.ts';
import type { Cluster } from '../harness/cluster.ts';
import type { Harness } from '../harness/harness.ts';
import type { Figure } from '../plots/figure.ts';
import { distinct, lacking, observations } from '../plots/observations.ts';
import { spread } from '../plots/spread.ts';
import { loadRow, planFor, ready } from './load-cells.ts';

type Part = 'disk' | 'network';

interface Settings {
  readonly part: Part;
  readonly slowMs: number;
}

const SERVERS = 5;
const CLIENTS = 16;
const WHO = ['nobody', 'one follower', 'two followers', 'leader', 'leader, handed over', 'a majority'] as const;
type Who = (typeof WHO)[number];
const BUDGETS = { full: { repeats: 5, seconds: 10 }, quick: { repeats: 2, seconds: 1 } } as const;
/** From the moment at which servers become slow until the measurement begins: what happens by itself meanwhile has happened. */
const SETTLE_SECONDS = { full: 5, quick: 1 } as const;

export const stragglers: Experiment = {
  name: 'stragglers',
  title: 'Stragglers: slow followers, a slow leader, a slow majority',
  question: 'Whose slowness do clients feel?',
  method:
    'Five servers, 16 clients that write in a closed loop. Some servers are slowed through their own fault injection: every disk operation begins late, or every message ' +
    'to another server leaves late, by the same time. A majority decides, so up to two slow followers should cost nothing; a slow leader is in every write. ' +
    '"Handed over": quorate move-leader to a fast server after it became slow. The measurement begins some seconds after the servers became slow, so that what the ' +
    'cluster does by itself has happened; whether the leader changed by itself is in the data.',
  measures: [...WHO].flatMap((who) => [
    { column: 'throughput', label: `writes a second, slow: ${who}`, unit: '1/s', where: { who } },
    { column: 'writeP99', label: `p99 latency, slow: ${who}`, unit: 'ms', where: { who } },
  ]),
  cells: (scale) => settingsOf(scale).map((settings) => cellOf(settings, scale)),
  figures,
};

function settingsOf(scale: Scale): readonly Settings[] {
  const times = scale === 'full' ? [10, 50, 200] : [20];
  return (['disk', 'network'] as const).flatMap((part) => times.map((slowMs) => ({ part, slowMs })));
}

function cellOf(settings: Settings, scale: Scale): Cell {
  const { repeats, seconds } = BUDGETS[scale];
  return {
    key: `${settings.part}-${settings.slowMs}ms`,
    settings: { servers: SERVERS, ...settings },
    servers: SERVERS,
    seconds: 5 + WHO.length * (SETTLE_SECONDS[scale] + 1 + repeats * seconds * 1.5),
    run: (harness) => run(harness, settings, scale),
  };
}

async function run(harness: Harness, { part, slowMs }: Settings, scale: Scale): Promise<void> {
  const { repeats, seconds } = BUDGETS[scale];
  const cluster = await harness.start({ servers: SERVERS });
  await ready(harness, cluster);
  for (const who of WHO) {
    const leader = await cluster.settled();
    const slow = slowServers(who, cluster, leader);
    await Promise.all(slow.map((server) => cluster.hurt(server, `slow?ms=${slowMs}&what=${part}`)));
    if (who === 'leader, handed over') await handOver(cluster, leader);
    await harness.wait(SETTLE_SECONDS[scale] * 1000);
    for (let repeat = 1; repeat <= repeats; repeat++) {
      const pace = { kind: 'closed', clients: CLIENTS } as const;
      const result = await harness.load(planFor(harness, cluster, { pace, seconds }));
      const now = await cluster.leaderNow();
      harness.record({ who, repeat, leaderMoved: now?.server !== leader, ...loadRow(result) });
    }
    await Promise.all(cluster.servers.map((server) => cluster.hurt(server, `slow?ms=0`)));
  }
}

function slowServers(who: Who, cluster: Cluster, leader: LocalServer): readonly LocalServer[] {
  const followers = cluster.servers.filter((server) => server !== leader);
  switch (who) {
    case 'nobody':
      return [];
    case 'one follower':
      return followers.slice(0, 1);
    case 'two followers':
      return followers.slice(0, 2);
    case 'leader':
    case 'leader, handed over':
      return [leader];
    case 'a majority':
      return followers.slice(0, 3);
  }
}

async function handOver(cluster: Cluster, leader: LocalServer): Promise<void> {
  const heir = cluster.servers.find((server) => server !== leader);
  if (heir === undefined) throw new Error('Nobody is there to take over.');
  const client = await cluster.client();
  const { members } = await client.memberList();
  const member = members.find(({ name }) => name === heir.member.name);
  if (member === undefined) throw new Error(`${heir.member.name} is no member.`);
  await client.moveLeader(member.ID);
}

function figures(results: readonly CellResult[]): readonly Figure[] {
  const rows = observations(results).map(
    (row): Row => ({
      ...row,
      slow: `${row['slowMs']} ms`,
      partName: row['part'] === 'disk' ? 'slow disk' : 'slow network',
    }),
  );
  if (rows.length === 0) return [];
  const common = {
    rows,
    x: { field: 'who', title: 'who is slow', order: WHO, labelAngle: -30 },
    colour: { field: 'slow', title: 'slower by', order: distinct(rows, 'slow') },
    column: { field: 'partName', title: '', order: ['slow disk', 'slow network'] },
    width: 360,
  };
  const missing = lacking(rows, 'who', WHO);
  return [
    {
      id: 'throughput',
      title: 'Writes a second while some servers are slow',
      caption: 'Each point is one run; the bar is the median. Logarithmic.',
      spec: spread({ ...common, y: { field: 'throughput', title: 'writes (1/s)', scale: 'log' } }),
      missing,
    },
    {
      id: 'latency',
      title: '99th percentile of the latency of writes while some servers are slow',
      caption: 'Each point is one run; the bar is the median. Logarithmic.',
      spec: spread({ ...common, y: { field: 'writeP99', title: 'p99 latency (ms)', scale: 'log' } }),
      missing,
    },
  ];
}
