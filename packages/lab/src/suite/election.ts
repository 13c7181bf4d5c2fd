/** Part 4A: leader election (§5.2). */
import { checkNoLeader, checkOneLeader, checkTerms } from '../cluster/checks.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { ScenarioFailure } from '../cluster/failure.ts';
import type { LabTest } from './lab-test.ts';

/** Milliseconds: within this an election must be over. */
export const electionTimeout = 1_000;

const part = { part: '4A', isUnreliable: false, hasSnapshots: false } as const;

async function initialElection(cluster: Cluster): Promise<void> {
  await checkOneLeader(cluster);
  await cluster.sleep(50);
  const term = checkTerms(cluster);
  if (term < 1) throw new ScenarioFailure(`the term is ${term}, but a leader was elected in 1 or later`);
  await cluster.sleep(2 * electionTimeout);
  checkTerms(cluster);
  await checkOneLeader(cluster);
}

async function reElection(cluster: Cluster): Promise<void> {
  const first = await checkOneLeader(cluster);
  cluster.disconnect(first);
  await checkOneLeader(cluster);
  // The old leader comes back, and must neither lead on nor disturb the new one.
  cluster.connect(first);
  const second = await checkOneLeader(cluster);
  const next = (second + 1) % cluster.servers;
  cluster.disconnect(second);
  cluster.disconnect(next);
  await cluster.sleep(2 * electionTimeout);
  checkNoLeader(cluster);
  cluster.connect(next);
  await checkOneLeader(cluster);
  cluster.connect(second);
  await checkOneLeader(cluster);
}

async function manyElections(cluster: Cluster): Promise<void> {
  await checkOneLeader(cluster);
  for (let round = 1; round < 10; round++) {
    const gone = Array.from({ length: 3 }, () => cluster.random.below(cluster.servers));
    for (const server of gone) cluster.disconnect(server);
    await checkOneLeader(cluster);
    for (const server of gone) cluster.connect(server);
  }
  await checkOneLeader(cluster);
}

/** A server that heard nobody for a while comes back with whatever term it has reached: the others' leader must remain. */
async function rejoinDisturbsNobody(cluster: Cluster): Promise<void> {
  const leader = await checkOneLeader(cluster);
  const term = checkTerms(cluster);
  const follower = (leader + 1) % cluster.servers;
  cluster.disconnect(follower);
  await cluster.sleep(2 * electionTimeout);
  cluster.connect(follower);
  await cluster.sleep(2 * electionTimeout);
  const after = await checkOneLeader(cluster);
  if (after !== leader || checkTerms(cluster) !== term) {
    throw new ScenarioFailure(
      `server ${leader} led term ${term} when server ${follower} came back; now server ${after} leads term ${checkTerms(cluster)}. ` +
        'A server that was cut off must not end a leadership that works (PreVote, dissertation §9.6)',
    );
  }
}

export const election: readonly LabTest[] = [
  { ...part, name: 'InitialElection', title: 'initial election', servers: 3, run: initialElection },
  { ...part, name: 'ReElection', title: 'election after network failure', servers: 3, run: reElection },
  { ...part, name: 'ManyElections', title: 'multiple elections', servers: 7, run: manyElections },
  { ...part, name: 'Rejoin', title: 'a rejoining server disturbs nobody', servers: 3, run: rejoinDisturbsNobody },
];
