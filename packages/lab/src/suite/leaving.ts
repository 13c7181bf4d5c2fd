/** The leader leaves the cluster while clients work: the change must cost them no command, and the one who left must count no more (§6). */
import { checkOneLeader, one } from '../cluster/checks.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { NotOffered, ScenarioFailure } from '../cluster/failure.ts';
import { randomCommand } from './agreement.ts';
import { agreeOn, expectEverywhere, majority } from './beyond.ts';
import { electionTimeout } from './election.ts';
import type { LabTest } from './lab-test.ts';

const CLIENTS = 3;
/** Milliseconds. */
const CHANGE_LIMIT = 5_000;
const CHANGE_POLL = 50;
const QUIET = 500;
const ATTEMPTS = 10;

async function leaderLeaves(cluster: Cluster): Promise<void> {
  await agreeOn(cluster, 5, cluster.servers);
  const stop = { isTime: false };
  const clients = Promise.all(Array.from({ length: CLIENTS }, () => work(cluster, stop)));
  const leaving = async (): Promise<number> => {
    await cluster.sleep(electionTimeout);
    const leader = await beginLeaving(cluster);
    await untilItFollows(cluster, leader);
    await successorOf(cluster, leader);
    await cluster.sleep(electionTimeout);
    stop.isTime = true;
    return leader;
  };
  const [left] = await Promise.all([leaving(), clients]);
  await countsNoMore(cluster, left);
}

/** Every command is agreed on, whoever leads: `one` looks for it at its index. */
async function work(cluster: Cluster, stop: { readonly isTime: boolean }): Promise<void> {
  while (!stop.isTime) await one(cluster, randomCommand(cluster), majority(cluster), true);
}

/** Whoever leads is to leave. Returns it. */
async function beginLeaving(cluster: Cluster): Promise<number> {
  const until = cluster.scheduler.now + CHANGE_LIMIT;
  while (cluster.scheduler.now < until) {
    const leader = await checkOneLeader(cluster);
    const raft = cluster.raft(leader);
    if (raft !== null && raft.change === undefined)
      throw new NotOffered('a change of membership: the implementation has no change(members)');
    const others = Array.from({ length: cluster.servers }, (_, server) => server).filter((each) => each !== leader);
    cluster.journal.step(`server ${leader}, which leads, is to leave the cluster`);
    if (raft?.change?.(others) === true) return leader;
  }
  throw new ScenarioFailure(
    `change(members) was refused by each leader for ${CHANGE_LIMIT / 1000} seconds; nothing else changes the membership`,
  );
}

async function untilItFollows(cluster: Cluster, leader: number): Promise<void> {
  cluster.journal.step(`expects that server ${leader} leads no more`);
  const until = cluster.scheduler.now + CHANGE_LIMIT;
  while (cluster.raft(leader)?.getState().isLeader === true) {
    if (cluster.scheduler.now > until) {
      throw new ScenarioFailure(
        `server ${leader} leads ${CHANGE_LIMIT / 1000} seconds after it was to leave the cluster: a leader that is no member ` +
          'steps down when the configuration without it is committed (§6)',
      );
    }
    await cluster.sleep(CHANGE_POLL);
  }
}

async function successorOf(cluster: Cluster, left: number): Promise<void> {
  const leader = await checkOneLeader(cluster);
  if (leader === left) throw new ScenarioFailure(`server ${left} has left the cluster, and leads it again`);
}

/** Of the four that remain two crash. Two and the one who left would have been a majority before. */
async function countsNoMore(cluster: Cluster, left: number): Promise<void> {
  await cluster.sleep(QUIET);
  const members = Array.from({ length: cluster.servers }, (_, server) => server).filter((each) => each !== left);
  const [first, second] = members.splice(cluster.random.below(members.length - 1), 2) as [number, number];
  for (const server of [first, second]) cluster.crash(server);
  const before = cluster.services.highest;
  cluster.journal.step(`expects that nothing is agreed on by two of four members and server ${left}, which has left`);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    for (let server = 0; server < cluster.servers; server++) cluster.raft(server)?.start(randomCommand(cluster));
    await cluster.sleep(electionTimeout / 5);
  }
  if (cluster.services.highest > before) {
    throw new ScenarioFailure(
      `index ${cluster.services.highest} was committed with two of four members up: server ${left} has left, and counts yet`,
    );
  }
  for (const server of [first, second]) cluster.restart(server);
  await agreeOn(cluster, 5, cluster.servers - 1);
  await expectEverywhere(cluster, cluster.services.highest, cluster.servers - 1);
}

export const leaving: readonly LabTest[] = [
  {
    part: 'beyond',
    name: 'LeaderLeaves',
    title: 'the leader leaves the cluster, under load',
    servers: 5,
    isUnreliable: false,
    hasSnapshots: false,
    run: leaderLeaves,
  },
];
