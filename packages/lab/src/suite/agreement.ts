/** Part 4B, first half: the log is replicated (§5.3). */
import { checkOneLeader, checkUncommitted, one, waitCommitted } from '../cluster/checks.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { ScenarioFailure } from '../cluster/failure.ts';
import { electionTimeout } from './election.ts';
import type { LabTest } from './lab-test.ts';

const part = { part: '4B', isUnreliable: false, hasSnapshots: false } as const;

const RETRIES = 5;
const RETRY_PAUSE = 3_000;
const MANY = 50;

/** What no other command is likely to be. */
export function randomCommand(cluster: Cluster): number {
  return cluster.random.below(2 ** 31);
}

/** `server` counted on from another, around the cluster. */
export function beside(cluster: Cluster, server: number, by: number): number {
  return (server + by) % cluster.servers;
}

async function basicAgree(cluster: Cluster): Promise<void> {
  for (let index = 1; index <= 3; index++) {
    checkUncommitted(cluster, index, 'nothing was started yet');
    const at = await one(cluster, index * 100, cluster.servers, false);
    if (at !== index) throw new ScenarioFailure(`the command stands at index ${at}; expected ${index}`);
  }
}

async function rpcBytes(cluster: Cluster): Promise<void> {
  await one(cluster, 99, cluster.servers, false);
  const before = cluster.network.counts.bytes;
  let sent = 0;
  for (let index = 2; index < 12; index++) {
    const command = randomText(cluster, 5_000);
    const at = await one(cluster, command, cluster.servers, false);
    if (at !== index) throw new ScenarioFailure(`the command stands at index ${at}; expected ${index}`);
    sent += command.length;
  }
  const used = cluster.network.counts.bytes - before;
  const limit = cluster.servers * sent + 50_000;
  if (used > limit) throw new ScenarioFailure(`too many bytes: ${used}; at most ${limit}. Is every entry sent once?`);
}

function randomText(cluster: Cluster, length: number): string {
  return Array.from({ length }, () => String.fromCodePoint(97 + cluster.random.below(26))).join('');
}

async function followerFailure(cluster: Cluster): Promise<void> {
  await one(cluster, 101, cluster.servers, false);
  const first = await checkOneLeader(cluster);
  cluster.disconnect(beside(cluster, first, 1));
  await one(cluster, 102, cluster.servers - 1, false);
  await cluster.sleep(electionTimeout);
  await one(cluster, 103, cluster.servers - 1, false);
  const leader = await checkOneLeader(cluster);
  cluster.disconnect(beside(cluster, leader, 1));
  cluster.disconnect(beside(cluster, leader, 2));
  startAt(cluster, leader, 104, [4]);
  await cluster.sleep(2 * electionTimeout);
  checkUncommitted(cluster, 4, 'there is no majority');
}

/** The leader must take the command, at one of these indexes. */
function startAt(cluster: Cluster, leader: number, command: number, indexes: readonly number[]): void {
  const result = cluster.raft(leader)?.start(command);
  if (result?.isLeader !== true) throw new ScenarioFailure(`server ${leader} leads, but refused start(${command})`);
  if (!indexes.includes(result.index)) {
    throw new ScenarioFailure(`start(${command}) gave index ${result.index}; expected ${indexes.join(' or ')}`);
  }
}

async function leaderFailure(cluster: Cluster): Promise<void> {
  await one(cluster, 101, cluster.servers, false);
  cluster.disconnect(await checkOneLeader(cluster));
  await one(cluster, 102, cluster.servers - 1, false);
  await cluster.sleep(electionTimeout);
  await one(cluster, 103, cluster.servers - 1, false);
  cluster.disconnect(await checkOneLeader(cluster));
  for (let server = 0; server < cluster.servers; server++) cluster.raft(server)?.start(104);
  await cluster.sleep(2 * electionTimeout);
  checkUncommitted(cluster, 4, 'there is no majority');
}

async function failAgree(cluster: Cluster): Promise<void> {
  await one(cluster, 101, cluster.servers, false);
  const follower = beside(cluster, await checkOneLeader(cluster), 1);
  cluster.disconnect(follower);
  await one(cluster, 102, cluster.servers - 1, false);
  await one(cluster, 103, cluster.servers - 1, false);
  await cluster.sleep(electionTimeout);
  await one(cluster, 104, cluster.servers - 1, false);
  await one(cluster, 105, cluster.servers - 1, false);
  cluster.connect(follower);
  await one(cluster, 106, cluster.servers, true);
  await cluster.sleep(electionTimeout);
  await one(cluster, 107, cluster.servers, true);
}

