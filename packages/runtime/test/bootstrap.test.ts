import { RaftError } from '@quorate/runtime';
import { describe, expect, it } from 'vitest';
import { answersNeeded } from '../src/transport/question.ts';
import { command } from './support/counter.ts';
import { VirtualCluster, type VirtualServer } from './support/virtual-cluster.ts';

describe('a fresh data directory of a new cluster', () => {
  it('needs answers enough to meet every quorum that its member may have been part of', () => {
    expect([1, 2, 3, 4, 5, 7].map(answersNeeded)).toEqual([0, 1, 2, 2, 3, 4]);
    for (let members = 1; members <= 9; members++) {
      const majority = Math.floor(members / 2) + 1;
      const othersInQuorum = majority - 1;
      // So many answers and so many others of a quorum cannot all be different servers, unless all others have answered.
      const meets = answersNeeded(members) + othersInQuorum > members - 1;
      expect(meets || answersNeeded(members) === members - 1).toBe(true);
    }
  });

  it('waits for its peers and says so', async () => {
    const cluster = new VirtualCluster(1, 3);
    const [one, two, three] = cluster.servers;
    if (one === undefined || two === undefined || three === undefined) throw new Error('three servers');
    cluster.start(one);
    cluster.start(two);
    await cluster.world.run(15_000_000);
    expect(one.node).toBeNull();
    expect(cluster.world.logged(/waiting for peers: .* 2 of the other 2 .* 1 so far/).length).toBeGreaterThan(1);
    cluster.start(three);
    await cluster.leader();
  });

  it('of a cluster of one needs nobody', async () => {
    const cluster = new VirtualCluster(2, 1);
    await cluster.startAll();
    await cluster.leader();
  });

  it('is refused when its member has already run, with a word on what to do', async () => {
    const cluster = new VirtualCluster(3, 3);
    await cluster.startAll();
    const leader = await cluster.leader();
    await applied(cluster, leader, 'x');
    const lost = follower(cluster, leader);
    cluster.kill(lost);
    cluster.wipe(lost);
    cluster.restart(lost);
    await cluster.world.until(() => lost.openError !== null, 'the refusal');
    expect(lost.openError).toBeInstanceOf(RaftError);
    expect(lost.openError).toMatchObject({ code: 'MemberAlreadyRan' });
    expect(String(lost.openError)).toMatch(/Restore the directory; or start it with the cluster state 'existing'/);
    expect(lost.disk.held).toBe(false);
  });

  it('is refused when its lost life may have voted, though no entry has bound that yet', async () => {
    const cluster = new VirtualCluster(4, 3);
    await cluster.startAll();
    cluster.world.network.latency = { min: 20_000, max: 20_000 };
    // A candidate has made its term durable, but nobody has been elected, so nobody is bound to an incarnation.
    await cluster.world.until(() => cluster.world.logged(/candidate in term 1/).length > 0, 'a candidate');
    await cluster.world.run(5_000);
    const candidate = cluster.world.logged(/candidate in term 1/)[0]?.server;
    const lost = cluster.servers.find((server) => server.id !== candidate);
    if (lost === undefined) throw new Error('three servers');
    for (const server of cluster.servers) cluster.kill(server);
    cluster.wipe(lost);
    for (const server of cluster.servers) cluster.restart(server);
    await cluster.world.until(() => lost.openError !== null, 'the refusal');
    expect(lost.openError).toMatchObject({ code: 'MemberAlreadyRan' });
    const leader = await cluster.leader();
    await applied(cluster, leader, 'x');
  });

  it('is refused when its lost life has only begun', async () => {
    const cluster = new VirtualCluster(8, 3);
    await cluster.startAll();
    const [lost, ...others] = cluster.servers;
    if (lost === undefined) throw new Error('three servers');
    for (const server of cluster.servers) cluster.kill(server);
    cluster.wipe(lost);
    for (const server of cluster.servers) cluster.restart(server);
    await cluster.world.until(() => lost.openError !== null, 'the refusal');
    expect(lost.openError).toMatchObject({ code: 'MemberAlreadyRan' });
    expect(others).toContain(await cluster.leader());
  });

  it('once others have written down that it begins, starts again without them', async () => {
    const cluster = new VirtualCluster(9, 3);
    await cluster.startAll();
    for (const server of cluster.servers) cluster.kill(server);
    const [first] = cluster.servers;
    if (first === undefined) throw new Error('three servers');
    cluster.restart(first);
    await cluster.world.until(() => first.node !== null, 'it is up, alone');
    expect(first.node?.status()).toMatchObject({ lastIndex: 0 });
  });

  it('of a cluster that exists already stays up, passive, and says what to do', async () => {
    const cluster = new VirtualCluster(5, 3);
    await cluster.startAll();
    const leader = await cluster.leader();
    const lost = follower(cluster, leader);
    cluster.kill(lost);
    cluster.wipe(lost);
    cluster.start(lost, { initialClusterState: 'existing' });
    await cluster.world.until(() => lost.node !== null, 'the server is up');
    await cluster.world.run(10_000_000);
    expect(lost.node?.role).toBe('follower');
    expect(cluster.node(leader.id).isLeader).toBe(true);
    expect(cluster.world.logged(/empty and its cluster exists already/)).toHaveLength(1);
    await applied(cluster, leader, 'still writable');
  });
});

describe('a data directory', () => {
  it('of another member is refused', async () => {
    const cluster = new VirtualCluster(6, 1);
    await cluster.startAll();
    const [server] = cluster.servers;
    if (server === undefined) throw new Error('one server');
    cluster.kill(server);
    cluster.start(server, { id: 'other', initialCluster: [{ id: 'other', address: 'other:1' }] });
    await cluster.world.until(() => server.openError !== null, 'the refusal');
    expect(server.openError).toMatchObject({ code: 'WrongCluster' });
    expect(String(server.openError)).toMatch(/belongs to member s1, not to other/);
  });

  it('of another cluster is refused', async () => {
    const cluster = new VirtualCluster(7, 1);
    await cluster.startAll();
    const [server] = cluster.servers;
    if (server === undefined) throw new Error('one server');
    cluster.kill(server);
    cluster.start(server, { clusterId: '00000000deadbeef' });
    await cluster.world.until(() => server.openError !== null, 'the refusal');
    expect(server.openError).toMatchObject({ code: 'WrongCluster' });
  });
});

function follower(cluster: VirtualCluster, leader: VirtualServer): VirtualServer {
  const server = cluster.servers.find((it) => it !== leader);
  if (server === undefined) throw new Error('no follower');
  return server;
}

async function applied(cluster: VirtualCluster, server: VirtualServer, text: string): Promise<void> {
  const kinds: string[] = [];
  cluster.node(server.id).proposeWith(command(text), (outcome) => kinds.push(outcome.kind));
  await cluster.world.until(() => kinds.length === 1, 'an outcome');
  expect(kinds).toEqual(['applied']);
}
