import {
  openSession,
  RaftError,
  type RaftNode,
  type Session,
  type SessionAnswer,
  type SessionMachine,
  type SessionServer,
  withSessions,
} from '@quorate/runtime';
import { describe, expect, it } from 'vitest';
import { command, type CounterResult, type Journal } from '../support/counter.ts';
import { counterAnswers, emptyLedgerFile, Ledger, type LedgerFile } from '../support/session-machines.ts';
import { type ClusterOptions, VirtualCluster, type VirtualServer } from '../support/virtual-cluster.ts';

type Node = RaftNode<SessionAnswer<CounterResult>>;

describe('a counter that is incremented through sessions', () => {
  it('counts every increment once while leaders are killed', async () => {
    let repeated = 0;
    for (let seed = 1; seed <= 4; seed++) {
      const cluster = await started(seed, { limits: { snapshotMinLogBytes: 30_000, snapshotTrailingEntries: 5 } });
      const sessions = await Promise.all([1, 2, 3].map((number) => opened(cluster, { window: number * 2 })));
      const increments = sessions.map((session, at) => new Increments(cluster, session, `${'abc'[at] ?? ''}-`, 8));
      for (let kills = 0; kills < 3; kills++) {
        await cluster.world.run(200_000 + (cluster.world.random.uint32() % 100_000));
        const leader = await cluster.leader();
        cluster.kill(leader);
        await cluster.world.run(1_000_000);
        cluster.restart(leader);
      }
      await expectOnce(cluster, increments);
      repeated += sessions.reduce((sum, session) => sum + session.repeated(), 0);
    }
    expect(repeated).toBeGreaterThan(0);
  });

  it('counts every increment once in durable machines, which crash with their servers', async () => {
    let repeated = 0;
    for (let seed = 1; seed <= 4; seed++) {
      const files = new Map(['s1', 's2', 's3'].map((id) => [id, emptyLedgerFile()]));
      const fileOf = (id: string): LedgerFile => {
        const file = files.get(id);
        if (file === undefined) throw new Error(`no file of ${id}`);
        return file;
      };
      const cluster = await started(seed, {
        wrap: (_, id) => withSessions(new Ledger(fileOf(id), 'a'), { answers: counterAnswers }),
        limits: { snapshotMinLogBytes: 30_000, snapshotTrailingEntries: 5 },
      });
      const sessions = await Promise.all([1, 2, 3].map(() => opened(cluster, { window: 4 })));
      const increments = sessions.map((session, at) => new Increments(cluster, session, `${'abc'[at] ?? ''}-`, 4));
      for (let kills = 0; kills < 4; kills++) {
        await cluster.world.run(150_000 + (cluster.world.random.uint32() % 100_000));
        await cluster.leader();
        const victim = cluster.servers[(seed + kills) % 3];
        if (victim === undefined || victim.node === null) continue;
        cluster.kill(victim);
        await cluster.world.run(900_000);
        cluster.restart(victim);
      }
      await expectOnce(cluster, increments, (id) => fileOf(id).commands);
      repeated += sessions.reduce((sum, session) => sum + session.repeated(), 0);
    }
    expect(repeated).toBeGreaterThan(0);
  });

  it('counts every increment once while the network loses answers', async () => {
    const cluster = await started(11, { limits: { requestTimeout: 300_000 } });
    const session = await opened(cluster, { window: 16 });
    const increments = new Increments(cluster, session, 'c', 16);
    for (let round = 0; round < 9; round++) {
      const victim = cluster.servers[round % 3];
      if (victim === undefined) throw new Error('no server');
      cluster.world.network.isolate(victim.id, cluster.ids);
      await cluster.world.run(1_500_000);
      cluster.world.network.heal();
      await cluster.world.run(300_000);
    }
    await expectOnce(cluster, [increments]);
    expect(session.repeated()).toBeGreaterThan(0);
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
    let machine: SessionMachine<CounterResult> | null = null;
    const wrap = (journal: Journal): SessionMachine<CounterResult> => {
      machine = withSessions(journal, { answers: counterAnswers });
      return machine;
    };
    const cluster = new VirtualCluster(41, 1, { wrap });
    await cluster.startAll();
    const session = await inWorld(cluster, openSession(cluster.node('s1') as Node));
    const status = (): unknown => machine?.sessionStatus();
    await inWorld(cluster, session.propose(command('x')));
    expect(status()).toMatchObject({ sessions: 1 });
    await inWorld(cluster, session.close());
    expect(status()).toEqual({ sessions: 0, keptBytes: 0 });
    expect(session.state).toBe('closed');
    const answer = await inWorld(
      cluster,
      session.propose(command('y')).catch((it: unknown) => it),
    );
    expect(answer).toMatchObject({ code: 'SessionClosed', definite: true });
  });
});

/** Callers that count, with short pauses, until they are told to stop. */
class Increments {
  readonly texts: string[] = [];
  readonly sums: number[] = [];
  readonly #cluster: VirtualCluster;
  readonly #session: Counted;
  readonly #prefix: string;
  #isStopped = false;
  #failed: unknown = null;

  constructor(cluster: VirtualCluster, session: Counted, prefix: string, callers: number) {
    this.#cluster = cluster;
    this.#session = session;
    this.#prefix = prefix;
    const calling = Array.from({ length: callers }, () => this.#call());
    Promise.all(calling).catch((error: unknown) => {
      this.#failed = error;
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#cluster.world.until(() => this.#isDone, 'all increments answered');
  }

  get #isDone(): boolean {
    if (this.#failed !== null) throw this.#failed as Error;
    return this.sums.length === this.texts.length;
  }

  async #call(): Promise<void> {
    while (!this.#isStopped) {
      const text = `${this.#prefix}${this.texts.length}`;
      this.texts.push(text);
      const { sum } = await this.#session.propose(command(text));
      this.sums.push(sum);
      const pause = 1_000 + (this.#cluster.world.random.uint32() % 20_000);
      await new Promise<void>((resolve) => this.#cluster.world.after(pause, resolve));
    }
  }
}

/** With how many answers told that the command had been applied before. */
type Counted = Session<CounterResult> & { repeated(): number };

/** Every increment stands once in the state of every server, and each was answered with the sum that it made. */
async function expectOnce(
  cluster: VirtualCluster,
  increments: readonly Increments[],
  commandsOf = (id: string): readonly string[] => cluster.server(id).machine.commands,
): Promise<void> {
  await cluster.world.until(() => cluster.servers.every(({ node }) => node !== null), 'all servers up');
  for (const each of increments) await each.stop();
  await cluster.converged();
  const texts = increments.flatMap((each) => each.texts);
  expect(texts.length).toBeGreaterThan(200);
  const sums = increments.flatMap((each) => each.sums);
  for (const { id } of cluster.servers) expect(commandsOf(id).toSorted()).toEqual(texts.toSorted());
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
  let repeated = 0;
  const servers = cluster.servers.map(
    (server): SessionServer<CounterResult> => ({
      async propose(bytes, call) {
        const answer = await nodeOf(server).propose(bytes, call);
        if (answer.kind === 'applied' && answer.isRepeated) repeated++;
        return answer;
      },
    }),
  );
  const environment = cluster.world.environment('client', cluster.server('s1').disk, () => true);
  const opening = openSession(servers, { environment, attemptTimeout: 800_000, ...options });
  const session = await inWorld(cluster, opening);
  return Object.assign(session, { repeated: () => repeated });
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
