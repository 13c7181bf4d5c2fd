/** Slow servers: which of them hurt, and what saves the others. */
import { type Client, ClientError, type MembershipWish } from '@quorate/client';
import type { Cell, CellResult, Experiment, Row, Scale } from '../experiment.ts';
import { type Cluster, SETTLE_TIMEOUT_MS } from '../harness/cluster.ts';
import type { Harness } from '../harness/harness.ts';
import type { Server } from '../places/place.ts';
import type { Figure } from '../plots/figure.ts';
import { distinct, lacking, observations } from '../plots/observations.ts';
import { spread } from '../plots/spread.ts';
import { loadRow, loadSeconds, planFor, ready } from './load-cells.ts';

type Part = 'disk' | 'network';

interface Settings {
  readonly part: Part;
  readonly slowMs: number;
}

const SERVERS = 5;
const CLIENTS = 16;
/** In this order: at the end two servers are no members any more. */
const WHO = [
  'nobody',
  'one follower',
  'two followers',
  'leader',
  'leader, handed over',
  'a majority',
  'a majority, two removed',
] as const;
type Who = (typeof WHO)[number];
const BUDGETS = { full: { repeats: 4, seconds: 3 }, quick: { repeats: 1, seconds: 1 } } as const;
/** Throughput that stands for none where the axis is logarithmic. */
const NONE_PER_SECOND = 0.1;
/** Writes that follow one another until servers are out of the membership, and until everybody follows one leader again: for the estimate. */
const SLOW_STEPS_OF_A_REMOVAL = 10;
const CHANGE_LIMIT_MS = 300_000;
/** What a client is told where no leader is to be found. */
const NOBODY_SERVES: ReadonlySet<string> = new Set(['Unavailable', 'DeadlineExceeded']);
/** From the moment at which servers become slow until the measurement begins: what happens by itself meanwhile has happened. */
const SETTLE_SECONDS = { full: 5, quick: 1 } as const;

export const stragglers: Experiment = {
  name: 'stragglers',
  title: 'Stragglers: slow followers, a slow leader, a slow majority',
  question: 'Whose slowness do clients feel?',
  method:
    'Five servers, 16 clients that write in a closed loop. Some servers are slowed through their own fault injection: every disk operation begins late, or every message ' +
    'to another server leaves late, by the same time. A majority decides, so up to two slow followers should cost nothing; a slow leader is in every write. ' +
    '"Handed over": quorate move-leader to a fast server after it became slow. "Two removed": of three slow servers two are taken out of the membership, so that the fast ones are a majority ' +
    'of those that are left, if anybody leads who could do it. Five seconds are longer than any election timeout: a leader whose disk stands still for so long hands over by itself, one that is silent for so long is replaced. The measurement begins some seconds after the servers became slow, so that what the ' +
    'cluster does by itself has happened; whether the leader changed by itself is in the data.',
  measures: [...WHO].flatMap((who) => [
    { column: 'throughput', label: `writes a second, slow: ${who}`, unit: '1/s', where: { who } },
    { column: 'writeP99', label: `p99 latency, slow: ${who}`, unit: 'ms', where: { who } },
  ]),
  cells: (scale) => settingsOf(scale).map((settings) => cellOf(settings, scale)),
  figures,
};

function settingsOf(scale: Scale): readonly Settings[] {
  const times = scale === 'full' ? [10, 50, 200, 5_000] : [20];
  return (['disk', 'network'] as const).flatMap((part) => times.map((slowMs) => ({ part, slowMs })));
}

function cellOf(settings: Settings, scale: Scale): Cell {
  const { repeats, seconds } = BUDGETS[scale];
  // Each run waits for the slow answers that are under way at its end, each change of members for many of them.
  const late = (WHO.length * repeats + SLOW_STEPS_OF_A_REMOVAL) * (settings.slowMs / 1000);
  return {
    key: `${settings.part}-${settings.slowMs}ms`,
    settings: { servers: SERVERS, ...settings },
    servers: SERVERS,
    seconds: 5 + WHO.length * (SETTLE_SECONDS[scale] + 1 + repeats * loadSeconds(seconds)) + late,
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
    if (who === 'a majority, two removed') await removeIfPossible(harness, cluster, slow.slice(0, 2));
    await harness.wait(SETTLE_SECONDS[scale] * 1000);
    for (let repeat = 1; repeat <= repeats; repeat++) {
      const pace = { kind: 'closed', clients: CLIENTS } as const;
      const result = await harness.load(planFor(harness, cluster, { pace, seconds }));
      const now = await cluster.leaderNow();
      harness.record({ who, repeat, leaderMoved: now?.server !== leader, ...loadRow(result) });
    }
    await Promise.all(cluster.running.map((server) => cluster.hurt(server, `slow?ms=0`)));
  }
}

