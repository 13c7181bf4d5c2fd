/** Part 4B, second half: what survives crashes, and bad networks (§5.1, §5.4). */
import { checkOneLeader, one, waitCommitted } from '../cluster/checks.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { ScenarioFailure } from '../cluster/failure.ts';
import { randomCommand } from './agreement.ts';
import { electionTimeout } from './election.ts';
import type { LabTest } from './lab-test.ts';

const reliable = { part: '4B', isUnreliable: false, hasSnapshots: false } as const;
const unreliable = { ...reliable, isUnreliable: true } as const;

const FIGURE_8_ROUNDS = 1_000;
const REORDERING_FROM = 200;

async function persist1(cluster: Cluster): Promise<void> {
  const all = cluster.servers;
  await one(cluster, 11, all, true);
  for (let server = 0; server < all; server++) cluster.start(server);
  for (let server = 0; server < all; server++) cluster.restart(server);
  await one(cluster, 12, all, true);
  cluster.restart(await checkOneLeader(cluster));
  await one(cluster, 13, all, true);
  const leader = await checkOneLeader(cluster);
  cluster.disconnect(leader);
  await one(cluster, 14, all - 1, true);
  cluster.restart(leader);
  await waitCommitted(cluster, 4, all, -1);
  const other = ((await checkOneLeader(cluster)) + 1) % all;
  cluster.disconnect(other);
  await one(cluster, 15, all - 1, true);
  cluster.restart(other);
  await one(cluster, 16, all, true);
}

async function persist2(cluster: Cluster): Promise<void> {
  const all = cluster.servers;
  let command = 10;
  for (let round = 0; round < 5; round++) {
    await one(cluster, command++, all, true);
    const leader = await checkOneLeader(cluster);
    const [a, b, c, d] = [1, 2, 3, 4].map((by) => (leader + by) % all) as [number, number, number, number];
    cluster.disconnect(a);
    cluster.disconnect(b);
    await one(cluster, command++, all - 2, true);
    for (const server of [leader, c, d]) cluster.disconnect(server);
    for (const server of [a, b]) cluster.restart(server);
    await cluster.sleep(electionTimeout);
    // Of these three only one has the newest entry.
    cluster.restart(c);
    await one(cluster, command++, all - 2, true);
    for (const server of [d, leader]) cluster.connect(server);
  }
  await one(cluster, 1000, all, true);
}

async function persist3(cluster: Cluster): Promise<void> {
  await one(cluster, 101, 3, true);
  const leader = await checkOneLeader(cluster);
  const [next, last] = [(leader + 1) % 3, (leader + 2) % 3];
  cluster.disconnect(last);
  await one(cluster, 102, 2, true);
  cluster.crash(leader);
  cluster.crash(next);
  cluster.connect(last);
  cluster.restart(leader);
  await one(cluster, 103, 2, true);
  cluster.restart(next);
  await one(cluster, 104, 3, true);
}

/** Leaders crash as soon as they have an entry: one of an earlier term must not be committed by counting (Figure 8). */
async function figure8(cluster: Cluster): Promise<void> {
  const all = cluster.servers;
  await one(cluster, randomCommand(cluster), 1, true);
  let up = all;
  for (let round = 0; round < FIGURE_8_ROUNDS; round++) {
    let leader = -1;
    for (let server = 0; server < all; server++) {
      if (cluster.raft(server)?.start(randomCommand(cluster)).isLeader === true) leader = server;
    }
    await figure8Pause(cluster);
    if (leader !== -1) {
      cluster.crash(leader);
      up -= 1;
    }
    const other = cluster.random.below(all);
    if (up < 3 && !cluster.isRunning(other)) {
      cluster.start(other);
      cluster.connect(other);
      up += 1;
    }
  }
  for (let server = 0; server < all; server++) {
    if (!cluster.isRunning(server)) cluster.start(server);
    cluster.connect(server);
  }
  await one(cluster, randomCommand(cluster), all, true);
}

function figure8Pause(cluster: Cluster): Promise<void> {
  const isLong = cluster.random.chance(100);
  return cluster.sleep(cluster.random.below(isLong ? electionTimeout / 2 : 13));
}

async function unreliableAgree(cluster: Cluster): Promise<void> {
  const background: Promise<number>[] = [];
  for (let round = 1; round < 50; round++) {
    for (let each = 0; each < 4; each++) background.push(one(cluster, 100 * round + each, 1, true));
    await one(cluster, round, 1, true);
  }
  cluster.network.isReliable = true;
  await Promise.all(background);
  await one(cluster, 100, cluster.servers, true);
}

