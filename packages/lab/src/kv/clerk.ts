/** A client of the key-value service: asks one server after the other until one has done what it wants. */
import type { Cluster } from '../cluster/cluster.ts';
import { ScenarioFailure } from '../cluster/failure.ts';
import type { PlainData } from '../interface.ts';
import type { End, Traits } from '../network/network.ts';
import type { KvMethod, KvReply } from './kv-server.ts';
import { type KvHistory, showValue } from './operations.ts';

/** Milliseconds between two rounds in which nobody led. */
const NO_LEADER_PAUSE = 20;

const traits: Traits = { isQuiet: false, isSharing: true };

/** An operation has no answer, and is asked no more. It may have happened, or may yet. */
export class NoAnswer extends ScenarioFailure {}

export class Clerk {
  readonly #cluster: Cluster;
  readonly #history: KvHistory | null;
  readonly #client: number;
  readonly #patience: number;
  #ends: readonly End[] = [];
  #leader = 0;
  #sequence = 0;

  /**
   * `history`: where it writes down what it asks; null: nowhere. `servers`: those that it can reach; in what order it asks them is chance.
   * `patience`: milliseconds after which it gives up an operation; as long as the test may take if not given.
   */
  constructor(
    cluster: Cluster,
    history: KvHistory | null,
    client: number,
    servers: readonly number[],
    patience = Number.POSITIVE_INFINITY,
  ) {
    this.#cluster = cluster;
    this.#history = history;
    this.#client = client;
    this.#patience = patience;
    this.reach(servers);
  }

  /** From here on it can reach these. */
  reach(servers: readonly number[]): void {
    const cluster = this.#cluster;
    this.#ends = shuffled(servers, (bound) => cluster.random.below(bound)).map((server) => cluster.clientEnd(server));
    this.#leader = 0;
  }

  /** What the key holds; '' if there is no such key. @throws NoAnswer, as all three do. */
  async get(key: string): Promise<string> {
    const operation = this.#history?.begin(this.#client, key, { kind: 'get' });
    const value = await this.#ask('KV.get', key, '');
    if (operation !== undefined) this.#history?.end(operation, { kind: 'value', value });
    return value ?? '';
  }

  put(key: string, value: string): Promise<void> {
    return this.#write('put', key, value);
  }

  append(key: string, value: string): Promise<void> {
    return this.#write('append', key, value);
  }

  async #write(kind: 'put' | 'append', key: string, value: string): Promise<void> {
    const operation = this.#history?.begin(this.#client, key, { kind, value });
    await this.#ask(`KV.${kind}`, key, value);
    if (operation !== undefined) this.#history?.end(operation, { kind: 'done' });
  }

  async #ask(method: KvMethod, key: string, value: string): Promise<string | null> {
    this.#sequence += 1;
    const args = { client: this.#client, sequence: this.#sequence, key, value };
    const { scheduler, limit, journal } = this.#cluster;
    const asked = journal.recorder?.asked(
      this.#client,
      `${method} ${key}${value === '' ? '' : ` ${showValue(value)}`}`,
    );
    const until = Math.min(limit, scheduler.now + this.#patience);
    for (let tried = 1; ; tried++) {
      const reply = (await this.#call(method, args)) as KvReply | null;
      if (reply?.kind === 'ok') {
        this.#cluster.operations += 1;
        if (asked !== undefined) journal.recorder?.told(asked, reply.value === null ? 'done' : showValue(reply.value));
        return reply.value;
      }
      this.#leader = (this.#leader + 1) % this.#ends.length;
      if (tried % this.#ends.length === 0) await this.#pause(method, key, until);
    }
  }

  #call(method: KvMethod, args: PlainData): Promise<PlainData> {
    const end = this.#ends[this.#leader];
    if (end === undefined) throw new RangeError('A clerk must be able to reach at least one server.');
    return new Promise((resolve) => this.#cluster.network.call(end, method, args, resolve, traits));
  }

  async #pause(method: KvMethod, key: string, until: number): Promise<void> {
    // Nobody waits for the answer any more.
    if (this.#cluster.isOver) await new Promise(() => undefined);
    const { now } = this.#cluster.scheduler;
    if (now > until) {
      throw new NoAnswer(
        `client ${this.#client} has no answer to ${method} of ${key} behind ${(now / 1000).toFixed(1)} s`,
      );
    }
    await this.#cluster.sleep(NO_LEADER_PAUSE);
  }
}

function shuffled<Item>(items: readonly Item[], below: (bound: number) => number): readonly Item[] {
  const rest = [...items];
  return items.flatMap(() => rest.splice(below(rest.length), 1));
}
