/**
 * Doors that cost next to nothing: requests are prepared frames, answers are counted and not read (raw/raw-grpc.ts). For servers that stay where
 * they are: each endpoint is asked itself, nothing follows a leader, nothing is repeated, and a connection that breaks ends the load.
 */
import type { Door, Doors, Outcome } from './doors.ts';
import type { LoadPlan } from './plan.ts';
import { type MessageTemplate, putTemplate, rangeTemplate } from './raw/messages.ts';
import { RawGrpcConnection } from './raw/raw-grpc.ts';

/** Connections to each server for each kind of request. */
const CONNECTIONS = 4;
const METHODS = { put: '/etcdserverpb.KV/Put', range: '/etcdserverpb.KV/Range' } as const;

export class RawDoors implements Doors {
  readonly servers: readonly string[];
  readonly #doors: readonly Door[];
  readonly #connections: RawGrpcConnection[] = [];
  /** Of the calls that are under way. */
  readonly #rejects = new Set<(error: Error) => void>();
  #broken: Error | null = null;
  readonly #plan: LoadPlan;

  constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.servers = plan.endpoints;
    this.#doors = Array.from({ length: CONNECTIONS }, () =>
      plan.endpoints.map((endpoint, server) => this.#door(endpoint, server)),
    ).flat();
  }

  at(turn: number): Door {
    const door = this.#doors[turn % this.#doors.length];
    if (door === undefined) throw new Error('A load needs at least one server.');
    return door;
  }

  close(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    return Promise.resolve();
  }

  #door(endpoint: string, server: number): Door {
    const { valueBytes, serializable, spread } = this.#plan;
    const write = this.#method(endpoint, METHODS.put, putTemplate(valueBytes));
    const read = this.#method(endpoint, METHODS.range, rangeTemplate(serializable));
    return { server: spread === 'each' ? server : null, read, write };
  }

  #method(endpoint: string, path: string, template: MessageTemplate): (key: number) => Promise<Outcome> {
    const { hostname, port } = new URL(`http://${endpoint}`);
    const onFailure = (error: Error): void => this.#break(error);
    const connection = new RawGrpcConnection(hostname, Number(port), path, { keepBodies: false, onFailure });
    this.#connections.push(connection);
    return (key) =>
      new Promise((resolve, reject) => {
        if (this.#broken !== null) return reject(this.#broken);
        this.#rejects.add(reject);
        template.setKey(key);
        connection.call(template.bytes, ({ grpcStatus }) => {
          this.#rejects.delete(reject);
          // What a server says no to may have been done all the same: only it could tell, and its words are not read here.
          resolve(grpcStatus === '0' ? 'answered' : 'unknown');
        });
      });
  }

  #break(error: Error): void {
    this.#broken ??= error;
    for (const reject of this.#rejects) reject(error);
    this.#rejects.clear();
  }
}
