/**
 * Scenarios that the course has not, from the tests of older Rafts (docs/lineage.md): everything on a majority all the time, failures up
 * to the limit and beyond it, stragglers, and a leader that is stopped and goes on later.
 */
import { checkOneLeader, one } from '../cluster/checks.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { ScenarioFailure } from '../cluster/failure.ts';
import { beside, randomCommand } from './agreement.ts';
import { electionTimeout } from './election.ts';
import type { LabTest } from './lab-test.ts';

const part = { part: 'beyond', servers: 5, isUnreliable: false, hasSnapshots: false } as const;

/** Milliseconds that a straggler takes longer for whatever it is told or says. */
const SLOW = 150;
/** Milliseconds in which everything must have come to all servers that can be reached. */
const WINDOW = 2_000;

/** Commands behind each other, with a look at the logs now and then: what was agreed on is on a majority, and soon on all. */
async function everythingOnMajority(cluster: Cluster): Promise<void> {
  for (let round = 0; round < 10; round++) {
    let last = 0;
    for (let count = 0; count < 10; count++) last = await one(cluster, randomCommand(cluster), majority(cluster), true);
    checkAll(cluster, last, majority(cluster), 'at a regular interval');
    await cluster.sleep(electionTimeout / 10);
  }
  await expectEverywhere(cluster, cluster.services.highest, cluster.servers);
}

export function majority({ servers }: Cluster): number {
  return Math.floor(servers / 2) + 1;
}

/** Every index up to `last` is applied by so many servers. */
function checkAll(cluster: Cluster, last: number, servers: number, when: string): void {
  for (let index = 1; index <= last; index++) {
    const found = cluster.services.committed(index).servers;
    if (found < servers)
      throw new ScenarioFailure(`${when}, index ${index} is on ${found} servers; expected ${servers}`);
  }
}

export async function expectEverywhere(cluster: Cluster, last: number, servers: number): Promise<void> {
  cluster.journal.step(`expects everything up to ${last} on ${servers} servers within ${WINDOW / 1000} seconds`);
  await cluster.sleep(WINDOW);
  checkAll(cluster, last, servers, `${WINDOW / 1000} seconds after the last command`);
}

/** Up to two of five may fail, whoever they are; with three down nothing may be agreed on, and with one back everything must be. */
async function failuresToTheLimit(cluster: Cluster): Promise<void> {
  await agreeOn(cluster, 10, 5);
  const followers = allBeside(cluster, await checkOneLeader(cluster), [1, 2]);
  await withCrashed(cluster, followers);
  await withCrashed(cluster, [await checkOneLeader(cluster)]);
  const leader = await checkOneLeader(cluster);
  await withCrashed(cluster, [leader, ...allBeside(cluster, leader, [3])]);
  await beyondTheLimit(cluster);
  await expectEverywhere(cluster, cluster.services.highest, cluster.servers);
}

function allBeside(cluster: Cluster, server: number, by: readonly number[]): number[] {
  return by.map((each) => beside(cluster, server, each));
}

export async function agreeOn(cluster: Cluster, commands: number, servers: number): Promise<void> {
  for (let count = 0; count < commands; count++) await one(cluster, randomCommand(cluster), servers, true);
}

async function withCrashed(cluster: Cluster, servers: readonly number[]): Promise<void> {
  for (const server of servers) cluster.crash(server);
  await agreeOn(cluster, 10, cluster.servers - servers.length);
  for (const server of servers) cluster.restart(server);
  await agreeOn(cluster, 1, cluster.servers);
}

async function beyondTheLimit(cluster: Cluster): Promise<void> {
  const down = allBeside(cluster, await checkOneLeader(cluster), [0, 1, 2]);
  const before = cluster.services.highest;
  for (const server of down) cluster.crash(server);
  cluster.journal.step('expects that nothing is agreed on with three of five down');
  for (let attempt = 0; attempt < 10; attempt++) {
    for (let server = 0; server < cluster.servers; server++) cluster.raft(server)?.start(randomCommand(cluster));
    await cluster.sleep(electionTimeout / 5);
  }
  if (cluster.services.highest > before) {
    throw new ScenarioFailure(`index ${cluster.services.highest} was committed with three of five servers down`);
  }
  const [first, ...others] = down;
  if (first !== undefined) cluster.restart(first);
  await agreeOn(cluster, 10, majority(cluster));
  for (const server of others) cluster.restart(server);
  await agreeOn(cluster, 1, cluster.servers);
}

/** Slow servers hold up nobody as long as a majority is fast; a slow majority holds up everybody, and loses nothing. */
function stragglers(choose: (cluster: Cluster, leader: number) => readonly number[], crashed: number) {
  return async (cluster: Cluster): Promise<void> => {
    await agreeOn(cluster, 1, cluster.servers);
    const leader = await checkOneLeader(cluster);
    for (const server of choose(cluster, leader)) cluster.network.slow(String(server), SLOW);
    for (const server of allBeside(cluster, leader, [1, 2]).slice(0, crashed)) cluster.crash(server);
    await agreeOn(cluster, 20, majority(cluster));
    for (let server = 0; server < cluster.servers; server++) {
      cluster.network.slow(String(server), 0);
      if (!cluster.isRunning(server)) cluster.restart(server);
    }
    await expectEverywhere(cluster, cluster.services.highest, cluster.servers);
  };
}

/** A leader is cut off, others go on without it; when it comes back its log must become theirs. */
async function leaderStopped(cluster: Cluster): Promise<void> {
  await agreeOn(cluster, 5, cluster.servers);
  const leader = await checkOneLeader(cluster);
  cluster.disconnect(leader);
  for (let count = 0; count < 5; count++) cluster.raft(leader)?.start(randomCommand(cluster));
  await agreeOn(cluster, 20, cluster.servers - 1);
  cluster.connect(leader);
  await agreeOn(cluster, 1, cluster.servers);
  await expectEverywhere(cluster, cluster.services.highest, cluster.servers);
}

export const beyond: readonly LabTest[] = [
  { ...part, name: 'OnMajority', title: 'everything on a majority, soon on all', run: everythingOnMajority },
  { ...part, name: 'FailureLimit', title: 'failures up to the limit, and beyond it', run: failuresToTheLimit },
  {
    ...part,
    name: 'SlowFollowers',
    title: 'slow followers',
    run: stragglers((cluster, leader) => allBeside(cluster, leader, [1, 2]), 0),
  },
  { ...part, name: 'SlowLeader', title: 'a slow leader', run: stragglers((_, leader) => [leader], 0) },
  {
    ...part,
    name: 'SlowMajority',
    title: 'a slow majority',
    run: stragglers((cluster, leader) => allBeside(cluster, leader, [0, 1, 2]), 0),
  },
  {
    ...part,
    name: 'SlowAndDown',
    title: 'two of five down, and one of the others slow',
    run: stragglers((cluster, leader) => allBeside(cluster, leader, [3]), 2),
  },
  { ...part, name: 'LeaderStopped', title: 'a leader stops, and goes on later', run: leaderStopped },
];