function slowServers(who: Who, cluster: Cluster, leader: Server): readonly Server[] {
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
    case 'a majority, two removed':
      return followers.slice(0, 3);
  }
}

async function handOver(cluster: Cluster, leader: Server): Promise<void> {
  const heir = cluster.servers.find((server) => server !== leader);
  if (heir === undefined) throw new Error('Nobody is there to take over.');
  const client = await cluster.client();
  try {
    await client.moveLeader(await idOf(client, heir));
  } catch (error) {
    // One whose disk or network stands still is replaced by itself, perhaps just now.
    if (!(error instanceof ClientError) || (await cluster.leader()) === leader) throw error;
  }
  await client.close();
}

/** Where the slow majority elects nobody, nobody can remove it either: then the cluster is measured as it is, with a word why. */
async function removeIfPossible(harness: Harness, cluster: Cluster, leaving: readonly Server[]): Promise<void> {
  try {
    await remove(cluster, leaving);
  } catch (error) {
    if (!(error instanceof ClientError) || !NOBODY_SERVES.has(error.code)) throw error;
    harness.note(`The slow servers could not be removed from the membership: ${error.message}`);
  }
}

/** Takes servers out of the membership, and waits until that is done: they end by themselves then. */
async function remove(cluster: Cluster, leaving: readonly Server[]): Promise<void> {
  const client = await cluster.client(
    cluster.running.filter((server) => !leaving.includes(server)),
    SETTLE_TIMEOUT_MS,
  );
  const wishes: MembershipWish[] = [];
  for (const server of leaving) wishes.push({ op: 'remove', id: await idOf(client, server) });
  try {
    await client.changeMembership(wishes);
  } catch (error) {
    // Where a majority of the disks stand still the call ends before the change has begun for sure; what came of it shows below.
    if (!(error instanceof ClientError) || error.code !== 'OutcomeUnknown') throw error;
  }
  const isOver = async (): Promise<true | null> => {
    const { members, underWay } = await client.membership();
    return underWay || members.some(({ ID }) => wishes.some((wish) => wish.op === 'remove' && wish.id === ID))
      ? null
      : true;
  };
  await cluster.until('the slow servers to be removed', isOver, CHANGE_LIMIT_MS);
  const areGone = async (): Promise<true | null> => (leaving.some(({ process }) => process.running) ? null : true);
  await cluster.until('the slow servers to leave', areGone, CHANGE_LIMIT_MS);
  await client.close();
}

async function idOf(client: Client, { member }: Server): Promise<bigint> {
  const { members } = await client.memberList();
  const found = members.find(({ name }) => name === member.name);
  if (found === undefined) throw new Error(`${member.name} is no member.`);
  return found.ID;
}

function figures(results: readonly CellResult[]): readonly Figure[] {
  const rows = observations(results).map(
    (row): Row => ({
      ...row,
      slow: `${row['slowMs']} ms`,
      perSecond: Math.max(NONE_PER_SECOND, Number(row['throughput'])),
      outcome: row['throughput'] === 0 ? 'none' : 'served',
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
      caption: `Each point is one run; the bar is the median. A triangle at ${NONE_PER_SECOND}: nothing was answered. Logarithmic.`,
      spec: spread({
        ...common,
        y: { field: 'perSecond', title: 'writes (1/s)', scale: 'log' },
        censored: 'outcome',
      }),
      missing,
    },
    {
      id: 'latency',
      title: '99th percentile of the latency of writes while some servers are slow',
      caption: 'Each point is one run in which something was answered; the bar is the median. Logarithmic.',
      spec: spread({
        ...common,
        rows: rows.filter((row) => row['writeP99'] !== null),
        y: { field: 'writeP99', title: 'p99 latency (ms)', scale: 'log' },
      }),
      missing,
    },
  ];
}