async function failNoAgree(cluster: Cluster): Promise<void> {
  await one(cluster, 10, cluster.servers, false);
  const leader = await checkOneLeader(cluster);
  const gone = [1, 2, 3].map((by) => beside(cluster, leader, by));
  for (const server of gone) cluster.disconnect(server);
  startAt(cluster, leader, 20, [2]);
  await cluster.sleep(2 * electionTimeout);
  checkUncommitted(cluster, 2, 'there is no majority');
  for (const server of gone) cluster.connect(server);
  // Whoever leads now may have kept the entry at 2, or have thrown it away.
  startAt(cluster, await checkOneLeader(cluster), 30, [2, 3]);
  await one(cluster, 1000, cluster.servers, true);
}

async function concurrentStarts(cluster: Cluster): Promise<void> {
  for (let attempt = 0; attempt < RETRIES; attempt++) {
    if (attempt > 0) await cluster.sleep(RETRY_PAUSE);
    const leader = await checkOneLeader(cluster);
    const first = cluster.raft(leader)?.start(1);
    if (first?.isLeader !== true) continue;
    const commands = [100, 101, 102, 103, 104];
    const started = commands.map((command) => cluster.raft(leader)?.start(command));
    const indexes = started.flatMap((it) => (it?.isLeader === true && it.term === first.term ? [it.index] : []));
    if (!allInTerm(cluster, first.term)) continue;
    const committed = await waitForAll(cluster, indexes, first.term);
    if (committed === null) continue;
    const missing = commands.find((command) => !committed.includes(command));
    if (missing === undefined) return;
    throw new ScenarioFailure(`command ${missing} is missing among ${JSON.stringify(committed)}`);
  }
  throw new ScenarioFailure('the term changed too often');
}

function allInTerm(cluster: Cluster, term: number): boolean {
  return Array.from({ length: cluster.servers }, (_, server) => cluster.raft(server)?.getState().term).every(
    (each) => each === term,
  );
}

/** What was applied at these indexes by everyone; null if the term has passed. */
async function waitForAll(cluster: Cluster, indexes: readonly number[], term: number): Promise<unknown[] | null> {
  const committed: unknown[] = [];
  for (const index of indexes) {
    const command = await waitCommitted(cluster, index, cluster.servers, term);
    if (command === undefined) return null;
    committed.push(command);
  }
  return committed;
}

async function rejoin(cluster: Cluster): Promise<void> {
  await one(cluster, 101, cluster.servers, true);
  const first = await checkOneLeader(cluster);
  cluster.disconnect(first);
  for (const command of [102, 103, 104]) cluster.raft(first)?.start(command);
  await one(cluster, 103, 2, true);
  const second = await checkOneLeader(cluster);
  cluster.disconnect(second);
  cluster.connect(first);
  await one(cluster, 104, 2, true);
  cluster.connect(second);
  await one(cluster, 105, cluster.servers, true);
}

async function backup(cluster: Cluster): Promise<void> {
  const all = cluster.servers;
  await one(cluster, randomCommand(cluster), all, true);
  const first = await checkOneLeader(cluster);
  const others = [2, 3, 4].map((by) => beside(cluster, first, by));
  for (const server of others) cluster.disconnect(server);
  startMany(cluster, first);
  await cluster.sleep(electionTimeout / 2);
  cluster.disconnect(first);
  cluster.disconnect(beside(cluster, first, 1));
  for (const server of others) cluster.connect(server);
  await agreeOnMany(cluster);
  const second = await checkOneLeader(cluster);
  const other = second === beside(cluster, first, 2) ? beside(cluster, second, 1) : beside(cluster, first, 2);
  cluster.disconnect(other);
  startMany(cluster, second);
  await cluster.sleep(electionTimeout / 2);
  for (let server = 0; server < all; server++) cluster.disconnect(server);
  for (const server of [first, beside(cluster, first, 1), other]) cluster.connect(server);
  await agreeOnMany(cluster);
  for (let server = 0; server < all; server++) cluster.connect(server);
  await one(cluster, randomCommand(cluster), all, true);
}

