/** Changes of membership and of leadership, with whole servers: disks, connections, callers. */
import { RaftError, type RaftNode, type RaftNodeStatus } from '@quorate/runtime';
import { describe, expect, it } from 'vitest';
import { command } from './support/counter.ts';
import { address, VirtualCluster } from './support/virtual-cluster.ts';

const clusterId = '00000000000000aa';

/** Servers s1 … of which the first `founders` found the cluster; the others are not started. */
async function foundedBy(seed: number, founders: number, size: number): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(seed, size);
  const initialCluster = foundersOf(cluster, founders);
  for (const server of cluster.servers.slice(0, founders)) cluster.start(server, { clusterId, initialCluster });
  await cluster.world.until(() => cluster.live.length === founders, 'the founders are up');
  await cluster.leader(cluster.servers.slice(0, founders));
  await cluster.world.until(() => cluster.live.every(({ node }) => node !== null && isSteady(node)), 'all are bound');
  return cluster;
}

/** It knows every founder's life, for good: from here on the leader lets the membership be changed. */
function isSteady({ configuration, commitIndex }: RaftNode): boolean {
  return configuration.members.every(({ incarnation }) => incarnation !== null) && configuration.index <= commitIndex;
}

function foundersOf(cluster: VirtualCluster, count: number) {
  return cluster.ids.slice(0, count).map((id) => ({ id, address: address(id) }));
}

/** Starts servers that wait to be let in. */
async function startWaiting(cluster: VirtualCluster, ids: readonly string[], founders: number): Promise<void> {
  for (const id of ids) {
    const initialCluster = foundersOf(cluster, founders);
    cluster.start(cluster.server(id), { clusterId, initialCluster, initialClusterState: 'existing' });
  }
  await cluster.world.until(() => ids.every((id) => cluster.server(id).node !== null), 'the newcomers are up');
}

