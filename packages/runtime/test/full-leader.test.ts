/** The leader's disk is full, and its followers' are not: their clients are told so. */
import type { RaftError } from '@quorate/runtime';
import { expect, it } from 'vitest';
import { command } from './support/counter.ts';
import { VirtualCluster, type VirtualServer } from './support/virtual-cluster.ts';

it('a follower that carries commands to a leader without room says whose disk is full, and for certain', async () => {
  const cluster = new VirtualCluster(61, 3, { storage: { reserveBytes: 64 << 10 } });
  await cluster.startAll();
  const leader = await cluster.leader();
  const follower = cluster.servers.find((server) => server !== leader);
  if (follower === undefined) throw new Error('a cluster of three has followers');
  expect(await propose(cluster, follower, 'before')).toBeNull();

  // The reserve is made, and the next segment.
  await wait(cluster, 5_000_000);
  const used = [...leader.disk.image().values()].reduce((sum, bytes) => sum + bytes.length, 0);
  leader.disk.capacity = used + 10_000;
  let refused: RaftError | null = null;
  for (let count = 0; count < 200 && refused === null; count++) {
    refused = await propose(cluster, follower, `${count}`.padEnd(4000, '.'));
    await wait(cluster, 100_000);
  }
  expect(refused).toMatchObject({
    code: 'DiskFull',
    definite: true,
    message: expect.stringContaining('disk of the leader') as string,
  });
  expect(await propose(cluster, leader, 'x'.repeat(4000))).toMatchObject({
    code: 'DiskFull',
    message: expect.stringContaining('disk of this server') as string,
  });

  leader.disk.capacity = Number.POSITIVE_INFINITY;
  // Free space is looked at again.
  await wait(cluster, 10_000_000);
  expect(await propose(cluster, follower, 'after')).toBeNull();
  await cluster.converged();
  expect(follower.machine.commands.at(-1)).toBe('after');
});

async function wait(cluster: VirtualCluster, micros: number): Promise<void> {
  const end = cluster.world.now + micros;
  await cluster.world.until(() => cluster.world.now >= end, 'a while');
}

/** Null when it was applied. */
async function propose(cluster: VirtualCluster, { node }: VirtualServer, text: string): Promise<RaftError | null> {
  let outcome: RaftError | null | undefined;
  node?.propose(command(text)).then(
    () => {
      outcome = null;
    },
    (error: unknown) => {
      outcome = error as RaftError;
    },
  );
  await cluster.world.until(() => outcome !== undefined, 'an outcome');
  return outcome ?? null;
}
