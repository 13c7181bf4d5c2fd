/**
 * What most key-value scenarios are made of: clients that write and read for a while, three times over, while the network parts and heals;
 * then everything may stop and start. In the end every answer must fit into one order.
 */
import type { Cluster } from '../../cluster/cluster.ts';
import { ScenarioFailure } from '../../cluster/failure.ts';
import { Clerk } from '../../kv/clerk.ts';
import { judge } from '../../kv/linearizable.ts';
import { KvHistory } from '../../kv/operations.ts';
import { violationFailure } from '../../kv/violation-page.ts';

/** Milliseconds. */
const WORK = 5_000;
const UNTIL_PARTITION = 1_000;
const PARTITION_MIN = 1_000;
const PARTITION_SPREAD = 200;
const PAUSE = 1_000;
/** In virtual time: hops that a client is busy with each operation of its own, times clients, as if all shared one processor. */
const CLIENT_HOPS = 20;
const ITERATIONS = 3;
/** Of the size at which a snapshot is due. */
const STATE_FACTOR = 8;

export interface Workload {
  readonly clients: number;
  readonly hasCrash: boolean;
  readonly hasPartitions: boolean;
  /** Any client writes any key; otherwise each has its own and knows what it must hold. */
  readonly hasRandomKeys: boolean;
  /** Bytes; -1 for no snapshots. */
  readonly maxRaftState: number;
}

interface Stop {
  isTime: boolean;
}

export async function generic(cluster: Cluster, work: Workload): Promise<void> {
  cluster.network.hasLongDelays = false;
  const history = new KvHistory(() => cluster.scheduler.now);
  const all = serversOf(cluster);
  const reader = new Clerk(cluster, history, work.clients, all);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    cluster.journal.step(`iteration ${iteration + 1} of ${ITERATIONS}: ${work.clients} clients begin`);
    const stop = { isTime: false };
    const clerks = Array.from(
      { length: work.clients },
      (_, client) => new Clerk(cluster, history, (iteration + 1) * 1000 + client, all),
    );
    const clients = Promise.all(clerks.map((clerk, client) => runClient(cluster, clerk, client, work, stop)));
    await Promise.all([clients, disturb(cluster, work, stop)]);
    await checkKeys(reader, await clients, work);
    checkSizes(cluster, work.maxRaftState);
  }
  checkHistory(cluster, history);
}

/** Lets the clients work, disturbed as the scenario will have it, and ends them. */
async function disturb(cluster: Cluster, { hasCrash, hasPartitions }: Workload, stop: Stop): Promise<void> {
  const parting = hasPartitions ? partitionNowAndThen(cluster, stop) : null;
  await cluster.sleep(WORK);
  stop.isTime = true;
  if (parting !== null) {
    await parting;
    cluster.journal.step('the network heals');
    cluster.partition([serversOf(cluster)]);
    await cluster.sleep(PAUSE);
  }
  if (hasCrash) await restartAll(cluster);
}

async function partitionNowAndThen(cluster: Cluster, stop: Stop): Promise<void> {
  await cluster.sleep(UNTIL_PARTITION);
  while (!stop.isTime) {
    const sides: [number[], number[]] = [[], []];
    for (const server of serversOf(cluster)) sides[cluster.random.below(2) === 0 ? 0 : 1].push(server);
    cluster.partition(sides);
    await cluster.sleep(PARTITION_MIN + cluster.random.below(PARTITION_SPREAD));
  }
}

async function restartAll(cluster: Cluster): Promise<void> {
  cluster.journal.step('all servers crash, and start again after a second');
  for (const server of serversOf(cluster)) cluster.crash(server);
  await cluster.sleep(PAUSE);
  for (const server of serversOf(cluster)) cluster.start(server);
  for (const server of serversOf(cluster)) cluster.connect(server);
}

/** What the client's own key must hold in the end. */
async function runClient(
  cluster: Cluster,
  clerk: Clerk,
  client: number,
  { clients, hasRandomKeys }: Workload,
  stop: Stop,
): Promise<string> {
  const { random } = cluster;
  let expected = '';
  if (!hasRandomKeys) await clerk.put(String(client), '');
  for (let count = 0; !stop.isTime; count++) {
    const key = String(hasRandomKeys ? random.below(clients) : client);
    const value = `x ${client} ${count} y`;
    if (random.chance(500)) {
      await clerk.append(key, value);
      expected += value;
    } else if (hasRandomKeys && random.chance(100)) {
      await clerk.put(key, value);
    } else {
      const found = await clerk.get(key);
      if (!hasRandomKeys) checkValue(key, found, expected);
    }
    // In real time a client takes what it takes.
    if (cluster.hop > 0) await cluster.sleep(CLIENT_HOPS * cluster.hop * clients);
  }
  return expected;
}

async function checkKeys(reader: Clerk, expected: readonly string[], { hasRandomKeys }: Workload): Promise<void> {
  for (const [client, value] of expected.entries()) {
    const found = await reader.get(String(client));
    if (!hasRandomKeys) checkValue(String(client), found, value);
  }
}

/** Every append once, in the client's order. @throws ScenarioFailure that says what is lost, doubled or misplaced. */
export function checkValue(key: string, found: string, expected: string): void {
  if (found === expected) return;
  const appends = expected.match(/x \d+ \d+ y/g) ?? [];
  let from = 0;
  for (const each of appends) {
    const at = found.indexOf(each);
    if (at < 0)
      throw new ScenarioFailure(`key ${key} has lost the append '${each}', which its client was told is done`);
    if (found.indexOf(each, at + 1) >= 0) throw new ScenarioFailure(`key ${key} has the append '${each}' twice`);
    if (at < from) throw new ScenarioFailure(`key ${key} has the append '${each}' before one that was done earlier`);
    from = at;
  }
  throw new ScenarioFailure(
    `key ${key} holds more than its one client has put there: ${found.length} characters instead of ${expected.length}`,
  );
}

export function checkSizes(cluster: Cluster, maxRaftState: number): void {
  if (maxRaftState < 0) {
    if (cluster.snapshotSize() > 0) throw new ScenarioFailure('a snapshot was saved, and nobody took one');
    return;
  }
  const limit = STATE_FACTOR * maxRaftState;
  const size = cluster.logSize();
  if (size <= limit) return;
  throw new ScenarioFailure(
    `a server's saved state takes ${size} bytes and must not exceed ${limit}: it keeps entries that its snapshot stands for`,
  );
}

/** @throws ScenarioFailure unless one order explains all answers. */
export function checkHistory(cluster: Cluster, history: KvHistory): void {
  cluster.journal.step('expects that one order explains all answers');
  const { violation, unknown } = judge(history.all());
  if (violation !== null) throw violationFailure(violation);
  if (unknown.length > 0)
    cluster.journal.step(`keys ${unknown.join(', ')}: the search was given up, as the course does`);
}

export function serversOf(cluster: Cluster): readonly number[] {
  return Array.from({ length: cluster.servers }, (_, server) => server);
}
