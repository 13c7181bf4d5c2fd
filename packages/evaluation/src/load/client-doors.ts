/** Doors by the client: connections to the servers, all of them as one, or each by itself, those that join later included. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, ClientError, connect } from '@quorate/client';
import type { Door, Doors, Outcome } from './doors.ts';
import type { LoadPlan } from './plan.ts';
import { keyOf } from './raw/messages.ts';

/** Connections to each server: one HTTP/2 connection is one stream of bytes, and waits for its slowest. */
const CONNECTIONS = 4;
const CONNECT_TIMEOUT_MS = 30_000;
const MAX_CALLS = 100_000;
/** How often the cluster is asked for its members. */
const DISCOVER_EVERY_MS = 200;

interface ClientDoor extends Door {
  readonly client: Client;
}

export class ClientDoors implements Doors {
  /** Turns go round: first one connection of each server, then the next. */
  #doors: readonly ClientDoor[] = [];
  readonly #groups: Client[][] = [];
  readonly #servers: string[] = [];
  readonly #plan: LoadPlan;
  readonly #value: Uint8Array;
  readonly #closing = new AbortController();
  #discovery: Promise<void> = Promise.resolve();

  private constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.#value = new Uint8Array(plan.valueBytes).fill(0x76);
  }

  static async open(plan: LoadPlan): Promise<ClientDoors> {
    const doors = new ClientDoors(plan);
    if (plan.spread === 'leader')
      doors.#doors = (await connectTo(plan.endpoints)).map((client) => doors.#door(client, null));
    else for (const endpoint of plan.endpoints) await doors.#add(endpoint);
    if (plan.discover) doors.#discovery = doors.#discover();
    return doors;
  }

  /** `host:port` of those that are asked one by one. */
  get servers(): readonly string[] {
    return this.#servers;
  }

  at(turn: number): ClientDoor {
    const door = this.#doors[turn % this.#doors.length];
    if (door === undefined) throw new Error('A load needs at least one server.');
    return door;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#discovery;
    const clients = new Set([...this.#doors.map(({ client }) => client), ...this.#groups.flat()]);
    await Promise.all([...clients].map((client) => client.close()));
  }

  async #add(endpoint: string): Promise<void> {
    const clients = await connectTo([endpoint]);
    this.#servers.push(endpoint);
    this.#groups.push(clients);
    this.#doors = Array.from({ length: CONNECTIONS }, (_, round) =>
      this.#groups.flatMap((group, server) => {
        const client = group[round];
        return client === undefined ? [] : [this.#door(client, server)];
      }),
    ).flat();
  }

  #door(client: Client, server: number | null): ClientDoor {
    const { serializable, timeoutMs: timeout } = this.#plan;
    return {
      client,
      server,
      read: (key) => outcomeOf(client.get(keyOf(key), { serializable, timeout })),
      write: (key) => outcomeOf(client.put(keyOf(key), this.#value, { timeout })),
    };
  }

  /** A member is found by its client address in the member list, which it enters itself when it is ready to serve. */
  async #discover(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        const { members } = await this.at(0).client.memberList();
        const found = members.flatMap(({ clientURLs }) => clientURLs.slice(0, 1)).map((url) => new URL(url).host);
        for (const endpoint of found) if (!this.#servers.includes(endpoint)) await this.#add(endpoint);
        await sleep(DISCOVER_EVERY_MS, undefined, { signal: this.#closing.signal });
      } catch (error) {
        // Not now, or the end: a member that cannot be asked or reached is tried again.
        if (!(error instanceof ClientError) && !this.#closing.signal.aborted) throw error;
      }
    }
  }
}

async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  try {
    await call;
    return 'answered';
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return error.code === 'OutcomeUnknown' ? 'unknown' : 'refused';
  }
}

function connectTo(endpoints: readonly string[]): Promise<Client[]> {
  return Promise.all(
    Array.from({ length: CONNECTIONS }, () => connect(endpoints, { timeout: CONNECT_TIMEOUT_MS, maxCalls: MAX_CALLS })),
  );
}