/** Commands that cannot be committed. */
function startMany(cluster: Cluster, leader: number): void {
  for (let count = 0; count < MANY; count++) cluster.raft(leader)?.start(randomCommand(cluster));
}

async function agreeOnMany(cluster: Cluster): Promise<void> {
  for (let count = 0; count < MANY; count++) await one(cluster, randomCommand(cluster), 3, true);
}

async function count(cluster: Cluster): Promise<void> {
  await checkOneLeader(cluster);
  const forElection = incoming(cluster);
  if (forElection < 1 || forElection > 30) {
    throw new ScenarioFailure(`${forElection} RPCs were used to elect the first leader; expected 1 to 30`);
  }
  await agreeWithFewCalls(cluster);
  const before = incoming(cluster);
  await cluster.sleep(electionTimeout);
  const idle = incoming(cluster) - before;
  if (idle > 3 * 20) throw new ScenarioFailure(`${idle} RPCs in a second without anything to do; at most 60`);
}

async function agreeWithFewCalls(cluster: Cluster): Promise<void> {
  const started = 10;
  for (let attempt = 0; attempt < RETRIES; attempt++) {
    if (attempt > 0) await cluster.sleep(RETRY_PAUSE);
    const leader = await checkOneLeader(cluster);
    const before = incoming(cluster);
    const first = cluster.raft(leader)?.start(1);
    if (first?.isLeader !== true) continue;
    const commands = Array.from({ length: started + 1 }, () => randomCommand(cluster));
    const results = commands.map((command) => cluster.raft(leader)?.start(command));
    if (results.some((it) => it?.isLeader !== true || it.term !== first.term)) continue;
    const wrong = results.findIndex((it, at) => it?.index !== first.index + 1 + at);
    if (wrong !== -1)
      throw new ScenarioFailure(`start() gave index ${results[wrong]?.index}; expected ${first.index + 1 + wrong}`);
    const indexes = commands.slice(0, started).map((_, at) => first.index + 1 + at);
    const committed = await waitForAll(cluster, indexes, first.term);
    if (committed === null || !allInTerm(cluster, first.term)) continue;
    const differs = committed.findIndex((command, at) => command !== commands[at]);
    if (differs !== -1)
      throw new ScenarioFailure(
        `${JSON.stringify(committed[differs])} stands at index ${indexes[differs]}; expected ${commands[differs]}`,
      );
    const used = incoming(cluster) - before;
    const limit = (started + 1 + 3) * 3;
    if (used > limit) throw new ScenarioFailure(`${used} RPCs for ${started + 2} entries; at most ${limit}`);
    return;
  }
  throw new ScenarioFailure('the term changed too often');
}

/** Calls that have reached servers. */
function incoming(cluster: Cluster): number {
  let sum = 0;
  for (let server = 0; server < cluster.servers; server++) sum += cluster.network.counts.incoming(String(server));
  return sum;
}

export const agreement: readonly LabTest[] = [
  { ...part, name: 'BasicAgree', title: 'basic agreement', servers: 3, run: basicAgree },
  { ...part, name: 'RPCBytes', title: 'RPC byte count', servers: 3, run: rpcBytes },
  {
    ...part,
    name: 'FollowerFailure',
    title: 'test progressive failure of followers',
    servers: 3,
    run: followerFailure,
  },
  { ...part, name: 'LeaderFailure', title: 'test failure of leaders', servers: 3, run: leaderFailure },
  { ...part, name: 'FailAgree', title: 'agreement after follower reconnects', servers: 3, run: failAgree },
  {
    ...part,
    name: 'FailNoAgree',
    title: 'no agreement if too many followers disconnect',
    servers: 5,
    run: failNoAgree,
  },
  { ...part, name: 'ConcurrentStarts', title: 'concurrent Start()s', servers: 3, run: concurrentStarts },
  { ...part, name: 'RejoinLeader', title: 'rejoin of partitioned leader', servers: 3, run: rejoin },
  { ...part, name: 'Backup', title: 'leader backs up quickly over incorrect follower logs', servers: 5, run: backup },
  { ...part, name: 'Count', title: "RPC counts aren't too high", servers: 3, run: count },
];
