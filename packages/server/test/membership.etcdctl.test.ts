/** etcdctl changes the membership and moves the leadership, beside a real etcd: what it says must be the same. */
import { freePorts } from '@quorate/processes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithPeer, findPeer } from '../../../test-support/peers.ts';
import { EtcdProcess } from './support/etcd-process.ts';
import { etcdctl, type EtcdctlResult } from './support/etcdctl.ts';
import { TestCluster, until } from './support/test-cluster.ts';

describeWithPeer(['etcd', 'etcdctl'], 'etcdctl member and move-leader', () => {
  const binary = findPeer('etcdctl') ?? '';
  let etcd: EtcdProcess;
  let cluster: TestCluster;

  beforeAll(async () => {
    [etcd, cluster] = await Promise.all([
      EtcdProcess.start(findPeer('etcd') ?? '', 'etcd-cluster'),
      TestCluster.start(3),
    ]);
  });
  afterAll(async () => {
    await Promise.all([etcd.stop(), cluster.close()]);
  });

  const ofEtcd = async (...args: string[]): Promise<EtcdctlResult> => await etcdctl(binary, [etcd.address], args);
  const at = async (name: string, ...args: string[]): Promise<EtcdctlResult> =>
    await etcdctl(binary, [cluster.address(name)], args);
  const idOf = (name: string): string => cluster.server(name).memberId.toString(16);

  async function theSame(name: string, ...args: string[]): Promise<string> {
    const [expected, actual] = await Promise.all([ofEtcd(...args), at(name, ...args)]);
    expect(normalised(actual), args.join(' ')).toEqual(normalised(expected));
    return actual.stdout;
  }

  it('adds a learner, refuses to promote it before it has started, moves it and removes it', async () => {
    const follower = await cluster.follower();
    const [first = '', second = ''] = (await freePorts(2)).map((port) => `http://127.0.0.1:${port}`);
    const learners: string[] = [];
    for (const address of [etcd.address, cluster.address(follower)]) {
      const added = await etcdctl(binary, [address], ['member', 'add', 'new', '--learner', `--peer-urls=${first}`]);
      expect(added.stdout).toMatch(/^Member [ 0-9a-f]{16} added to cluster [ 0-9a-f]{16}\n/);
      learners.push(/Member +([0-9a-f]+) /.exec(added.stdout)?.[1] ?? '');
    }
    await theSame(follower, 'member', 'add', 'other', '--learner', `--peer-urls=${first},http://127.0.0.1:9`);
    await theSame(follower, 'member', 'add', 'other', '--learner', '--peer-urls=ftp://127.0.0.1:1');
    const [theirs = '', ours = ''] = learners;
    const both = async (verb: string, ...rest: string[]): Promise<void> => {
      const expected = await ofEtcd('member', verb, theirs, ...rest);
      expect(normalised(await at(follower, 'member', verb, ours, ...rest)), verb).toEqual(normalised(expected));
    };
    await both('promote');
    await both('update', `--peer-urls=${second}`);
    const list = await at(follower, 'member', 'list');
    expect(list.stdout.split('\n').find((line) => line.startsWith(ours))).toMatch(`unstarted, , ${second}, , true`);
    await both('remove');
    await both('remove');
    expect((await at(follower, 'member', 'list')).stdout).not.toContain(ours);
  });

  it('refuses what cannot be, in the same words', async () => {
    const follower = await cluster.follower();
    await theSame(follower, 'member', 'remove', '1234');
    await theSame(follower, 'member', 'promote', '1234');
    await theSame(follower, 'member', 'update', '1234', '--peer-urls=http://127.0.0.1:9');
    await theSame(await cluster.leader(), 'move-leader', '1234');
    const etcdId = (await ofEtcd('member', 'list')).stdout.split(',')[0] ?? '';
    const promoted = await at(follower, 'member', 'promote', idOf(follower));
    expect(normalised(promoted)).toEqual(normalised(await ofEtcd('member', 'promote', etcdId)));
  });

  it('moves the leadership to the member that is named, asked at the leader', async () => {
    const [leader, follower] = [await cluster.leader(), await cluster.follower()];
    const moved = await etcdctl(
      binary,
      cluster.names.map((name) => cluster.address(name)),
      ['move-leader', idOf(follower)],
    );
    expect(moved.stdout).toBe(`Leadership transferred from ${idOf(leader)} to ${idOf(follower)}\n`);
    expect(await cluster.leader()).toBe(follower);
    const elsewhere = await at(leader, 'move-leader', idOf(leader));
    expect(elsewhere.code).toBe(128);
    expect(elsewhere.error).toContain('no leader endpoint');
  });

  it('removes the leader itself: it hands over, and its server stops', async () => {
    const leader = await cluster.leader();
    const { stopped } = cluster.server(leader);
    const id = idOf(leader);
    const removed = await at(leader, 'member', 'remove', id);
    expect(removed.stdout).toMatch(/^Member [ 0-9a-f]{16} removed from cluster [ 0-9a-f]{16}\n$/);
    expect(await stopped).toBeNull();
    expect(cluster.lines(leader).join('\n')).toContain('has left its cluster and stops');
    const others = cluster.names.filter((name) => name !== leader);
    const [other = ''] = others;
    await until(() => others.some((name) => cluster.server(name).node.isLeader));
    expect((await at(other, 'member', 'list')).stdout).not.toContain(id);
    expect((await at(other, 'put', 'still', 'here')).stdout).toBe('OK\n');
  });
});

/** Without what may differ: ids and addresses. */
function normalised({ code, stdout, error }: EtcdctlResult): EtcdctlResult {
  const plain = (text: string): string =>
    text
      .replaceAll(/ *\b[0-9a-f]{10,16}\b/g, ' ID')
      .replaceAll(/127\.0\.0\.1:\d+/g, 'ADDRESS')
      .replaceAll(/endpoint:\/\/[^"]*/g, 'ENDPOINT')
      .replaceAll(/"ts":"[^"]*"/g, '"ts":""');
  return { code, stdout: plain(stdout), error: plain(error) };
}
