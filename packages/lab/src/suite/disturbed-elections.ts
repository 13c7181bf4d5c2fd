/**
 * Scenarios that the course has not, each made for a mistake that its own let pass: votes that come late, a leader of an earlier term whose
 * heartbeats come late, and a leader that wins again.
 */
import { checkOneLeader, one } from '../cluster/checks.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { ScenarioFailure } from '../cluster/failure.ts';
import { randomCommand } from './agreement.ts';
import { electionTimeout } from './election.ts';
import type { LabTest } from './lab-test.ts';

const part = { part: 'beyond', servers: 5, isUnreliable: false, hasSnapshots: false } as const;

/** Milliseconds. */
const LOOK_EVERY = 10;
const LATE_FOR = 60_000;
const CUT_EVERY = 1_500;
/** Longer than anybody waits for a leader. */
const VERY_LATE = 6_000;
const MANY = 50;
const ATTEMPTS = 40;

/** Two of three answers are late while leaders come and go: a vote must count for the candidacy that asked for it, and for no other. */
async function lateVotes(cluster: Cluster): Promise<void> {
  await checkOneLeader(cluster);
  cluster.network.hasLongReordering = true;
  cluster.journal.step('expects that no term has two leaders, answers being late');
  const leaders = new Map<number, number>();
  for (let time = 0; time < LATE_FOR; time += LOOK_EVERY) {
    const leader = noteLeaders(cluster, leaders);
    if (time % CUT_EVERY === 0) cutOnly(cluster, leader);
    await cluster.sleep(LOOK_EVERY);
  }
  cluster.network.hasLongReordering = false;
  cutOnly(cluster, null);
  await one(cluster, randomCommand(cluster), cluster.servers, true);
}

/** Adds what each server says of itself to what was seen before; returns the leader of the newest term among them. */
function noteLeaders(cluster: Cluster, leaders: Map<number, number>): number | null {
  let newest: { readonly server: number; readonly term: number } | null = null;
  for (let server = 0; server < cluster.servers; server++) {
    const state = cluster.raft(server)?.getState();
    if (state?.isLeader !== true) continue;
    const other = leaders.get(state.term);
    if (other !== undefined && other !== server)
      throw new ScenarioFailure(
        `servers ${other} and ${server} both led term ${state.term}; a term has at most one leader`,
      );
    leaders.set(state.term, server);
    if (newest === null || state.term > newest.term) newest = { server, term: state.term };
  }
  return newest?.server ?? null;
}

/** Everybody is connected but this one. */
function cutOnly(cluster: Cluster, server: number | null): void {
  for (let each = 0; each < cluster.servers; each++) {
    if (each === server) cluster.disconnect(each);
    else cluster.connect(each);
  }
}

/** A leader of an earlier term comes back, and what it says comes late: nobody may wait for it when the present leader crashes. */
async function lateLeader(cluster: Cluster): Promise<void> {
  const old = await checkOneLeader(cluster);
  cluster.disconnect(old);
  await checkOneLeader(cluster);
  cluster.network.slow(String(old), VERY_LATE);
  cluster.connect(old);
  await cluster.sleep(VERY_LATE);
  cluster.crash(await leaderBesides(cluster, old));
  await leaderBesides(cluster, old);
  cluster.network.slow(String(old), 0);
  for (let server = 0; server < cluster.servers; server++) {
    if (!cluster.isRunning(server)) cluster.start(server);
    cluster.connect(server);
  }
  await one(cluster, randomCommand(cluster), cluster.servers, true);
}

/** That one still believes to lead, in its own term. */
async function leaderBesides(cluster: Cluster, old: number): Promise<number> {
  const leader = await checkOneLeader(cluster);
  if (leader === old)
    throw new ScenarioFailure(`nobody leads a later term than server ${old}, which nobody follows any more`);
  return leader;
}

/** A leader loses what it had sent to a follower, and wins again: what it knew of that follower holds no more. */
async function secondReign(cluster: Cluster): Promise<void> {
  const all = cluster.servers;
  await one(cluster, randomCommand(cluster), all, true);
  const first = await checkOneLeader(cluster);
  const [friend, ...others] = [1, 2, 3, 4].map((by) => (first + by) % all) as [number, ...number[]];
  for (const server of others) cluster.disconnect(server);
  for (let count = 0; count < MANY; count++) cluster.raft(first)?.start(randomCommand(cluster));
  await cluster.sleep(electionTimeout / 2);
  cluster.disconnect(first);
  cluster.disconnect(friend);
  for (const server of others) cluster.connect(server);
  for (let count = 0; count < 5; count++) await one(cluster, randomCommand(cluster), others.length, true);
  for (const server of [friend, first]) {
    cluster.connect(server);
    await one(cluster, randomCommand(cluster), all - (server === friend ? 1 : 0), true);
  }
  await untilLeads(cluster, first);
  await one(cluster, randomCommand(cluster), all, true);
}

/** Cuts off whoever leads instead, for a moment, until chance has it; a Raft in which that server cannot win has nothing to show here. */
async function untilLeads(cluster: Cluster, wanted: number): Promise<void> {
  cluster.journal.step(`waits until server ${wanted} leads again`);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const leader = await checkOneLeader(cluster);
    if (leader === wanted) return;
    const bystander = (leader + 1 + cluster.random.below(cluster.servers - 1)) % cluster.servers;
    const cut = bystander === wanted ? [leader] : [leader, bystander];
    for (const server of cut) cluster.disconnect(server);
    await checkOneLeader(cluster);
    for (const server of cut) cluster.connect(server);
  }
}

export const disturbedElections: readonly LabTest[] = [
  { ...part, name: 'LateVotes', title: 'votes come late', run: lateVotes },
  { ...part, name: 'LateLeader', title: 'what a deposed leader says comes late', run: lateLeader },
  { ...part, name: 'SecondReign', title: 'a leader wins again, its followers having changed', run: secondReign },
];
