/**
 * The key-value service of the course, as it stands on each server: every operation goes through the log, gets as well, and what a client
 * asks again is done once (dissertation §6.3).
 */
import type { HostedService, MakeService, ServiceHost } from '../cluster/hosted-service.ts';
import { ScenarioFailure } from '../cluster/failure.ts';
import type { ApplyMessage, PlainData } from '../interface.ts';

/** Milliseconds: how often it looks whether its Raft still leads, while clients wait. */
const LEADERSHIP_POLL = 20;
/** Milliseconds until a client is told to ask elsewhere: a leader cut off from the others may not know it. */
const PATIENCE = 500;
/** Of the size at which a snapshot is due, so that what is appended until the next look still has room. */
const SNAPSHOT_PERMILLE = 900;

const methods = new Map([
  ['KV.get', 'get'],
  ['KV.put', 'put'],
  ['KV.append', 'append'],
] as const);
export type KvMethod = typeof methods extends Map<infer Method, string> ? Method : never;

/** What stands in the log. */
interface Command {
  readonly kind: 'get' | 'put' | 'append';
  readonly client: number;
  /** Grows with each operation of the client. */
  readonly sequence: number;
  readonly key: string;
  readonly value: string;
}

/** What a client is told. */
export type KvReply =
  | { readonly kind: 'ok'; readonly value: string | null }
  | { readonly kind: 'wrongLeader' }
  | { readonly kind: 'timeout' };

interface Waiting {
  readonly client: number;
  readonly sequence: number;
  readonly term: number;
  readonly since: number;
  readonly answer: (reply: PlainData) => void;
}

interface Held {
  readonly value: string;
  /** Key and value as a snapshot has them, once one was taken: between two of them few keys change. */
  text: string | null;
}

const toBytes = new TextEncoder();

/** `maxRaftState`: bytes of saved state at which a snapshot is due; -1 takes none. */
export function kvService(maxRaftState: number): MakeService {
  return (host) => new KvServer(host, maxRaftState);
}

class KvServer implements HostedService {
  readonly isSynchronous = true;
  readonly isSharing = true;
  readonly #host: ServiceHost;
  readonly #snapshotAt: number;
  #data = new Map<string, Held>();
  /** Of each client the newest write that was done. */
  #done = new Map<number, number>();
  #applied = 0;
  /** Who waits, by the index at which the command was put. */
  readonly #waiting = new Map<number, Waiting>();
  #isWatching = false;
  #isKilled = false;

  constructor(host: ServiceHost, maxRaftState: number) {
    this.#host = host;
    this.#snapshotAt = maxRaftState < 0 ? Number.POSITIVE_INFINITY : (maxRaftState * SNAPSHOT_PERMILLE) / 1000;
    const snapshot = host.persister.readSnapshot();
    if (snapshot !== null) this.#restore(snapshot);
  }

  handle(method: string, args: PlainData, answer: (reply: PlainData) => void): boolean {
    const kind = methods.get(method as KvMethod);
    if (kind === undefined) return false;
    const { client, sequence, key, value } = args as unknown as Omit<Command, 'kind'>;
    const command = { kind, client, sequence, key, value };
    const { index, term, isLeader } = this.#host.raft.start(command);
    if (!isLeader) {
      answer({ kind: 'wrongLeader' } satisfies KvReply);
      return true;
    }
    this.#refuse(index, 'wrongLeader');
    this.#waiting.set(index, { client, sequence, term, since: this.#host.scheduler.now, answer });
    this.#watch();
    return true;
  }

  apply(message: ApplyMessage): void {
    if (message.kind === 'snapshot') {
      // An old one says nothing new.
      if (message.index > this.#applied) this.#restore(message.data, message.index);
      return;
    }
    const { server, persister, raft } = this.#host;
    const { index } = message;
    if (index !== this.#applied + 1) {
      throw new ScenarioFailure(`server ${server} applied index ${index} where ${this.#applied + 1} was due`);
    }
    this.#applied = index;
    this.#carryOut(index, commandOf(message.command, server));
    if (persister.stateSize() >= this.#snapshotAt) raft.snapshot(index, this.#encode());
  }

  kill(): void {
    this.#isKilled = true;
    this.#waiting.clear();
  }

  #carryOut(index: number, command: Command): void {
    const { kind, client, sequence, key, value } = command;
    if (kind !== 'get' && (this.#done.get(client) ?? 0) < sequence) {
      this.#done.set(client, sequence);
      const before = kind === 'append' ? (this.#data.get(key)?.value ?? '') : '';
      this.#data.set(key, { value: before + value, text: null });
    }
    const waiting = this.#waiting.get(index);
    if (waiting === undefined) return;
    // Another leader's command stands where this client's was put.
    if (waiting.client !== client || waiting.sequence !== sequence) return this.#refuse(index, 'wrongLeader');
    this.#waiting.delete(index);
    waiting.answer({
      kind: 'ok',
      value: kind === 'get' ? (this.#data.get(key)?.value ?? null) : null,
    } satisfies KvReply);
  }

  #refuse(index: number, kind: 'wrongLeader' | 'timeout'): void {
    this.#waiting.get(index)?.answer({ kind } satisfies KvReply);
    this.#waiting.delete(index);
  }

  /** Whoever waits at a leader that is none any more is told, for its command may never be committed. */
  #watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    const { scheduler, raft } = this.#host;
    scheduler.quietly(LEADERSHIP_POLL, () => {
      this.#isWatching = false;
      if (this.#isKilled) return;
      const { term, isLeader } = raft.getState();
      for (const [index, waiting] of this.#waiting) {
        if (!isLeader || waiting.term !== term) this.#refuse(index, 'wrongLeader');
        else if (scheduler.now - waiting.since > PATIENCE) this.#refuse(index, 'timeout');
      }
      if (this.#waiting.size > 0) this.#watch();
    });
  }

  #encode(): Uint8Array {
    const data: string[] = [];
    for (const [key, held] of this.#data) data.push((held.text ??= JSON.stringify([key, held.value])));
    const done = JSON.stringify([...this.#done]);
    return toBytes.encode(`{"index":${this.#applied},"data":[${data.join(',')}],"done":${done}}`);
  }

  #restore(snapshot: Uint8Array, index: number | null = null): void {
    const { server } = this.#host;
    const state = readState(snapshot);
    if (state === null || (index !== null && state.index !== index)) {
      throw new ScenarioFailure(
        `server ${server} was handed a snapshot${index === null ? '' : ` for index ${index}`} that holds ${state === null ? 'something else' : `index ${state.index}`}`,
      );
    }
    this.#data = new Map(state.data.map(([key, value]) => [key, { value, text: null }]));
    this.#done = new Map(state.done);
    this.#applied = state.index;
    for (const at of this.#waiting.keys()) if (at <= state.index) this.#refuse(at, 'wrongLeader');
  }
}

function commandOf(command: PlainData, server: number): Command {
  if (typeof command === 'object' && command !== null && 'client' in command && 'sequence' in command) {
    return command as unknown as Command;
  }
  throw new ScenarioFailure(`server ${server} applied a command that nobody started: ${JSON.stringify(command)}`);
}

interface State {
  readonly index: number;
  readonly data: readonly (readonly [string, string])[];
  readonly done: readonly (readonly [number, number])[];
}

function readState(snapshot: Uint8Array): State | null {
  try {
    const state: unknown = JSON.parse(new TextDecoder().decode(snapshot));
    const isState = typeof state === 'object' && state !== null && 'index' in state && 'data' in state;
    return isState ? (state as State) : null;
  } catch {
    return null;
  }
}
