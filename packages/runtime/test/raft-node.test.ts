import { continueApply, RaftError, RaftNode, type RaftNodeOptions, type StateMachine } from '@quorate/runtime';
import { describe, expect, it } from 'vitest';
import { command, Journal } from './support/counter.ts';
import { noDisk } from './support/no-disk.ts';
import { VirtualCluster, type VirtualServer } from './support/virtual-cluster.ts';
import { VirtualWorld } from './support/virtual-world.ts';

describe('options that cannot work', () => {
  const cases: readonly [string, Partial<RaftNodeOptions>, RegExp][] = [
    ['an empty id', { id: '' }, /1 to 64 characters/],
    ['the id that stands for nobody', { id: '-' }, /not just '-'/],
    [
      'a cluster without this member',
      { initialCluster: [{ id: 'b', address: 'b:1' }] },
      /does not name this member, 'a'/,
    ],
    ['a member named twice', { initialCluster: ['a', 'a'].map((id) => ({ id, address: 'x:1' })) }, /'a' twice/],
    [
      'timeouts upside down',
      { raft: { electionTimeoutMin: 10_000, electionTimeoutMax: 9_000 } },
      /is below electionTimeoutMin/,
    ],
    ['heartbeats too slow', { raft: { heartbeatInterval: 900_000 } }, /more than half of electionTimeoutMin/],
    ['a limit that is no number', { limits: { applySlice: Number.NaN } }, /limits.applySlice is NaN/],
    ['frames too small for commands', { transport: { maxFrameBytes: 1 << 20 } }, /maxFrameBytes is 1048576/],
    ['a cluster id that is none', { clusterId: 'mine' }, /16 lower-case hexadecimal digits/],
  ];
  for (const [what, difference, expected] of cases) {
    it(`${what}: InvalidOptions, with what to change`, async () => {
      const world = new VirtualWorld(1);
      const disk = { ...noDisk, close: (done: () => void) => void world.after(0, done) };
      const error = await settledIn(
        world,
        RaftNode.open({
          id: 'a',
          listen: 'a:1',
          initialCluster: [{ id: 'a', address: 'a:1' }],
          stateMachine: new Journal(),
          environment: world.environment('a', disk, () => true),
          ...difference,
        }),
      );
      expect(error).toMatchObject({ code: 'InvalidOptions' });
      expect(String(error)).toMatch(expected);
    });
  }

  it('storage limits out of bounds: InvalidOptions, with what to change', async () => {
    const cluster = new VirtualCluster(1, 1, { storage: { segmentBytes: 5 } });
    const [server] = cluster.servers;
    if (server === undefined) throw new Error('one server');
    cluster.start(server);
    await cluster.world.until(() => server.openError !== null, 'the refusal');
    expect(server.openError).toMatchObject({ code: 'InvalidOptions' });
    expect(String(server.openError)).toMatch(/segmentBytes/);
  });

  it('an address that is taken: ListenFailed', async () => {
    const cluster = new VirtualCluster(2, 2);
    const [one, two] = cluster.servers;
    if (one === undefined || two === undefined) throw new Error('two servers');
    cluster.start(one);
    await cluster.world.run(100_000);
    cluster.start(two, { listen: 's1:2380' });
    await cluster.world.until(() => two.openError !== null, 'the refusal');
    expect(two.openError).toMatchObject({ code: 'ListenFailed' });
  });
});

