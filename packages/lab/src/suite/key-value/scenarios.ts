/** Key-value scenarios with a course of their own. */
import type { Cluster } from '../../cluster/cluster.ts';
import { ScenarioFailure } from '../../cluster/failure.ts';
import { Clerk } from '../../kv/clerk.ts';
import { KvHistory } from '../../kv/operations.ts';
import { checkHistory, checkSizes, checkValue, serversOf } from './generic.ts';

/** Milliseconds. */
const SECOND = 1_000;
const HEAL_LIMIT = 3_000;
const LEADER_POLL = 50;
const LEADER_LIMIT = 5_000;

const SPEED_OPERATIONS = 1_000;
/** Three operations in each heartbeat of 100 ms. */
const SPEED_LIMIT = 100 / 3;

const ONE_KEY_CLIENTS = 5;
const ONE_KEY_APPENDS = 10;

export const SNAPSHOT_AT = 1_000;
const SNAPSHOT_LIMIT = 500;

function quiet(cluster: Cluster): KvHistory {
  cluster.network.hasLongDelays = false;
  return new KvHistory(() => cluster.scheduler.now);
}

/** A leader may not sit on operations until its next heartbeat. */
export async function speed(cluster: Cluster, maxRaftState: number): Promise<void> {
  const history = quiet(cluster);
  const clerk = new Clerk(cluster, history, 0, serversOf(cluster));
  // Waits for the first leader.
  await clerk.get('x');
  const began = cluster.scheduler.now;
  let expected = '';
  for (let count = 0; count < SPEED_OPERATIONS; count++) {
    const value = `x 0 ${count} y`;
    await clerk.append('x', value);
    expected += value;
  }
  const each = (cluster.scheduler.now - began) / SPEED_OPERATIONS;
  checkValue('x', await clerk.get('x'), expected);
  if (each > SPEED_LIMIT) {
    throw new ScenarioFailure(
      `an operation takes ${each.toFixed(1)} ms, at most ${SPEED_LIMIT.toFixed(1)} are allowed: send entries when they are started, not with the next heartbeat`,
    );
  }
  checkSizes(cluster, maxRaftState);
}

export async function sameKey(cluster: Cluster): Promise<void> {
  const history = quiet(cluster);
  const reader = new Clerk(cluster, history, ONE_KEY_CLIENTS, serversOf(cluster));
  await reader.put('k', '');
  const clients = Array.from({ length: ONE_KEY_CLIENTS }, async (_, client) => {
    const clerk = new Clerk(cluster, history, client, serversOf(cluster));
    for (let count = 0; count < ONE_KEY_APPENDS; count++) await clerk.append('k', `x ${client} ${count} y`);
  });
  await Promise.all(clients);
  const found = await reader.get('k');
  const appends = found.match(/x \d+ \d+ y/g) ?? [];
  for (let client = 0; client < ONE_KEY_CLIENTS; client++) {
    const expected = Array.from({ length: ONE_KEY_APPENDS }, (_, count) => `x ${client} ${count} y`).join('');
    checkValue('k', appends.filter((each) => each.startsWith(`x ${client} `)).join(''), expected);
  }
}

/** A majority goes on without the leader, a minority with it does not, and what waits there is done when the network heals. */
export async function onePartition(cluster: Cluster): Promise<void> {
  const history = quiet(cluster);
  await new Clerk(cluster, history, 0, serversOf(cluster)).put('1', '13');
  const [majority, minority] = await sidesWithLeaderInMinority(cluster);
  cluster.partition([majority, minority]);
  cluster.journal.step('progress in the majority');
  const ahead = new Clerk(cluster, history, 1, majority);
  await ahead.put('1', '14');
  expectValue(await ahead.get('1'), '14');

  cluster.journal.step('no progress in the minority');
  const waiting = { put: false, get: false };
  const behind = [new Clerk(cluster, history, 2, minority), new Clerk(cluster, history, 3, minority)] as const;
  const put = behind[0].put('1', '15').then(() => {
    waiting.put = true;
  });
  const get = behind[1].get('1').then(() => {
    waiting.get = true;
  });
  await cluster.sleep(SECOND);
  if (waiting.put) throw new ScenarioFailure('a put was done by a minority, cut off from the others');
  if (waiting.get)
    throw new ScenarioFailure('a get was answered by a minority, cut off from the others: it may be stale');
  expectValue(await ahead.get('1'), '14');
  await ahead.put('1', '16');
  expectValue(await ahead.get('1'), '16');

  cluster.journal.step('completion after the network heals');
  cluster.partition([serversOf(cluster)]);
  for (const clerk of behind) clerk.reach(serversOf(cluster));
  await within(cluster, Promise.all([put, get]), HEAL_LIMIT, 'what waited in the minority was not done');
  expectValue(await ahead.get('1'), '15');
  checkHistory(cluster, history);
}

