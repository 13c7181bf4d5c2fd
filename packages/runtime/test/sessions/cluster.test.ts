import {
  openSession,
  RaftError,
  type RaftNode,
  type Session,
  type SessionAnswer,
  type SessionServer,
  withSessions,
} from '@quorate/runtime';
import { describe, expect, it } from 'vitest';
import { command, type CounterResult } from '../support/counter.ts';
import { counterAnswers } from '../support/session-machines.ts';
import { type ClusterOptions, VirtualCluster, type VirtualServer } from '../support/virtual-cluster.ts';

type Node = RaftNode<SessionAnswer<CounterResult>>;

describe('a counter that is incremented through sessions', () => {
  it.each([1, 2, 3, 4, 5, 6])('counts every increment once while leaders are killed, seed %i', async (seed) => {
    const cluster = await started(seed, { limits: { snapshotMinLogBytes: 3000, snapshotTrailingEntries: 5 } });
    const sessions = await Promise.all([1, 2, 3].map((number) => opened(cluster, { window: number * 2 })));
    const increments = sessions.map((session, at) => new Increments(session, `c${at}-`, 80));
    for (let kills = 0; kills < 4; kills++) {
      await cluster.world.run(400_000);
      const leader = await cluster.leader();
      cluster.kill(leader);
      await cluster.world.run(600_000);
      cluster.restart(leader);
    }
    await cluster.world.until(() => increments.every((each) => each.isDone), 'all increments answered');
    expect(increments.every((each) => each.sent > 20)).toBe(true);
    await expectOnce(cluster, increments);
    expect(increments.some((each) => each.attempts() > each.sent)).toBe(true);
  });

  it('counts every increment once while the network loses answers and servers come and go', async () => {
    const cluster = await started(11, { limits: { requestTimeout: 300_000 } });
    const session = await opened(cluster, { window: 16 });
    const increments = new Increments(session, 'c', 200);
    for (let round = 0; round < 6; round++) {
      const victim = cluster.servers[round % 3];
      if (victim === undefined) throw new Error('no server');
      cluster.world.network.isolate(victim.id, cluster.ids);
      await cluster.world.run(1_500_000);
      cluster.world.network.heal();
      await cluster.world.run(300_000);
    }
    await cluster.world.until(() => increments.isDone, 'all increments answered');
    await expectOnce(cluster, [increments]);
  });

  it('takes effect in the order of the calls with a window of 1', async () => {
    const cluster = await started(21);
    const session = await opened(cluster, { window: 1 });
    const calls = Array.from({ length: 30 }, (_, number) => session.propose(command(`c${number}`)));
    const leader = await cluster.leader();
    cluster.kill(leader);
    await inWorld(cluster, Promise.all(calls));
    cluster.restart(leader);
    await cluster.world.until(() => leader.node !== null, 'the server is back');
    await cluster.converged();
    expect(cluster.server('s1').machine.commands).toEqual(calls.map((_, number) => `c${number}`));
  });

  it('says of the commands of a session that was pushed out that they have no effect', async () => {
    const cluster = await started(31);
    const limits = { maxSessions: 1 };
    const first = await opened(cluster, { limits });
    const second = await opened(cluster, { limits });
    const error = await inWorld(
      cluster,
      first.propose(command('lost')).catch((it: unknown) => it),
    );
    expect(error).toMatchObject({ code: 'SessionExpired', definite: true });
    expect(first.state).toBe('expired');
    await inWorld(cluster, second.propose(command('counted')));
    await inWorld(cluster, first.close());
    await cluster.converged();
    for (const { machine } of cluster.servers) expect(machine.commands).toEqual(['counted']);
  });

  it('keeps nothing of a session that was closed', async () => {
    const cluster = new VirtualCluster(41, 1, {
      wrap: (journal) => withSessions(journal, { answers: counterAnswers }),
    });
    await cluster.startAll();
    const session = await opened(cluster);
    await inWorld(cluster, session.propose(command('x')));
    await inWorld(cluster, session.close());
    expect(session.state).toBe('closed');
    const answer = await inWorld(
      cluster,
      session.propose(command('y')).catch((it: unknown) => it),
    );
    expect(answer).toMatchObject({ code: 'SessionClosed', definite: true });
  });
});

/** As many increments as fit into the window, one after the other, until `count` are answered. */
class Increments {
  readonly texts: string[] = [];
  readonly sums: number[] = [];
  readonly #session: Counted;
  #failed: unknown = null;

  constructor(session: Counted, prefix: string, count: number) {
    this.#session = session;
    const calls = Array.from({ length: count }, async (_, number) => {
      const text = `${prefix}${number}`;
      this.texts.push(text);
      const { sum } = await session.propose(command(text));
      this.sums.push(sum);
    });
    Promise.all(calls).catch((error: unknown) => {
      this.#failed = error;
    });
  }

  get isDone(): boolean {
    if (this.#failed !== null) throw this.#failed as Error;
    return this.sums.length === this.texts.length;
  }

  get sent(): number {
    return this.sums.length;
  }

  attempts(): number {
    return this.#session.attempts();
  }
}

type Counted = Session<CounterResult> & { attempts(): number };

/** Every increment stands once in the state of every server, and each was answered with the sum that it made. */
async function expectOnce(cluster: VirtualCluster, increments: readonly Increments[]): Promise<void> {
  await cluster.world.until(() => cluster.servers.every(({ node }) => node !== null), 'all servers up');
  await cluster.converged();
  const texts = increments.flatMap((each) => each.texts);
  const sums = increments.flatMap((each) => each.sums);
  for (const { machine } of cluster.servers) expect(machine.commands.toSorted()).toEqual(texts.toSorted());
  expect(sums.toSorted((a, b) => a - b)).toEqual(texts.map((_, at) => at + 1));
}

async function started(seed: number, options: ClusterOptions = {}): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(seed, 3, {
    wrap: (journal) => withSessions(journal, { answers: counterAnswers }),
    ...options,
  });
  await cluster.startAll();
  await cluster.leader();
  return cluster;
}

/** A session of a client that knows all servers; what dies with its server is never answered. */
async function opened(cluster: VirtualCluster, options: Parameters<typeof openSession>[1] = {}): Promise<Counted> {
  let attempts = 0;
  const servers = cluster.servers.map(
    (server): SessionServer<CounterResult> => ({
      propose: (bytes, call) => {
        attempts++;
        return nodeOf(server).propose(bytes, call);
      },
    }),
  );
  const environment = cluster.world.environment('client', cluster.server('s1').disk, () => true);
  const opening = openSession(servers, { environment, attemptTimeout: 800_000, ...options });
  const session = await inWorld(cluster, opening);
  return Object.assign(session, { attempts: () => attempts });
}

function nodeOf(server: VirtualServer): Node {
  if (server.node === null) throw new RaftError('NotLeader', 'The server is down.');
  return server.node as Node;
}

/** Runs the world until the promise settles. */
async function inWorld<Value>(cluster: VirtualCluster, promise: Promise<Value>): Promise<Value> {
  let isSettled = false;
  const settled = (): void => {
    isSettled = true;
  };
  promise.then(settled, settled);
  await cluster.world.until(() => isSettled, 'the promise settles');
  return await promise;
}
