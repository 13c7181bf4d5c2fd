/** Rolling upgrades with whole servers. Version 2 of the protocol brings changes of membership here. */
import type { Release } from '@quorate/raft';
import { RaftError } from '@quorate/runtime';
import { describe, expect, it } from 'vitest';
import { command } from './support/counter.ts';
import { VirtualCluster, type VirtualServer } from './support/virtual-cluster.ts';

const needs = { membershipChanges: 2, leadershipTransfer: 2 };
const before: Release = { min: 1, max: 1, needs };
const after: Release = { min: 1, max: 2, needs };
/** It has forgotten version 1. */
const later: Release = { min: 2, max: 3, needs };

describe('a rolling upgrade', () => {
  it('lets what is new be used when the last server, a learner too, is upgraded, and not before', async () => {
    const cluster = await clusterOf(before, 41);
    for (const server of cluster.servers.slice(0, 2)) await replace(cluster, server, after);
    expect(await versionsOf(cluster)).toEqual([1, 1, 1]);
    expect(await refusal(cluster)).toMatchObject({ code: 'ChangeRefused', reason: 'versionTooOld', definite: true });
    const leader = await cluster.leader();
    await expect(settled(cluster, node(leader).transferLeadership())).rejects.toMatchObject({
      reason: 'versionTooOld',
    });

    await replace(cluster, cluster.server('s3'), after);
    await cluster.world.until(() => cluster.live.every((it) => node(it).status().versionInUse === 2), 'version 2');
    const status = node(await cluster.leader()).status();
    expect(status.versions).toEqual({ min: 1, max: 2 });
    expect(status.followers.map(({ speaks }) => speaks)).toEqual([2, 2]);
    await cluster.world.until(
      () =>
        cluster.live.every((it) =>
          node(it)
            .status()
            .peers.every(({ versions }) => versions?.max === 2),
        ),
      'everyone is connected',
    );
    await settled(
      cluster,
      node(await cluster.leader()).changeMembers([{ op: 'update', id: 's1', context: 's1:2380' }]),
    );
  });

  it('may be taken back before everyone is upgraded', async () => {
    const cluster = await clusterOf(before, 42);
    await replace(cluster, cluster.server('s1'), after);
    await replace(cluster, cluster.server('s2'), after);
    await write(cluster, 'on both');
    await replace(cluster, cluster.server('s1'), before);
    await replace(cluster, cluster.server('s2'), before);
    await write(cluster, 'and back');
    await cluster.converged();
    expect(await versionsOf(cluster)).toEqual([1, 1, 1]);
  });

  it('cannot be taken back afterwards: the older release says so, and harms nothing', async () => {
    const cluster = await clusterOf(after, 43);
    await cluster.world.until(() => cluster.live.every((it) => node(it).status().versionInUse === 2), 'version 2');
    const server = cluster.server('s3');
    cluster.kill(server);
    cluster.start(server, { raft: { release: before } });
    await cluster.world.until(() => server.openError !== null, 'a refusal');
    expect(server.openError).toBeInstanceOf(RaftError);
    expect(server.openError).toMatchObject({
      code: 'VersionNotSpoken',
      message: expect.stringMatching(/uses version 2 .* speaks 1 to 1.*newer|at least as new/) as string,
    });
    cluster.kill(server);
    cluster.start(server, { raft: { release: after } });
    await cluster.world.until(() => server.node !== null, 'it is back');
    await write(cluster, 'all is well');
    await cluster.converged();
  });

  it('waits for a server that is down, whatever it said in an earlier term', async () => {
    const cluster = await clusterOf(before, 44);
    const down = cluster.server('s3');
    cluster.kill(down);
    for (const server of cluster.servers.slice(0, 2)) await replace(cluster, server, after);
    await write(cluster, 'without it');
    expect(await versionsOf(cluster)).toEqual([1, 1]);
    expect(await refusal(cluster)).toMatchObject({ reason: 'versionTooOld' });
    cluster.start(down, { raft: { release: after } });
    await cluster.world.until(
      () => cluster.live.length === 3 && cluster.live.every((it) => node(it).status().versionInUse === 2),
      'version 2',
    );
  });

  it('skips no release: one that has forgotten the version in use does not start', async () => {
    const cluster = await clusterOf(before, 45);
    const server = cluster.server('s1');
    cluster.kill(server);
    cluster.start(server, { raft: { release: later } });
    await cluster.world.until(() => server.openError !== null, 'a refusal');
    expect(server.openError).toMatchObject({
      code: 'VersionNotSpoken',
      message: expect.stringContaining('one release at a time') as string,
    });
  });

  it('is not undone by an old server on an empty disk: its peers refuse it', async () => {
    const cluster = await clusterOf(after, 46);
    await cluster.world.until(() => cluster.live.every((it) => node(it).status().versionInUse === 2), 'version 2');
    const server = cluster.server('s2');
    cluster.kill(server);
    cluster.wipe(server);
    // Whoever begins on an empty disk knows of no version yet; its peers do.
    cluster.start(server, { raft: { release: before }, initialClusterState: 'existing' });
    const line = /speaks versions 1 to 1 of the peer protocol, server s\d 2 to 2/;
    await cluster.world.until(() => cluster.world.logged(line).length > 0, 'a refusal');
  });
});

async function clusterOf(release: Release, seed: number): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(seed, 3);
  for (const server of cluster.servers) cluster.start(server, { raft: { release } });
  await cluster.world.until(() => cluster.live.length === 3, 'all are up');
  await cluster.leader();
  return cluster;
}

/** Stops a server and starts it with another release. */
async function replace(cluster: VirtualCluster, server: VirtualServer, release: Release): Promise<void> {
  cluster.kill(server);
  cluster.start(server, { raft: { release } });
  await cluster.world.until(() => server.node !== null, `${server.id} is back`);
  await cluster.leader();
}

function node({ node: it }: VirtualServer) {
  if (it === null) throw new Error('the server is down');
  return it;
}

/** What each live server holds to be in use, a while later. */
async function versionsOf(cluster: VirtualCluster): Promise<readonly number[]> {
  const end = cluster.world.now + 5_000_000;
  await cluster.world.until(() => cluster.world.now >= end, 'a while');
  return cluster.live.map((it) => node(it).status().versionInUse);
}

async function write(cluster: VirtualCluster, text: string): Promise<void> {
  await settled(cluster, node(await cluster.leader()).propose(command(text)));
}

async function refusal(cluster: VirtualCluster): Promise<unknown> {
  const leader = node(await cluster.leader());
  const change = leader.changeMembers([{ op: 'update', id: 's1', context: 's1:2380' }]);
  return settled(cluster, change).then(
    () => 'no refusal',
    (error: unknown) => error,
  );
}

/** Waits for a promise of the virtual world. */
async function settled<T>(cluster: VirtualCluster, promise: Promise<T>): Promise<T> {
  let isOver = false;
  const end = (): void => {
    isOver = true;
  };
  promise.then(end, end);
  await cluster.world.until(() => isOver, 'a promise');
  return promise;
}