/** The leader and one more on one side: the smaller one. */
async function sidesWithLeaderInMinority(cluster: Cluster): Promise<readonly [readonly number[], readonly number[]]> {
  const until = cluster.scheduler.now + LEADER_LIMIT;
  for (;;) {
    const leader = serversOf(cluster).find((server) => cluster.raft(server)?.getState().isLeader === true);
    if (leader !== undefined) {
      const others = serversOf(cluster).filter((server) => server !== leader);
      const size = Math.floor(cluster.servers / 2) - 1;
      return [others.slice(size), [leader, ...others.slice(0, size)]];
    }
    if (cluster.scheduler.now > until) throw new ScenarioFailure('expected one leader within five seconds, got none');
    await cluster.sleep(LEADER_POLL);
  }
}

async function within(cluster: Cluster, work: Promise<unknown>, limit: number, otherwise: string): Promise<void> {
  const late = cluster.sleep(limit).then(() => 'late');
  if ((await Promise.race([work, late])) !== 'late') return;
  throw new ScenarioFailure(`${otherwise} within ${limit / 1000} seconds after the network healed`);
}

/** A server that was away while the log was compacted must be brought up by a snapshot. */
export async function snapshotRpc(cluster: Cluster): Promise<void> {
  const history = quiet(cluster);
  const clerk = (client: number, servers: readonly number[]): Clerk => new Clerk(cluster, history, client, servers);
  await clerk(0, [0, 1, 2]).put('a', 'A');
  cluster.journal.step('server 2 is cut off, and misses fifty puts');
  cluster.partition([[0, 1], [2]]);
  const first = clerk(1, [0, 1]);
  for (let count = 0; count < 50; count++) await first.put(String(count), String(count));
  await cluster.sleep(SECOND);
  await first.put('b', 'B');
  checkSizes(cluster, SNAPSHOT_AT);

  cluster.journal.step('server 1 is cut off: server 2 must have caught up for anything to be done');
  cluster.partition([[0, 2], [1]]);
  const second = clerk(2, [0, 2]);
  await second.put('c', 'C');
  await second.put('d', 'D');
  for (const [key, value] of [
    ['a', 'A'],
    ['b', 'B'],
    ['1', '1'],
    ['49', '49'],
  ] as const) {
    expectValue(await second.get(key), value);
  }

  cluster.journal.step('the network heals');
  cluster.partition([[0, 1, 2]]);
  const third = clerk(3, [0, 1, 2]);
  await third.put('e', 'E');
  for (const [key, value] of [
    ['c', 'C'],
    ['e', 'E'],
    ['1', '1'],
  ] as const)
    expectValue(await third.get(key), value);
  checkHistory(cluster, history);
}

/** Snapshots hold what the keys hold, not how they came to. */
export async function snapshotSize(cluster: Cluster): Promise<void> {
  const history = quiet(cluster);
  const clerk = new Clerk(cluster, history, 0, serversOf(cluster));
  for (let round = 0; round < 200; round++) {
    for (const value of ['0', '1']) {
      await clerk.put('x', value);
      expectValue(await clerk.get('x'), value);
    }
  }
  checkSizes(cluster, SNAPSHOT_AT);
  const size = cluster.snapshotSize();
  if (size > SNAPSHOT_LIMIT) {
    throw new ScenarioFailure(`a snapshot of one key takes ${size} bytes, at most ${SNAPSHOT_LIMIT} are allowed`);
  }
}

function expectValue(found: string, expected: string): void {
  if (found !== expected) throw new ScenarioFailure(`expected the value '${expected}', got '${found}'`);
}
