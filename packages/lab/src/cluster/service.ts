/**
 * The service on each server, as the scenarios need it: it writes down what is applied, looks whether servers agree, and in scenarios
 * with snapshots takes one now and then.
 */
import type { ApplyMessage, PlainData } from '../interface.ts';
import { samePlain } from '../plain-data.ts';
import { ScenarioFailure } from './failure.ts';

/** A service that takes snapshots does so behind every index that ends in 9. */
const SNAPSHOT_INTERVAL = 10;

/** What is applied on all servers together, by server and index. */
export class Services {
  readonly #logs: Map<number, PlainData>[];
  readonly #applied: number[];
  /** The highest index that any server has applied. */
  highest = 0;

  constructor(servers: number) {
    this.#logs = Array.from({ length: servers }, () => new Map<number, PlainData>());
    this.#applied = Array.from({ length: servers }, () => 0);
  }

  /** A server begins again: all that it had applied is to come again, or stands in the snapshot. */
  restart(server: number, snapshot: Uint8Array | null): void {
    this.#logs[server] = new Map();
    this.#applied[server] = 0;
    if (snapshot !== null) this.#restore(server, snapshot, null);
  }

  /** Without snapshots. @throws ScenarioFailure when servers disagree, or an index is left out. */
  apply(server: number, message: ApplyMessage): void {
    if (message.kind !== 'command')
      throw new ScenarioFailure(`server ${server} applied a snapshot, and nobody took one`);
    this.#record(server, message.index, message.command);
    if (message.index > 1 && !this.#logs[server]?.has(message.index - 1)) {
      throw new ScenarioFailure(
        `server ${server} applied index ${message.index} out of order: not ${message.index - 1} before`,
      );
    }
  }

  /** With snapshots: takes one through `snapshot` behind every tenth command. */
  applyWithSnapshots(server: number, message: ApplyMessage, snapshot: (index: number, data: Uint8Array) => void): void {
    if (message.kind === 'snapshot') {
      this.#restore(server, message.data, message.index);
      return;
    }
    const { index, command } = message;
    const expected = (this.#applied[server] ?? 0) + 1;
    if (index !== expected)
      throw new ScenarioFailure(`server ${server} applied index ${index} where ${expected} was due`);
    this.#record(server, index, command);
    this.#applied[server] = index;
    if ((index + 1) % SNAPSHOT_INTERVAL === 0) snapshot(index, this.#encode(server, index));
  }

  /** How many servers have applied `index`, and what. @throws ScenarioFailure when they applied different things. */
  committed(index: number): { readonly servers: number; readonly command: PlainData | undefined } {
    let servers = 0;
    let command: PlainData | undefined;
    for (const [server, log] of this.#logs.entries()) {
      const value = log.get(index);
      if (value === undefined) continue;
      if (servers > 0 && !samePlain(value, command)) throw disagree(index, server, value, command);
      servers += 1;
      command = value;
    }
    return { servers, command };
  }

  #record(server: number, index: number, command: PlainData): void {
    for (const log of this.#logs) {
      const other = log.get(index);
      if (other !== undefined && !samePlain(other, command)) throw disagree(index, server, command, other);
    }
    this.#logs[server]?.set(index, command);
    this.highest = Math.max(this.highest, index);
  }

  #encode(server: number, index: number): Uint8Array {
    const log = this.#logs[server];
    const commands = Array.from({ length: index }, (_, at) => log?.get(at + 1) ?? null);
    return new TextEncoder().encode(JSON.stringify({ index, commands }));
  }

  #restore(server: number, data: Uint8Array, index: number | null): void {
    const held = readSnapshot(data);
    if (held === null || (index !== null && held.index !== index)) {
      throw new ScenarioFailure(
        `server ${server} applied a snapshot for index ${index} that holds ${held?.index ?? 'something else'}`,
      );
    }
    this.#logs[server] = new Map(held.commands.map((command, at) => [at + 1, command]));
    this.#applied[server] = held.index;
  }
}

/** The service's state in a snapshot; null for what is none. */
export function readSnapshot(
  data: Uint8Array,
): { readonly index: number; readonly commands: readonly PlainData[] } | null {
  try {
    const held: unknown = JSON.parse(new TextDecoder().decode(data));
    if (typeof held !== 'object' || held === null || !('index' in held) || !('commands' in held)) return null;
    if (typeof held.index !== 'number' || !Array.isArray(held.commands)) return null;
    return { index: held.index, commands: held.commands as readonly PlainData[] };
  } catch {
    return null;
  }
}

function disagree(index: number, server: number, one: PlainData, other: PlainData | undefined): ScenarioFailure {
  return new ScenarioFailure(
    `server ${server} applied ${show(one)} at index ${index}, another server applied ${show(other)} there`,
  );
}

function show(value: PlainData | undefined): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