describe('a caller', () => {
  it('gets what apply returned', async () => {
    const { cluster, server, node } = await single();
    expect(await settledIn(cluster.world, node.propose(command('a')))).toMatchObject({ sum: 1 });
    expect(await settledIn(cluster.world, node.propose(command('b')))).toMatchObject({ sum: 2 });
    expect(server.machine.commands).toEqual(['a', 'b']);
  });

  it('hears at once that a command is too large', async () => {
    const { cluster, node } = await single({ raft: { maxCommandBytes: 100, maxAppendBytes: 100 } });
    const error = await settledIn(cluster.world, node.propose(new Uint8Array(101)));
    expect(error).toMatchObject({ code: 'TooLarge', definite: true, retryAfter: null });
  });

  it('hears "busy" with a time to try again when too many wait', async () => {
    const { cluster, node } = await single({ limits: { maxPendingProposals: 10 } });
    const all = Array.from({ length: 10 }, (_, i) => node.propose(command(`${i}`)).then(() => 'applied', code));
    const error = await settledIn(cluster.world, node.propose(command('one too many')));
    expect(error).toMatchObject({ code: 'Busy', definite: true, retryAfter: 50 });
    expect(await settledIn(cluster.world, Promise.all(all))).toEqual(Array<string>(10).fill('applied'));
  });

  it('hears "busy" as well when too many changes of membership wait', async () => {
    const { cluster, node } = await single({ limits: { maxPendingChanges: 2 } });
    const update = [{ op: 'update', id: node.id, context: 'moved' }] as const;
    await settledIn(cluster.world, node.propose(command('its life is bound')));
    await cluster.world.run(1_000_000);
    const all = [node.changeMembers(update), node.transferLeadership(node.id)].map((each) =>
      each.then(() => 'done', code),
    );
    const refused = await settledIn(cluster.world, node.changeMembers(update));
    expect(refused).toMatchObject({ code: 'ChangeRefused', reason: 'busy', definite: true, retryAfter: 50 });
    expect(await settledIn(cluster.world, Promise.all(all))).toEqual(['done', 'done']);
    await settledIn(cluster.world, node.changeMembers(update));
  });

  it('may give up before the command was handed over: certainly no effect', async () => {
    const { cluster, server, node } = await single();
    const controller = new AbortController();
    const promise = node.propose(command('never'), { signal: controller.signal });
    controller.abort();
    expect(await settledIn(cluster.world, promise)).toMatchObject({ code: 'Aborted', definite: true });
    await settledIn(cluster.world, node.propose(command('next')));
    expect(server.machine.commands).toEqual(['next']);
  });

  it('may give up later: the outcome is not certain', async () => {
    const cluster = new VirtualCluster(3, 3);
    await cluster.startAll();
    const leader = await cluster.leader();
    cluster.world.network.isolate(leader.id, cluster.ids);
    const controller = new AbortController();
    const promise = cluster.node(leader.id).propose(command('perhaps'), { signal: controller.signal });
    await cluster.world.run(10_000);
    controller.abort();
    expect(await settledIn(cluster.world, promise)).toMatchObject({ code: 'Aborted', definite: false });
    const late = cluster.node(leader.id).propose(command('late'), { timeout: 100 });
    expect(await settledIn(cluster.world, late)).toMatchObject({ code: 'OutcomeUnknown', definite: false });
    const read = cluster.node(leader.id).readBarrier({ timeout: 100 });
    expect(await settledIn(cluster.world, read)).toMatchObject({ code: 'Timeout' });
  });

  it('with a signal that is aborted already gets nowhere', async () => {
    const { cluster, node } = await single();
    const signal = AbortSignal.abort();
    expect(await settledIn(cluster.world, node.propose(command('x'), { signal }))).toMatchObject({ code: 'Aborted' });
    expect(await settledIn(cluster.world, node.readBarrier({ signal }))).toMatchObject({ code: 'Aborted' });
  });

  it('at a follower whose leader cannot be reached hears definitely that nothing was appended', async () => {
    const cluster = new VirtualCluster(4, 3);
    await cluster.startAll();
    const leader = await cluster.leader();
    const follower = cluster.servers.find((it) => it !== leader);
    if (follower === undefined) throw new Error('no follower');
    await cluster.world.until(() => follower.node?.status().peers.every((it) => it.connected) === true, 'connections');
    cluster.kill(leader);
    const isCutOff = (): boolean =>
      follower.node?.status().peers.find(({ id }) => id === leader.id)?.connected === false;
    await cluster.world.until(isCutOff, 'the broken connection');
    expect(follower.node?.leader).toBe(leader.id);
    const error = await settledIn(cluster.world, cluster.node(follower.id).propose(command('x')));
    expect(error).toMatchObject({ code: 'NotLeader', definite: true });
  });
});