async function figure8Unreliable(cluster: Cluster): Promise<void> {
  const all = cluster.servers;
  await one(cluster, cluster.random.below(10_000), 1, true);
  let connected = all;
  for (let round = 0; round < FIGURE_8_ROUNDS; round++) {
    if (round === REORDERING_FROM) cluster.network.hasLongReordering = true;
    let leader = -1;
    for (let server = 0; server < all; server++) {
      const isLeader = cluster.raft(server)?.start(cluster.random.below(10_000)).isLeader === true;
      if (isLeader && cluster.isConnected(server)) leader = server;
    }
    await figure8Pause(cluster);
    if (leader !== -1 && cluster.random.chance(500)) {
      cluster.disconnect(leader);
      connected -= 1;
    }
    const other = cluster.random.below(all);
    if (connected < 3 && !cluster.isConnected(other)) {
      cluster.connect(other);
      connected += 1;
    }
  }
  for (let server = 0; server < all; server++) cluster.connect(server);
  await one(cluster, cluster.random.below(10_000), all, true);
}

/** Servers come and go while three clients write: whatever a client believed committed must be. */
async function churn(cluster: Cluster): Promise<void> {
  const all = cluster.servers;
  const stop = { isTime: false };
  const clients = [0, 1, 2].map((client) => churnClient(cluster, client, stop));
  for (let round = 0; round < 20; round++) {
    if (cluster.random.chance(200)) cluster.disconnect(cluster.random.below(all));
    if (cluster.random.chance(500)) {
      const server = cluster.random.below(all);
      if (!cluster.isRunning(server)) cluster.start(server);
      cluster.connect(server);
    }
    if (cluster.random.chance(200)) cluster.crash(cluster.random.below(all));
    await cluster.sleep((electionTimeout * 7) / 10);
  }
  await cluster.sleep(electionTimeout);
  cluster.network.isReliable = true;
  for (let server = 0; server < all; server++) {
    if (!cluster.isRunning(server)) cluster.start(server);
    cluster.connect(server);
  }
  stop.isTime = true;
  const believed = (await Promise.all(clients)).flat();
  await cluster.sleep(electionTimeout);
  await checkBelieved(cluster, believed);
}

async function churnClient(cluster: Cluster, client: number, stop: { readonly isTime: boolean }): Promise<number[]> {
  const believed: number[] = [];
  while (!stop.isTime) {
    const command = randomCommand(cluster);
    let index = -1;
    for (let server = 0; server < cluster.servers; server++) {
      const result = cluster.raft(server)?.start(command);
      if (result?.isLeader === true) index = result.index;
    }
    if (index === -1) {
      await cluster.sleep(79 + client * 17);
      continue;
    }
    for (const pause of [10, 20, 50, 100, 200]) {
      const committed = cluster.services.committed(index);
      if (committed.servers > 0) {
        if (committed.command === command) believed.push(command);
        break;
      }
      await cluster.sleep(pause);
    }
  }
  return believed;
}

async function checkBelieved(cluster: Cluster, believed: readonly number[]): Promise<void> {
  const last = await one(cluster, randomCommand(cluster), cluster.servers, true);
  const committed = new Set<unknown>();
  for (let index = 1; index <= last; index++) {
    committed.add(await waitCommitted(cluster, index, cluster.servers, -1));
  }
  const lost = believed.find((command) => !committed.has(command));
  if (lost !== undefined) throw new ScenarioFailure(`a client saw ${lost} committed, and it is in no log any more`);
}

export const persistence: readonly LabTest[] = [
  { ...reliable, name: 'Persist1', title: 'basic persistence', servers: 3, run: persist1 },
  { ...reliable, name: 'Persist2', title: 'more persistence', servers: 5, run: persist2 },
  {
    ...reliable,
    name: 'Persist3',
    title: 'partitioned leader and one follower crash, leader restarts',
    servers: 3,
    run: persist3,
  },
  { ...reliable, name: 'Figure8', title: 'Figure 8', servers: 5, run: figure8 },
  { ...unreliable, name: 'UnreliableAgree', title: 'unreliable agreement', servers: 5, run: unreliableAgree },
  { ...unreliable, name: 'Figure8Unreliable', title: 'Figure 8 (unreliable)', servers: 5, run: figure8Unreliable },
  { ...reliable, name: 'ReliableChurn', title: 'churn', servers: 5, run: churn },
  { ...unreliable, name: 'UnreliableChurn', title: 'unreliable churn', servers: 5, run: churn },
];
