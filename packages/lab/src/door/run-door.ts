/** Runs scenarios on processes, in real time, and judges what their clients saw. */
import { randomStream } from '@quorate/sim';
import { ScenarioFailure } from '../cluster/failure.ts';
import { Journal } from '../cluster/journal.ts';
import { judge } from '../kv/linearizable.ts';
import { KvHistory, type KvRequest } from '../kv/operations.ts';
import { violationFailure } from '../kv/violation-page.ts';
import { noFigures, type Outcome } from '../session/protocol.ts';
import { DoorClient } from './door-client.ts';
import { DoorCluster } from './door-cluster.ts';
import { DoorFailure } from './message.ts';
import type { DoorTest } from './scenarios.ts';

/** Milliseconds. */
const WORK = 5_000;
const SERVICE_LIMIT = 10_000;
const DISTURBANCE_MIN = 1_000;
const DISTURBANCE_SPREAD = 200;
const DOWN = 500;
/** How often a scenario cuts off whoever leads. */
const ISOLATIONS = 3;
/** Between two operations of a client. */
const CLIENT_PAUSE = 5;
/** Operations that each client gives a key before all go on to the next: unanswered ones make long histories hard to judge. */
const OPERATIONS_PER_KEY = 20;

export interface DoorOptions {
  /** Run by the shell, once for each server. */
  readonly command: string;
  readonly seed: number;
  /** What the processes write to standard error. */
  readonly output: NodeJS.WritableStream | null;
  /** Milliseconds that clients work; five seconds by default. */
  readonly work?: number;
  readonly signal?: AbortSignal;
}

/** One scenario. Processes that it started have ended when it ends. */
export async function runDoorTest(test: DoorTest, options: DoorOptions): Promise<Outcome> {
  const began = performance.now();
  const now = (): number => performance.now() - began;
  const journal = new Journal(now);
  const random = randomStream(options.seed, test.name);
  const cluster = await DoorCluster.make({ ...options, servers: test.servers, random, journal });
  const run = new DoorRun(test, cluster, journal, new KvHistory(now), options.work ?? WORK);
  let failure: Error | null = null;
  try {
    await Promise.race([run.run(), cluster.failed, aborted(options.signal)]);
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  } finally {
    run.isOver = true;
    await cluster.end();
  }
  const { messages, clientMessages } = cluster.network;
  return {
    ...noFigures,
    part: 'door',
    test: test.name,
    title: test.title,
    seed: options.seed,
    servers: test.servers,
    failure: failure === null ? null : noteOf(failure, journal),
    notOffered: null,
    elapsed: now(),
    calls: messages + clientMessages,
    callsByMethod: [
      ['between servers', messages],
      ['with clients', clientMessages],
    ],
    agreed: run.answered,
    calling: now(),
  };
}

function noteOf(failure: Error, journal: Journal): NonNullable<Outcome['failure']> {
  return {
    message: failure.message,
    page: failure instanceof ScenarioFailure ? failure.page : null,
    stack: failure instanceof ScenarioFailure ? '' : (failure.stack ?? ''),
    way: [],
    steps: journal.steps,
    events: [...journal.events].map(([server, moments]) => ({ server, moments })),
  };
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(new ScenarioFailure('the test was interrupted')));
  });
}

class DoorRun {
  isOver = false;
  answered = 0;
  readonly #test: DoorTest;
  readonly #cluster: DoorCluster;
  readonly #journal: Journal;
  readonly #history: KvHistory;
  readonly #work: number;
  #nextValue = 1;
  #nextClient = 1;

  constructor(test: DoorTest, cluster: DoorCluster, journal: Journal, history: KvHistory, work: number) {
    this.#test = test;
    this.#cluster = cluster;
    this.#journal = journal;
    this.#history = history;
    this.#work = work;
  }

