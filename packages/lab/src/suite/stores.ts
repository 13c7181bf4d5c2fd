/**
 * Key-value scenarios that the course has not, from the tests of older Rafts (docs/lineage.md): the answers of one server that cannot
 * fail, one by one, and clients that fill ranges of their own and read them back.
 */
import type { Cluster } from '../cluster/cluster.ts';
import { ScenarioFailure } from '../cluster/failure.ts';
import { Clerk, NoAnswer } from '../kv/clerk.ts';
import { kvService } from '../kv/kv-server.ts';
import { KvHistory } from '../kv/operations.ts';
import { SingleServer } from '../kv/single-server.ts';
import { serversOf } from './key-value/generic.ts';
import type { LabTest } from './lab-test.ts';

const OPERATIONS = 400;
const KEYS = 8;
/** Operations between two crashes of whoever leads. */
const CRASH_EVERY = 40;

/** The same operations, drawn from the seed, on one server and on a cluster whose leaders crash. */
async function sameAnswers(cluster: Cluster): Promise<void> {
  cluster.network.hasLongDelays = false;
  const clerk = new Clerk(cluster, new KvHistory(() => cluster.scheduler.now), 1, serversOf(cluster));
  const single = new SingleServer(cluster.scheduler);
  const { random } = cluster;
  for (let count = 1; count <= OPERATIONS; count++) {
    if (count % CRASH_EVERY === 0) crashLeader(cluster);
    const key = `k${random.below(KEYS)}`;
    const kind = random.pick(['get', 'get', 'put', 'append', 'append'] as const);
    if (kind === 'get') {
      await compare(count, key, clerk, single);
      continue;
    }
    const value = `${count} `;
    await clerk[kind](key, value);
    await single.ask(key, { kind, value });
  }
  for (let key = 0; key < KEYS; key++) await compare(OPERATIONS, `k${key}`, clerk, single);
  single.end();
}

function crashLeader(cluster: Cluster): void {
  const leader = serversOf(cluster).find((server) => cluster.raft(server)?.getState().isLeader === true);
  if (leader !== undefined) cluster.restart(leader);
}

async function compare(count: number, key: string, clerk: Clerk, single: SingleServer): Promise<void> {
  const found = await clerk.get(key);
  const expected = await single.ask(key, { kind: 'get' });
  if (found === expected) return;
  throw new ScenarioFailure(
    `operation ${count}, get ${key}, answers '${found}'; a single server answers '${expected}' behind the same operations`,
  );
}

const CLIENTS = 5;
/** Puts of each client, and then gets. */
const OPERATIONS_EACH = 10_000;
/** Keys of each client: each is put twenty times, and the last time counts. */
const RANGE = 500;
/** Milliseconds until an operation counts as failed. */
const PATIENCE = 10_000;
/** So many that failed are enough to know. */
const MAX_FAILED = 50;
/** Bytes of saved state at which a snapshot is due: so that the log stays short however much is written. */
const SNAPSHOT_AT = 20_000;
/** Milliseconds: a Raft that gathers for ten of them before it sends needs five minutes. */
const LIMIT = 900_000;

interface Sums {
  failed: number;
  missing: number;
  wrong: number;
}

/** Five clients, a range of keys each: all puts, then all gets. */
async function disjointRanges(cluster: Cluster): Promise<void> {
  cluster.network.hasLongDelays = false;
  const sums: Sums = { failed: 0, missing: 0, wrong: 0 };
  const clients = Array.from({ length: CLIENTS }, (_, client) => client);
  const began = cluster.scheduler.now;
  await Promise.all(clients.map((client) => fill(cluster, client, sums)));
  const filled = cluster.scheduler.now;
  await Promise.all(clients.map((client) => readBack(cluster, client, sums)));
  const seconds = (from: number, to: number): string => ((to - from) / 1000).toFixed(1);
  const total = CLIENTS * OPERATIONS_EACH;
  const line =
    `${total} puts in ${seconds(began, filled)} s, ${total} gets in ${seconds(filled, cluster.scheduler.now)} s: ` +
    `${sums.failed} failed, ${sums.missing} missing, ${sums.wrong} wrong`;
  if (sums.failed >= MAX_FAILED) throw new ScenarioFailure(`${line}; the rest was not tried`);
  if (sums.failed + sums.missing + sums.wrong > 0) throw new ScenarioFailure(line);
  cluster.say(line);
}

async function fill(cluster: Cluster, client: number, sums: Sums): Promise<void> {
  const clerk = clerkOf(cluster, client);
  for (let at = 0; at < OPERATIONS_EACH && sums.failed < MAX_FAILED; at++)
    await counted(sums, () => clerk.put(keyOf(client, at), valueOf(client, at)));
}

async function readBack(cluster: Cluster, client: number, sums: Sums): Promise<void> {
  const clerk = clerkOf(cluster, CLIENTS + client);
  for (let at = 0; at < OPERATIONS_EACH && sums.failed < MAX_FAILED; at++) {
    const found = await counted(sums, () => clerk.get(keyOf(client, at)));
    if (found === '') sums.missing += 1;
    else if (found !== null && found !== valueOf(client, lastPut(at))) sums.wrong += 1;
  }
}

function clerkOf(cluster: Cluster, client: number): Clerk {
  return new Clerk(cluster, null, client, serversOf(cluster), PATIENCE);
}

/** Null, and one more that failed, if there was no answer in time. */
async function counted<Answer>(sums: Sums, ask: () => Promise<Answer>): Promise<Answer | null> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    sums.failed += 1;
    return null;
  }
}

function keyOf(client: number, at: number): string {
  return `${client}/${at % RANGE}`;
}

/** Of those to the key of this one. */
function lastPut(at: number): number {
  return OPERATIONS_EACH - RANGE + (at % RANGE);
}

function valueOf(client: number, at: number): string {
  return `${client * OPERATIONS_EACH + at}`;
}

const part = { part: 'beyond', servers: 5 } as const;

export const stores: readonly LabTest[] = [
  {
    ...part,
    name: 'SameAnswers',
    title: 'the answers of a single server, one by one',
    isUnreliable: true,
    hasSnapshots: false,
    makeService: kvService(-1),
    run: sameAnswers,
  },
  {
    ...part,
    name: 'DisjointRanges',
    title: 'five clients, 10,000 puts and 10,000 gets each',
    isUnreliable: false,
    hasSnapshots: true,
    makeService: kvService(SNAPSHOT_AT),
    maxRaftState: SNAPSHOT_AT,
    limit: LIMIT,
    run: disjointRanges,
  },
];
