import { RaftError } from '@quorate/runtime';
import { describe, expect, it } from 'vitest';
import { command } from './support/counter.ts';
import { VirtualCluster } from './support/virtual-cluster.ts';

describe('a cluster of three', () => {
  it('elects one leader, and takes commands at every server', async () => {
    const cluster = new VirtualCluster(1, 3);
    await cluster.startAll();
    await cluster.leader();
    const answers: unknown[] = [];
    for (let i = 0; i < 30; i++) {
      cluster.node(`s${(i % 3) + 1}`).proposeWith(command(`c${i}`), (outcome) => answers.push(outcome));
    }
    await cluster.world.until(() => answers.length === 30, 'all answers');
    expect(answers.every((answer) => (answer as { kind: string }).kind === 'applied')).toBe(true);
    await cluster.converged();
    for (const { machine } of cluster.servers) {
      expect(machine.commands).toEqual(cluster.servers[0]?.machine.commands);
      expect(new Set(machine.commands).size).toBe(30);
    }
  });

  it('continues where it was after all servers lost their power at once', async () => {
    const cluster = new VirtualCluster(2, 3);
    await cluster.startAll();
    const leader = await cluster.leader();
    const acknowledged = await proposeAll(cluster, leader.id, 50);
    for (const server of cluster.servers) cluster.kill(server);
    for (const server of cluster.servers) cluster.restart(server);
    await cluster.leader();
    await cluster.converged();
    for (const { machine } of cluster.servers) {
      expect(acknowledged.every((text) => machine.commands.includes(text))).toBe(true);
      expect(new Set(machine.commands).size).toBe(machine.commands.length);
    }
  });

  it.each([
    ['in time for the callers of the old leader to learn that their commands were dropped', 60_000_000, 'dropped'],
    ['too late for them: they were told that it cannot be known', 500_000, 'unknown'],
  ])('goes on without its leader, which comes back %s', async (_, leaderLossGrace, outcome) => {
    const cluster = new VirtualCluster(3, 3, { limits: { leaderLossGrace, requestTimeout: 60_000_000 } });
    await cluster.startAll();
    const old = await cluster.leader();
    const others = cluster.servers.filter((server) => server !== old);
    cluster.world.network.isolate(old.id, cluster.ids);
    const outcomes: string[] = [];
    for (let i = 0; i < 5; i++) {
      cluster.node(old.id).proposeWith(command(`lost${i}`), (it) => {
        outcomes.push(it.kind === 'refused' ? it.reason : it.kind);
      });
    }
    const next = await cluster.leader(others);
    await proposeAll(cluster, next.id, 20);
    if (outcome === 'unknown') await cluster.world.until(() => outcomes.length === 5, 'outcomes while it is cut off');
    else expect(outcomes).toEqual([]);
    cluster.world.network.heal();
    await cluster.converged();
    await cluster.world.until(() => outcomes.length === 5, 'outcomes of the commands of the old leader');
    expect(outcomes).toEqual([outcome, outcome, outcome, outcome, outcome]);
    for (const { machine } of cluster.servers) expect(machine.commands.some((it) => it.startsWith('lost'))).toBe(false);
  });

  it('refuses writes and reads without a majority, and says so in time', async () => {
    const cluster = new VirtualCluster(4, 3, { limits: { requestTimeout: 2_000_000 } });
    await cluster.startAll();
    const leader = await cluster.leader();
    for (const server of cluster.servers) if (server !== leader) cluster.kill(server);
    const kinds: string[] = [];
    cluster.node(leader.id).proposeWith(command('x'), (outcome) => kinds.push(outcome.kind));
    cluster.node(leader.id).readBarrierWith((outcome) => kinds.push(outcome.kind));
    await cluster.world.until(() => kinds.length === 2, 'both outcomes', 3_000_000);
    expect(kinds.sort()).toEqual(['refused', 'unknown']);
    await cluster.world.until(() => cluster.node(leader.id).leader === null, 'the leader has stepped down', 5_000_000);
    const error = await settledIn(cluster, cluster.node(leader.id).propose(command('y')));
    expect(error).toMatchObject({ code: 'NotLeader', definite: true, leader: null });
  });

  it('answers a read only with what was acknowledged before it', async () => {
    const cluster = new VirtualCluster(5, 3);
    await cluster.startAll();
    const leader = await cluster.leader();
    for (let i = 0; i < 20; i++) {
      await proposeAll(cluster, leader.id, 1, `w${i}-`);
      for (const { id, machine } of cluster.servers) {
        await settledIn(cluster, cluster.node(id).readBarrier());
        expect(machine.commands).toHaveLength(i + 1);
      }
    }
  });

  it('is not disturbed by a follower that stood still for longer than its election timeout', async () => {
    const cluster = new VirtualCluster(6, 3);
    await cluster.startAll();
    const leader = await cluster.leader();
    const { term } = cluster.node(leader.id);
    const follower = cluster.servers.find((server) => server !== leader);
    if (follower === undefined) throw new Error('no follower');
    cluster.world.freeze(follower.id);
    await cluster.world.run(4_000_000);
    cluster.world.thaw(follower.id);
    await cluster.world.run(5_000_000);
    expect(cluster.node(leader.id).term).toBe(term);
    expect(cluster.node(leader.id).isLeader).toBe(true);
    expect(cluster.world.logged(/stood still/).map((line) => line.server)).toEqual([follower.id]);
  });
});