  async run(): Promise<void> {
    const { nodes } = this.#cluster;
    this.#journal.step('all servers start');
    await this.#cluster.start(nodes);
    await this.#expectService('after the start');
    if (this.#test.isolatesLeader) for (let round = 0; round < ISOLATIONS; round++) await this.#isolateLeader();
    else await this.#workload();
    await this.#expectService('at the end, all servers being up and connected');
    this.#judge();
  }

  async #workload(): Promise<void> {
    const { network } = this.#cluster;
    network.isUnreliable = this.#test.isUnreliable;
    this.#journal.step(`${this.#test.clients} clients work`);
    const stop = { isTime: false };
    const clients = Array.from({ length: this.#test.clients }, () => this.#client(stop));
    await Promise.all([this.#disturb(stop), ...clients]);
    network.isUnreliable = false;
  }

  /** Something must be done before long. Returns who has done it. */
  async #expectService(when: string, nodes: readonly string[] = this.#cluster.nodes): Promise<string> {
    this.#journal.step(`expects that a write is done ${when}`);
    const client = new DoorClient(this.#cluster, this.#history, this.#nextClient++, nodes);
    const until = performance.now() + SERVICE_LIMIT;
    while (performance.now() < until && !this.isOver) {
      if ((await client.ask(0, this.#write())) === null) continue;
      this.answered += 1;
      return client.node;
    }
    throw new DoorFailure('unavailable', null, `no write was done within ${SERVICE_LIMIT / 1000} seconds ${when}`);
  }

  async #isolateLeader(): Promise<void> {
    const { nodes, network } = this.#cluster;
    const leader = await this.#expectService('by somebody');
    const others = nodes.filter((node) => node !== leader);
    this.#journal.step(`${leader} is cut off: it must do nothing`);
    network.partition([[leader], others]);
    const client = new DoorClient(this.#cluster, this.#history, this.#nextClient++, [leader]);
    const answer = await client.ask(0, this.#write());
    if (answer !== null) {
      throw new ScenarioFailure(
        `${leader} has said that a write is done while it was cut off from all others: no majority has it`,
      );
    }
    await this.#expectService(`by the others, ${leader} being cut off`, others);
    network.partition([nodes]);
  }

  #write(): KvRequest {
    return { kind: 'put', value: String(this.#nextValue++) };
  }

  async #client(stop: { readonly isTime: boolean }): Promise<void> {
    let client = new DoorClient(this.#cluster, this.#history, this.#nextClient++);
    let seen: string | null = null;
    for (let count = 0; !stop.isTime && !this.isOver; count++) {
      const key = 1 + Math.floor(count / OPERATIONS_PER_KEY);
      if (count % OPERATIONS_PER_KEY === 0) seen = null;
      const request = this.#request(seen);
      const answer = await client.ask(key, request);
      // Whoever does not know what came of its last call is another client from here on.
      if (answer === null) client = new DoorClient(this.#cluster, this.#history, this.#nextClient++);
      else this.answered += 1;
      if (answer?.kind === 'value') seen = answer.value;
      else if (answer?.kind === 'done' && request.kind === 'put') seen = request.value;
      await pause(CLIENT_PAUSE);
    }
  }

  #request(seen: string | null): KvRequest {
    const { random } = this.#cluster;
    const chance = random.below(3);
    if (chance === 0) return { kind: 'get' };
    const value = String(this.#nextValue++);
    return chance === 1 || seen === null ? { kind: 'put', value } : { kind: 'cas', from: seen, to: value };
  }

  async #disturb(stop: { isTime: boolean }): Promise<void> {
    const { hasPartitions, kills } = this.#test;
    const until = performance.now() + this.#work;
    if (kills === 'all') await this.#killAll();
    while (performance.now() < until && !this.isOver) {
      if (hasPartitions) this.#partition();
      if (kills === 'one') await this.#killOne();
      const wait = DISTURBANCE_MIN + this.#cluster.random.below(DISTURBANCE_SPREAD);
      await pause(Math.min(wait, Math.max(0, until - performance.now())));
    }
    this.#journal.step('the network heals');
    this.#cluster.network.partition([this.#cluster.nodes]);
    stop.isTime = true;
  }

  #partition(): void {
    const sides: [string[], string[]] = [[], []];
    for (const node of this.#cluster.nodes) sides[this.#cluster.random.below(2) === 0 ? 0 : 1].push(node);
    this.#journal.step(`partition: ${sides.map((side) => side.join(' ') || 'nobody').join(' | ')}`);
    this.#cluster.network.partition(sides);
  }

  async #killOne(): Promise<void> {
    const node = this.#cluster.random.pick(this.#cluster.nodes);
    this.#journal.step(`kill -9 of ${node}`);
    await this.#cluster.kill([node]);
    await pause(DOWN);
    if (!this.isOver) await this.#cluster.start([node]);
  }

  async #killAll(): Promise<void> {
    const { nodes } = this.#cluster;
    await pause(this.#work / 2);
    this.#journal.step('kill -9 of all');
    await this.#cluster.kill(nodes);
    await pause(DOWN);
    if (!this.isOver) await this.#cluster.start(nodes);
  }

  #judge(): void {
    this.#journal.step('expects that one order explains all answers');
    const { violation, unknown } = judge(this.#history.all());
    if (violation !== null) throw violationFailure(violation);
    if (unknown.length > 0) this.#journal.step(`keys ${unknown.join(', ')}: the search was given up`);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
