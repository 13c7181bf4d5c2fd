/** A client of the key-value service: asks one server after the other until one has done what it wants. */
import type { Cluster } from '../cluster/cluster.ts';
import { ScenarioFailure } from '../cluster/failure.ts';
import type { PlainData } from '../interface.ts';
import type { End } from '../network/network.ts';
import type { KvMethod, KvReply } from './kv-server.ts';
import type { KvHistory } from './operations.ts';

/** Milliseconds between two rounds in which nobody led. */
const NO_LEADER_PAUSE = 20;
/** Milliseconds of a test's time: who has no answer by then never gets one. */
const GIVE_UP = 120_000;

export class Clerk {
  readonly #cluster: Cluster;
  readonly #history: KvHistory;
  readonly #client: number;
  #ends: readonly End[] = [];
  #leader = 0;
  #sequence = 0;

  /** `servers`: those that it can reach; in what order it asks them is chance. */
  constructor(cluster: Cluster, history: KvHistory, client: number, servers: readonly number[]) {
    this.#cluster = cluster;
    this.#history = history;
    this.#client = client;
    this.reach(servers);
  }

  /** From here on it can reach these. */
  reach(servers: readonly number[]): void {
    const cluster = this.#cluster;
    this.#ends = shuffled(servers, (bound) => cluster.random.below(bound)).map((server) => cluster.clientEnd(server));
    this.#leader = 0;
  }

  /** What the key holds; '' if there is no such key. */
  async get(key: string): Promise<string> {
    const operation = this.#history.begin(this.#client, key, { kind: 'get' });
    const value = await this.#ask('KV.get', key, '');
    this.#history.end(operation, { kind: 'value', value });
    return value ?? '';
  }

  async put(key: string, value: string): Promise<void> {
    const operation = this.#history.begin(this.#client, key, { kind: 'put', value });
    await this.#ask('KV.put', key, value);
    this.#history.end(operation, { kind: 'done' });
  }

  async append(key: string, value: string): Promise<void> {
    const operation = this.#history.begin(this.#client, key, { kind: 'append', value });
    await this.#ask('KV.append', key, value);
    this.#history.end(operation, { kind: 'done' });
  }

  async #ask(method: KvMethod, key: string, value: string): Promise<string | null> {
    this.#sequence += 1;
    const args = { client: this.#client, sequence: this.#sequence, key, value };
    for (let tried = 1; ; tried++) {
      const reply = (await this.#call(method, args)) as KvReply | null;
      if (reply?.kind === 'ok') {
        this.#cluster.operations += 1;
        return reply.value;
      }
      this.#leader = (this.#leader + 1) % this.#ends.length;
      if (tried % this.#ends.length === 0) await this.#pause(method, key);
    }
  }

  #call(method: KvMethod, args: PlainData): Promise<PlainData> {
    const end = this.#ends[this.#leader];
    if (end === undefined) throw new RangeError('A clerk must be able to reach at least one server.');
    return new Promise((resolve) => this.#cluster.network.call(end, method, args, resolve));
  }

  async #pause(method: KvMethod, key: string): Promise<void> {
    // Nobody waits for the answer any more.
    if (this.#cluster.isOver) await new Promise(() => undefined);
    if (this.#cluster.scheduler.now > GIVE_UP) {
      throw new ScenarioFailure(`client ${this.#client} has no answer to ${method} of ${key} by the end of the test`);
    }
    await this.#cluster.sleep(NO_LEADER_PAUSE);
  }
}

function shuffled<Item>(items: readonly Item[], below: (bound: number) => number): readonly Item[] {
  const rest = [...items];
  return items.flatMap(() => rest.splice(below(rest.length), 1));
}
