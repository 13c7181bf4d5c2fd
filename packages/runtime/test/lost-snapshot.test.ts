/** A server whose own snapshot is damaged comes up, promises what it promised, and gets another one from the leader. */
import { describe, expect, test } from 'vitest';
import { command } from './support/counter.ts';
import { VirtualCluster, type VirtualServer } from './support/virtual-cluster.ts';

const limits = { snapshotMinLogBytes: 4000, snapshotTrailingEntries: 5 };

type Edit = (bytes: Uint8Array) => void;

/** The header of a snapshot file takes less than this; what it says must be left. */
const BEHIND_HEADER = 400;

const damages: readonly [string, Edit][] = [
  ['a bit of a slice', (bytes) => void (bytes[BEHIND_HEADER] = (bytes[BEHIND_HEADER] ?? 0) ^ 4)],
  ['everything behind its header', (bytes) => void bytes.fill(0x5a, BEHIND_HEADER)],
  ['its footer', (bytes) => void bytes.fill(0, bytes.length - 24)],
];

/** A cluster in which every server has taken snapshots, and its leader. */
async function running(seed: number, size = 3): Promise<{ cluster: VirtualCluster; leader: VirtualServer }> {
  const cluster = new VirtualCluster(seed, size, { limits });
  await cluster.startAll();
  const leader = await cluster.leader();
  for (let round = 0; round < 12; round++) await proposeAll(cluster, leader, 25, `r${round}-`);
  // When a snapshot is taken is drawn as well.
  const lacksOne = (): boolean => cluster.servers.some((server) => snapshotIndex(server) <= 100);
  for (let round = 12; round < 24 && lacksOne(); round++) await proposeAll(cluster, leader, 25, `r${round}-`);
  await cluster.converged();
  for (const server of cluster.servers) expect(snapshotIndex(server)).toBeGreaterThan(100);
  return { cluster, leader };
}

function snapshotIndex(server: VirtualServer): number {
  return server.node?.status().snapshot.index ?? 0;
}

async function proposeAll(cluster: VirtualCluster, at: VirtualServer, count: number, prefix: string): Promise<void> {
  let done = 0;
  for (let i = 0; i < count; i++) {
    cluster.node(at.id).proposeWith(command(`${prefix}${i}`), (outcome) => {
      expect(outcome.kind).toBe('applied');
      done++;
    });
  }
  await cluster.world.until(() => done === count, `${count} commands applied`);
}

function spoilSnapshot(cluster: VirtualCluster, server: VirtualServer, edit: Edit): void {
  cluster.spoil(server, (files) => {
    const snapshots = [...files].filter(([path]) => path.endsWith('.snap'));
    expect(snapshots.length).toBeGreaterThan(0);
    for (const [, bytes] of snapshots) edit(bytes);
  });
}

function another(cluster: VirtualCluster, than: VirtualServer): VirtualServer {
  const other = cluster.servers.find((server) => server !== than);
  if (other === undefined) throw new Error('There is no other server.');
  return other;
}

describe.each(damages)('a server that lost %s of its snapshot', (_, edit) => {
  test('gets one from the leader, and needs no help at its next start', async () => {
    const { cluster, leader } = await running(1);
    const follower = another(cluster, leader);
    cluster.kill(follower);
    spoilSnapshot(cluster, follower, edit);
    cluster.restart(follower);
    await cluster.world.until(() => follower.node !== null, 'it is up');
    await proposeAll(cluster, leader, 10, 'late');
    await cluster.converged();
    expect(follower.machine.commands).toEqual(leader.machine.commands);
    expect(follower.node?.status().lacksSnapshot).toBe(false);
    cluster.kill(follower);
    cluster.restart(follower);
    await cluster.world.until(() => follower.node !== null, 'it is up again');
    expect(follower.machine.restores).toBe(1);
    await cluster.converged();
    expect(follower.machine.commands).toEqual(leader.machine.commands);
    expect(cluster.world.logged(/the newest snapshot is damaged/)).toHaveLength(1);
  });
});

const [, [, spoilt]] = damages as readonly [unknown, readonly [string, Edit]];

test('a leader that lost its snapshot leaves the office to others until it has one', async () => {
  const { cluster, leader } = await running(2);
  cluster.kill(leader);
  spoilSnapshot(cluster, leader, spoilt);
  cluster.restart(leader);
  const next = await cluster.leader();
  expect(next).not.toBe(leader);
  await proposeAll(cluster, next, 5, 'late');
  await cluster.converged();
  expect(leader.machine.commands).toEqual(next.machine.commands);
});

test('its vote and its copy of the log count meanwhile', async () => {
  const { cluster, leader } = await running(3);
  const follower = another(cluster, leader);
  const third = cluster.servers.find((server) => server !== leader && server !== follower);
  if (third === undefined) throw new Error('There is no third server.');
  cluster.kill(follower);
  cluster.kill(third);
  spoilSnapshot(cluster, follower, spoilt);
  cluster.restart(follower);
  await cluster.world.until(() => follower.node !== null, 'it is up');
  // A majority of two, one of which has no state.
  const next = await cluster.leader([leader, follower]);
  expect(next).toBe(leader);
  await proposeAll(cluster, leader, 5, 'two');
  await cluster.world.until(() => follower.node?.status().lacksSnapshot === false, 'it has a snapshot');
});

test('where every snapshot is lost nobody leads, and nothing is made up', async () => {
  const { cluster } = await running(4);
  for (const server of cluster.servers) cluster.kill(server);
  for (const server of cluster.servers) spoilSnapshot(cluster, server, spoilt);
  for (const server of cluster.servers) cluster.restart(server);
  await cluster.world.until(() => cluster.servers.every(({ node }) => node !== null), 'all are up');
  await cluster.world.run(60_000_000);
  for (const { node, machine } of cluster.servers) {
    expect(node?.isLeader).toBe(false);
    expect(node?.status()).toMatchObject({ lacksSnapshot: true, appliedIndex: 0 });
    expect(machine.commands).toEqual([]);
  }
});

test('a server on its own has nobody to ask, and stops', async () => {
  const { cluster, leader } = await running(5, 1);
  cluster.kill(leader);
  spoilSnapshot(cluster, leader, spoilt);
  cluster.restart(leader);
  await cluster.world.until(() => leader.openError !== null, 'it refuses');
  expect(leader.openError).toMatchObject({ code: 'StorageFailed', cause: { code: 'CorruptSnapshot' } });
});