describe('a follower that was away for long', () => {
  const limits = { snapshotMinLogBytes: 4000, snapshotTrailingEntries: 5 };

  it('catches up by a snapshot and then follows the log', async () => {
    const cluster = new VirtualCluster(10, 3, { limits, raft: { maxLogCacheBytes: 1000 } });
    await cluster.startAll();
    const leader = await cluster.leader();
    const away = cluster.servers.find((server) => server !== leader);
    if (away === undefined) throw new Error('no follower');
    cluster.kill(away);
    for (let round = 0; round < 20; round++) await proposeAll(cluster, leader.id, 25, `r${round}-`);
    expect(cluster.node(leader.id).status().baseIndex).toBeGreaterThan(100);
    cluster.restart(away);
    await cluster.world.until(() => away.node !== null, 'the follower is up');
    await proposeAll(cluster, leader.id, 10, 'late');
    await cluster.converged();
    expect(away.machine.restores).toBe(1);
    expect(away.machine.commands).toEqual(leader.machine.commands);
    expect(away.machine.commands).toHaveLength(510);
  });

  it('catches up from the log on disk when memory no longer holds it', async () => {
    const cluster = new VirtualCluster(11, 3, { raft: { maxLogCacheBytes: 500 } });
    await cluster.startAll();
    const leader = await cluster.leader();
    const away = cluster.servers.find((server) => server !== leader);
    if (away === undefined) throw new Error('no follower');
    cluster.kill(away);
    for (let round = 0; round < 5; round++) await proposeAll(cluster, leader.id, 50, `r${round}-`);
    cluster.restart(away);
    await cluster.world.until(() => away.node !== null, 'the follower is up');
    await cluster.converged();
    expect(away.machine.restores).toBe(0);
    expect(away.machine.commands).toEqual(leader.machine.commands);
  });

  it('goes on with an interrupted snapshot where it stopped', async () => {
    const transport = { snapshotChunkBytes: 512, snapshotQueuedBytes: 512 };
    const cluster = new VirtualCluster(12, 3, { limits, transport, raft: { maxLogCacheBytes: 1000 } });
    await cluster.startAll();
    const leader = await cluster.leader();
    const away = cluster.servers.find((server) => server !== leader);
    if (away === undefined) throw new Error('no follower');
    cluster.world.network.isolate(away.id, cluster.ids);
    for (let round = 0; round < 40; round++) await proposeAll(cluster, leader.id, 25, `r${round}-`);
    cluster.world.network.heal();
    await cluster.world.until(() => cluster.world.logged(/receiving a snapshot/).length === 1, 'the stream has begun');
    await cluster.world.run(3_000);
    cluster.world.network.cut(leader.id, away.id);
    await cluster.world.run(500_000);
    cluster.world.network.heal();
    await cluster.converged();
    expect(cluster.world.logged(/receiving a snapshot/).length).toBeGreaterThan(1);
    expect(away.machine.commands).toEqual(leader.machine.commands);
  });

  it('arrives, even though the others take snapshots faster than it can receive one', async () => {
    const transport = { snapshotChunkBytes: 256, snapshotQueuedBytes: 256 };
    const cluster = new VirtualCluster(14, 3, { limits, transport, raft: { maxLogCacheBytes: 1000 } });
    await cluster.startAll();
    const leader = await cluster.leader();
    const away = cluster.servers.find((server) => server !== leader);
    if (away === undefined) throw new Error('no follower');
    cluster.kill(away);
    for (let round = 0; round < 20; round++) await proposeAll(cluster, leader.id, 25, `r${round}-`);
    cluster.restart(away);
    await cluster.world.until(() => cluster.world.logged(/receiving a snapshot/).length > 0, 'the stream has begun');
    const before = cluster.world.logged(/snapshot taken/).length;
    for (let round = 0; away.machine.restores === 0; round++) await proposeAll(cluster, leader.id, 50, `busy${round}-`);
    expect(cluster.world.logged(/snapshot taken/).length).toBeGreaterThan(before + 2);
    await cluster.converged();
    expect(away.machine.restores).toBe(1);
    expect(away.machine.commands).toEqual(leader.machine.commands);
  });

  describe('together with another', () => {
    const transport = { snapshotChunkBytes: 512, snapshotQueuedBytes: 512 };

    /** Two of five have missed so much that they need a snapshot. */
    async function twoAway(seed: number) {
      const cluster = new VirtualCluster(seed, 5, { limits, transport, raft: { maxLogCacheBytes: 1000 } });
      await cluster.startAll();
      const leader = await cluster.leader();
      const away = cluster.servers.filter((server) => server !== leader).slice(0, 2);
      for (const server of away) cluster.kill(server);
      for (let round = 0; round < 40; round++) await proposeAll(cluster, leader.id, 25, `r${round}-`);
      for (const server of away) cluster.restart(server);
      await cluster.world.until(() => away.every(({ node }) => node !== null), 'the followers are up');
      return { cluster, leader, away };
    }

    it('waits until the other has its snapshot', async () => {
      const { cluster, leader, away } = await twoAway(15);
      await cluster.converged();
      const began = cluster.world.logged(/receiving a snapshot/);
      const ended = cluster.world.logged(/received a snapshot/);
      const [first, second] = began;
      const whole = ended.find(({ server }) => server === first?.server);
      if (first === undefined || second === undefined || whole === undefined) throw new Error('no snapshots');
      expect(began).toHaveLength(2);
      expect(second.server).not.toBe(first.server);
      // The last bytes are still on their way when it is the other's turn.
      const length = whole.at - first.at;
      expect(length).toBeGreaterThan(5_000);
      expect(second.at - first.at).toBeGreaterThan(0.7 * length);
      for (const { machine } of away) expect(machine.commands).toEqual(leader.machine.commands);
    });

    it('does not wait for one that takes nothing', async () => {
      const { cluster, leader } = await twoAway(15);
      await cluster.world.until(() => cluster.world.logged(/receiving a snapshot/).length === 1, 'a stream has begun');
      const [first] = cluster.world.logged(/receiving a snapshot/);
      if (first === undefined) throw new Error('no snapshot');
      cluster.world.network.silence(leader.id, first.server);
      await cluster.world.run(500_000);
      const others = cluster.world.logged(/received a snapshot/).map(({ server }) => server);
      expect(others).toHaveLength(1);
      expect(others).not.toContain(first.server);
      // Until the silent connection is given up.
      await cluster.world.run(6_000_000);
      cluster.world.network.heal();
      await cluster.converged();
    });
  });

  it('says that no leader can be elected when answers take longer than the election timeout', async () => {
    const raft = { electionTimeoutMin: 50_000, electionTimeoutMax: 70_000, heartbeatInterval: 10_000 };
    const cluster = new VirtualCluster(14, 3, { raft });
    const { network } = cluster.world;
    network.latency = { min: 50_000, max: 50_100 };
    await cluster.startAll();
    await cluster.world.run(20_000_000);
    expect(cluster.live.map(({ node }) => node?.leader)).toEqual([null, null, null]);
    const warnings = cluster.world.logged(/no leader is elected, and \d+0 answers came too late .* 50 to 70 ms/);
    // One at ten answers and one at a hundred, of each server.
    expect(warnings).toHaveLength(6);
    network.latency = { min: 50, max: 300 };
    await cluster.leader();
  });

  it('restarts from its own snapshot', async () => {
    const cluster = new VirtualCluster(13, 1, { limits });
    await cluster.startAll();
    await cluster.leader();
    for (let round = 0; round < 20; round++) await proposeAll(cluster, 's1', 25, `r${round}-`);
    const [server] = cluster.servers;
    if (server === undefined) throw new Error('no server');
    const before = server.machine.commands;
    cluster.kill(server);
    cluster.restart(server);
    await cluster.leader();
    await cluster.converged();
    expect(server.machine.restores).toBe(1);
    expect(server.machine.commands).toEqual(before);
  });
});

async function proposeAll(
  cluster: VirtualCluster,
  id: string,
  count: number,
  prefix = 'c',
): Promise<readonly string[]> {
  const done: string[] = [];
  for (let i = 0; i < count; i++) {
    const text = `${prefix}${i}`;
    cluster.node(id).proposeWith(command(text), (outcome) => {
      if (outcome.kind !== 'applied') throw new Error(`${text}: ${outcome.kind} ${outcome.message}`);
      done.push(text);
    });
  }
  await cluster.world.until(() => done.length === count, `${count} commands applied at ${id}`);
  return done;
}

/** Runs the world until the promise settles; gives its value or its error. */
async function settledIn(cluster: VirtualCluster, promise: Promise<unknown>): Promise<unknown> {
  let result: { value: unknown } | null = null;
  promise.then(
    (value) => {
      result = { value };
    },
    (error: unknown) => {
      expect(error).toBeInstanceOf(RaftError);
      result = { value: error };
    },
  );
  await cluster.world.until(() => result !== null, 'the promise settles');
  return (result as { value: unknown } | null)?.value;
}