describe('events', () => {
  it('tell role, leader and progress, until one stops listening', async () => {
    const cluster = new VirtualCluster(5, 1);
    const [server] = cluster.servers;
    if (server === undefined) throw new Error('one server');
    cluster.start(server);
    await cluster.world.until(() => server.node !== null, 'the node');
    const node = cluster.node('s1');
    const seen: string[] = [];
    const applied: number[] = [];
    node.on('role', ({ role, term }) => seen.push(`${role} ${term}`));
    node.on('leader', ({ leader, term }) => seen.push(`${leader} ${term}`));
    const stop = node.on('applied', (index) => applied.push(index));
    await cluster.leader();
    await settledIn(cluster.world, node.propose(command('x')));
    expect(seen).toContain('leader 1');
    expect(seen).toContain('s1 1');
    expect(applied.at(-1)).toBe(node.appliedIndex);
    stop();
    const before = applied.length;
    await settledIn(cluster.world, node.propose(command('y')));
    expect(applied).toHaveLength(before);
  });

  it('that a listener throws at do the node no harm', async () => {
    const { cluster, node } = await single();
    node.on('applied', () => {
      throw new Error('the listener is broken');
    });
    expect(await settledIn(cluster.world, node.propose(command('x')))).toMatchObject({ sum: 1 });
    await expect(cluster.world.run(10_000)).rejects.toThrow('the listener is broken');
    expect(node.role).toBe('leader');
  });
});

describe('an end', () => {
  it('in good order answers what is in flight, refuses what comes after, and frees the directory', async () => {
    const { cluster, server, node } = await single();
    const inFlight = Array.from({ length: 20 }, (_, i) => node.propose(command(`${i}`)).then(() => 'applied', code));
    const closing = node.close();
    const after = node.propose(command('after')).then(() => 'applied', code);
    expect(await settledIn(cluster.world, Promise.all(inFlight))).toEqual(Array<string>(20).fill('applied'));
    expect(await settledIn(cluster.world, after)).toBe('ShuttingDown');
    await settledIn(cluster.world, closing);
    expect(await settledIn(cluster.world, node.closed)).toBeNull();
    expect(server.disk.held).toBe(false);
    await settledIn(cluster.world, node[Symbol.asyncDispose]());
  });

  it('without a majority is bounded, and leaves callers with the truth', async () => {
    const cluster = new VirtualCluster(6, 3);
    await cluster.startAll();
    const leader = await cluster.leader();
    cluster.world.network.isolate(leader.id, cluster.ids);
    const node = cluster.node(leader.id);
    const stuck = node.propose(command('stuck')).then(() => 'applied', code);
    await cluster.world.run(1_000);
    const start = cluster.world.now;
    await settledIn(cluster.world, node.close());
    expect(cluster.world.now - start).toBeLessThan(1_100_000);
    expect(await settledIn(cluster.world, stuck)).toBe('OutcomeUnknown');
  });

  it('comes by a failing disk: the node stops, says why, and the others go on', async () => {
    const cluster = new VirtualCluster(7, 3);
    await cluster.startAll();
    const leader = await cluster.leader();
    const node = cluster.node(leader.id);
    const fatal: RaftError[] = [];
    node.on('fatal', (error) => fatal.push(error));
    leader.disk.failAt = { operation: leader.disk.operations + 2, code: 'EIO' };
    const told = node.propose(command('x')).then(() => 'applied', code);
    const reason = await settledIn(cluster.world, node.closed);
    expect(reason).toMatchObject({ code: 'StorageFailed' });
    expect(fatal).toEqual([reason]);
    expect(['applied', 'OutcomeUnknown']).toContain(await settledIn(cluster.world, told));
    const others = cluster.servers.filter((server) => server !== leader);
    leader.node = null;
    await cluster.leader(others);
  });

  it('comes by a state machine that throws', async () => {
    const broken: StateMachine = {
      ...machineOf(),
      apply: () => {
        throw new Error('cannot divide by zero');
      },
    };
    const { cluster, node } = await single({ stateMachine: broken });
    const told = node.propose(command('x')).then(() => 'applied', code);
    expect(await settledIn(cluster.world, node.closed)).toMatchObject({ code: 'StateMachineFailed' });
    expect(await settledIn(cluster.world, told)).toBe('OutcomeUnknown');
    expect(cluster.world.logged(/threw on the command at index \d+: cannot divide by zero/)).toHaveLength(1);
  });
});