function add(id: string) {
  return { op: 'add', id, context: address(id), voter: true } as const;
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

/** Writes at one server until told to stop; says what was acknowledged. */
function writer(cluster: VirtualCluster, at: () => string | null) {
  const acknowledged: string[] = [];
  let isOn = true;
  let count = 0;
  const next = (): void => {
    if (!isOn) return;
    const id = at();
    const text = `w${count++}`;
    const node = id === null ? null : cluster.server(id).node;
    if (node === null) return void cluster.world.after(10_000, next);
    node.proposeWith(command(text), (outcome) => {
      if (outcome.kind === 'applied') acknowledged.push(text);
      cluster.world.after(1_000, next);
    });
  };
  next();
  return { acknowledged, stop: () => (isOn = false) };
}

describe('the membership changes', () => {
  it('from three servers to nine in one change, under load, and no write is lost', async () => {
    const cluster = await foundedBy(1, 3, 9);
    const load = writer(cluster, () => 's1');
    await startWaiting(cluster, cluster.ids.slice(3), 3);
    const configuration = await settled(cluster, cluster.node('s2').changeMembers(cluster.ids.slice(3).map(add)));
    expect(configuration.voters).toEqual(cluster.ids);
    const before = load.acknowledged.length;
    await cluster.world.until(() => load.acknowledged.length > before + 20, 'more writes');
    load.stop();
    await cluster.converged();
    for (const { machine } of cluster.servers) {
      expect(load.acknowledged.every((text) => machine.commands.includes(text))).toBe(true);
    }
  });

  it('so that three others take the place of all three, which learn that they are out', async () => {
    const cluster = await foundedBy(2, 3, 6);
    const load = writer(
      cluster,
      () => cluster.live.find(({ id, node }) => id > 's3' && node?.leader !== null)?.id ?? null,
    );
    const out: string[] = [];
    for (const id of ['s1', 's2', 's3']) cluster.node(id).on('removed', () => out.push(id));
    await startWaiting(cluster, ['s4', 's5', 's6'], 3);
    const change = [...['s4', 's5', 's6'].map(add), ...['s1', 's2', 's3'].map((id) => ({ op: 'remove', id }) as const)];
    await settled(cluster, cluster.node('s1').changeMembers(change));
    const others = cluster.servers.slice(3);
    const leader = await cluster.leader(others);
    expect(leader.node?.configuration.voters).toEqual(['s4', 's5', 's6']);
    await cluster.world.until(() => out.length === 3, 'the old ones learn it');
    for (const id of out) cluster.kill(cluster.server(id));
    const before = load.acknowledged.length;
    await cluster.world.until(() => load.acknowledged.length > before + 20, 'writes without the old ones');
    load.stop();
    await cluster.converged();
    for (const { machine } of others) {
      expect(load.acknowledged.every((text) => machine.commands.includes(text))).toBe(true);
    }
  });

  it('without its leader: it hands over and goes', async () => {
    const cluster = await foundedBy(3, 3, 3);
    const leader = await cluster.leader();
    await settled(cluster, cluster.node(leader.id).changeMembers([{ op: 'remove', id: leader.id }]));
    const others = cluster.servers.filter((server) => server !== leader);
    const next = await cluster.leader(others);
    expect(next.node?.configuration.former).toEqual([
      { id: leader.id, incarnation: leader.node?.status().incarnation },
    ]);
  });

  it('so that a server without its disk is let in again, and counts', async () => {
    const cluster = await foundedBy(4, 3, 3);
    await cluster.leader();
    const [first] = cluster.servers;
    if (first === undefined) throw new Error('no server');
    cluster.kill(first);
    cluster.wipe(first);
    await startWaiting(cluster, ['s1'], 3);
    const leader = await cluster.leader(cluster.servers.slice(1));
    // A leader takes no change before it has committed in its own term.
    const status = (): RaftNodeStatus => cluster.node(leader.id).status();
    await cluster.world.until(() => status().commitIndex === status().lastIndex, 'the beginning of its term');
    const { incarnation } = cluster.node('s1').status();
    const readmission = [{ op: 'readmit', id: 's1', incarnation }] as const;
    const configuration = await settled(cluster, cluster.node(leader.id).changeMembers(readmission));
    expect(configuration.voters).toEqual(['s1', 's2', 's3']);
    // Now the cluster can do without another one.
    const [gone] = cluster.servers.filter((server) => server !== first && server !== leader);
    if (gone !== undefined) cluster.kill(gone);
    let outcome: string | null = null;
    cluster.node(leader.id).proposeWith(command('counts'), ({ kind }) => (outcome = kind));
    await cluster.world.until(() => outcome !== null, 'the outcome');
    expect(outcome).toBe('applied');
  });

  it('not by a stale view, and not without a reason', async () => {
    const cluster = await foundedBy(5, 3, 3);
    const { version } = cluster.node('s1').configuration;
    const stale = cluster.node('s1').changeMembers([{ op: 'remove', id: 's3' }], { version: version + 1 });
    await expect(settled(cluster, stale)).rejects.toMatchObject({ code: 'ChangeRefused', reason: 'staleView' });
    const unknown = cluster.node('s2').changeMembers([{ op: 'remove', id: 'nobody' }]);
    await expect(settled(cluster, unknown)).rejects.toMatchObject({ code: 'ChangeRefused', reason: 'unknownMember' });
  });
});

describe('leadership is handed over', () => {
  it('to the server that is named, while others write', async () => {
    const cluster = await foundedBy(6, 3, 3);
    const leader = await cluster.leader();
    const [target] = cluster.ids.filter((id) => id !== leader.id);
    const load = writer(cluster, () => target ?? null);
    await settled(cluster, cluster.node(leader.id).transferLeadership(target));
    expect((await cluster.leader()).id).toBe(target);
    const before = load.acknowledged.length;
    await cluster.world.until(() => load.acknowledged.length > before + 5, 'writes under the new leader');
    load.stop();
  });

  it('by the leader alone', async () => {
    const cluster = await foundedBy(7, 3, 3);
    const leader = await cluster.leader();
    const [other] = cluster.ids.filter((id) => id !== leader.id);
    const refused = cluster.node(other ?? '').transferLeadership();
    await expect(settled(cluster, refused)).rejects.toBeInstanceOf(RaftError);
    await expect(settled(cluster, refused)).rejects.toMatchObject({ code: 'NotLeader', leader: leader.id });
  });
});
