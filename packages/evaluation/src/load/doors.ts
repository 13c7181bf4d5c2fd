/** Where a load knocks: connections to the servers, all of them as one, or each by itself, those that join later included. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, ClientError, connect } from '@quorate/client';
import type { LoadPlan } from './plan.ts';

/** Connections to each server: one HTTP/2 connection is one stream of bytes, and waits for its slowest. */
const CONNECTIONS = 4;
const CONNECT_TIMEOUT_MS = 30_000;
const MAX_CALLS = 100_000;
/** How often the cluster is asked for its members. */
const DISCOVER_EVERY_MS = 200;

interface Door {
  readonly client: Client;
  /** Its place among the servers; null where one client knows them all. */
  readonly server: number | null;
}

export class Doors {
  /** Turns go round: first one connection of each server, then the next. */
  #doors: readonly Door[] = [];
  readonly #groups: Client[][] = [];
  readonly #servers: string[] = [];
  readonly #closing = new AbortController();
  #discovery: Promise<void> = Promise.resolve();

  private constructor() {}

  static async open(plan: LoadPlan): Promise<Doors> {
    const doors = new Doors();
    if (plan.spread === 'leader')
      doors.#doors = (await connectTo(plan.endpoints)).map((client) => ({ client, server: null }));
    else for (const endpoint of plan.endpoints) await doors.#add(endpoint);
    if (plan.discover) doors.#discovery = doors.#discover();
    return doors;
  }

  /** `host:port` of those that are asked one by one. */
  get servers(): readonly string[] {
    return this.#servers;
  }

  at(turn: number): Door {
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
        return client === undefined ? [] : [{ client, server }];
      }),
    ).flat();
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

function connectTo(endpoints: readonly string[]): Promise<Client[]> {
  return Promise.all(
    Array.from({ length: CONNECTIONS }, () => connect(endpoints, { timeout: CONNECT_TIMEOUT_MS, maxCalls: MAX_CALLS })),
  );
}