describe('a long command', () => {
  it('is applied in pieces, with everything else in between, and is answered once', async () => {
    let calls = 0;
    const slow: StateMachine = { ...machineOf(), apply: () => (++calls % 100 === 0 ? `done ${calls}` : continueApply) };
    const { cluster, node } = await single({ stateMachine: slow });
    const first = node.propose(command('x'));
    const second = node.propose(command('y'));
    expect(await settledIn(cluster.world, first)).toBe('done 100');
    expect(await settledIn(cluster.world, second)).toBe('done 200');
  });
});

describe('a state machine that is durable in itself', () => {
  it('is told again only what it has not applied', async () => {
    const cluster = new VirtualCluster(8, 1);
    const [server] = cluster.servers;
    if (server === undefined) throw new Error('one server');
    const applied: number[] = [];
    const durable: StateMachine = {
      ...machineOf(),
      kind: 'durable',
      appliedIndex: () => applied.at(-1) ?? 0,
      apply: ({ index }) => applied.push(index),
    };
    cluster.start(server, { stateMachine: durable });
    await cluster.leader();
    for (let i = 0; i < 5; i++) await settledIn(cluster.world, cluster.node('s1').propose(command(`${i}`)));
    cluster.kill(server);
    cluster.start(server, { stateMachine: durable });
    await cluster.leader();
    await settledIn(cluster.world, cluster.node('s1').propose(command('again')));
    expect(applied).toHaveLength(6);
    expect(new Set(applied).size).toBe(6);
  });

  it('that holds more than the log is refused', async () => {
    const cluster = new VirtualCluster(9, 1);
    const [server] = cluster.servers;
    if (server === undefined) throw new Error('one server');
    cluster.start(server, { stateMachine: { ...machineOf(), kind: 'durable', appliedIndex: () => 1000 } });
    await cluster.world.until(() => server.openError !== null, 'the refusal');
    expect(server.openError).toMatchObject({ code: 'StateMachineFailed' });
  });
});

function machineOf(): StateMachine {
  return {
    kind: 'memory',
    appliedIndex: () => 0,
    apply: () => null,
    openSnapshot: () => ({ next: () => null, close: () => undefined }),
    beginRestore: () => ({ write: () => undefined, finish: () => undefined, abort: () => undefined }),
  };
}

async function single(
  options: Partial<RaftNodeOptions> = {},
): Promise<{ readonly cluster: VirtualCluster; readonly server: VirtualServer; readonly node: RaftNode }> {
  const cluster = new VirtualCluster(99, 1);
  const [server] = cluster.servers;
  if (server === undefined) throw new Error('one server');
  cluster.start(server, options);
  await cluster.leader();
  return { cluster, server, node: cluster.node('s1') };
}

function code(error: unknown): string {
  return error instanceof RaftError ? error.code : String(error);
}

/** Runs the world until the promise settles; gives its value or its error. */
async function settledIn(world: VirtualWorld, promise: Promise<unknown>): Promise<unknown> {
  const results: unknown[] = [];
  promise.then(
    (value) => results.push(value),
    (error: unknown) => results.push(error),
  );
  await world.until(() => results.length > 0, 'the promise settles');
  return results[0];
}
