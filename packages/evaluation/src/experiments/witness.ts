/** Writes a key now and then, keeps which were acknowledged, and looks for them on the servers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, ClientError } from '@quorate/client';
import type { Cluster } from '../harness/cluster.ts';
import type { Server } from '../places/place.ts';

const EVERY_MS = 20;
const TIMEOUT_MS = 1_000;
const PREFIX = 'witness/';
/** A server that does not answer in time is one that does not have the keys. */
const LOOK_TIMEOUT_MS = 5_000;

export class Witness {
  readonly #cluster: Cluster;
  readonly #acknowledged = new Set<string>();
  readonly #lookers = new Map<Server, Client>();
  readonly #stop = new AbortController();
  #writing: Promise<void> = Promise.resolve();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async start(): Promise<void> {
    const client = await this.#cluster.client(this.#cluster.servers, TIMEOUT_MS);
    this.#writing = this.#write(client);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#writing;
  }

  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  async #write(client: Client): Promise<void> {
    for (let number = 0; !this.#stop.signal.aborted; number++) {
      const key = `${PREFIX}${String(number).padStart(9, '0')}`;
      try {
        await client.put(key, 'x');
        this.#acknowledged.add(key);
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
      }
      await sleep(EVERY_MS);
    }
  }

  /** How many keys that were acknowledged before this call stand on at least `least` of the running servers, as each has applied them. */
  async present(least: number): Promise<{ readonly keys: number; readonly present: number }> {
    const keys = [...this.#acknowledged];
    const held = await Promise.all(this.#cluster.running.map((server) => this.#keysOn(server)));
    const present = keys.filter((key) => held.filter((own) => own.has(key)).length >= least).length;
    return { keys: keys.length, present };
  }

  async #keysOn(server: Server): Promise<ReadonlySet<string>> {
    try {
      const client = this.#lookers.get(server) ?? (await this.#cluster.client([server], LOOK_TIMEOUT_MS));
      this.#lookers.set(server, client);
      const { entries } = await client.get(PREFIX, { prefix: true, keysOnly: true, serializable: true });
      return new Set(entries.map((entry) => entry.keyText()));
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      return new Set();
    }
  }
}
