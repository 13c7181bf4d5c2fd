/**
 * Writes down what is seen of a run from outside: what servers call and answer, apply and save, and what they say of themselves. What the
 * debugger shows of a failed test is made of this.
 */
import type { SeenEvent, SeenRecord } from '@quorate/sim';
import type { ApplyMessage, Persister, PlainData, RaftServer } from '../interface.ts';
import type { End, NetworkObserver } from '../network/network.ts';
import { termOf, unwrapped } from './calls.ts';
import { describePlain } from './describe.ts';

/** Events that are kept: the newest, since what fails, fails at the end. */
const MAX_EVENTS = 30_000;

/** Who calls, and whom. */
interface Call {
  readonly from: string;
  readonly to: string;
}

export class LabRecorder implements NetworkObserver {
  readonly #now: () => number;
  #events: SeenRecord[] = [];
  /** Events before those. */
  #gone = 0;
  /** Calls that are under way. */
  readonly #calls = new Map<number, Call>();
  #lastCall = 0;
  #lastOperation = 0;
  readonly #rafts = new Map<number, RaftServer>();
  /** What each server said of itself last. */
  readonly #states = new Map<number, string>();

  /** `now`: milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Events that were not kept: they came before all others. */
  get left(): number {
    return this.#gone + Math.max(0, this.#events.length - MAX_EVENTS);
  }

  get events(): readonly SeenRecord[] {
    return this.#events.slice(-MAX_EVENTS);
  }

  /** Something happened at a server; null: to all, or none. */
  note(server: number | null, event: SeenEvent): void {
    if (server === null) for (const each of this.#rafts.keys()) this.#look(each);
    else if (event.kind !== 'crash') this.#look(server);
    if (event.kind === 'crash' && server !== null) this.#forget(server);
    this.#push(server === null ? null : nameOf(server), event);
  }

  /** The run is over. */
  end(): void {
    for (const server of this.#rafts.keys()) this.#look(server);
  }

  #push(server: string | null, event: SeenEvent): void {
    this.#events.push({ kind: 'seen', at: Math.round(this.#now() * 1000), server, event });
    if (this.#events.length < 2 * MAX_EVENTS) return;
    this.#gone += MAX_EVENTS;
    this.#events = this.#events.slice(MAX_EVENTS);
  }

  #forget(server: number): void {
    this.#rafts.delete(server);
    this.#states.delete(server);
  }

  /** Asks the server of itself before anything else is told of it: what changed since then, its last event changed. */
  #look(server: number): void {
    const raft = this.#rafts.get(server);
    if (raft === undefined) return;
    const { term, isLeader } = raft.getState();
    const state = `${term} ${String(isLeader)}`;
    if (this.#states.get(server) === state) return;
    this.#states.set(server, state);
    this.#push(nameOf(server), { kind: 'state', term, isLeader });
  }

  /** The server, with what it is handed and asked from now on written down. */
  raft(server: number, raft: RaftServer): RaftServer {
    this.#rafts.set(server, raft);
    const start: RaftServer['start'] = (command) => {
      const result = raft.start(command);
      this.note(server, { kind: 'propose', text: describePlain(command), ...result });
      return result;
    };
    return {
      isSynchronous: raft.isSynchronous === true,
      isSharing: raft.isSharing === true,
      start,
      getState: () => raft.getState(),
      snapshot: (index, data) => raft.snapshot(index, data),
      kill: () => raft.kill(),
      // What is not offered must not seem to be.
      ...(raft.change === undefined ? {} : { change: (members) => raft.change?.(members) === true }),
    };
  }

  persister(server: number, persister: Persister): Persister {
    return {
      save: (state, snapshot) => {
        persister.save(state, snapshot);
        this.note(server, { kind: 'save', bytes: persister.stateSize(), snapshotBytes: snapshot?.length ?? 0 });
      },
      readState: () => persister.readState(),
      readSnapshot: () => persister.readSnapshot(),
      stateSize: () => persister.stateSize(),
    };
  }

  applied(server: number, message: ApplyMessage): void {
    const { index } = message;
    if (message.kind === 'snapshot') this.note(server, { kind: 'restore', index });
    else this.note(server, { kind: 'apply', index, text: describePlain(message.command) });
  }

  /** From now on nothing passes over these, and everything over all others. */
  links(cut: readonly End[], text: string): void {
    const links = cut.map(({ from, server }) => `${nameOf(from)}>${nameOf(server)}`);
    this.note(null, { kind: 'links', cut: links, text });
  }

  /** Returns the operation's number. */
  asked(client: number, text: string): number {
    this.#lastOperation += 1;
    this.#push(null, { kind: 'ask', operation: this.#lastOperation, client, text });
    return this.#lastOperation;
  }

  told(operation: number, text: string): void {
    this.#push(null, { kind: 'told', operation, text });
  }

  called(from: string, to: string, method: string, args: PlainData): number {
    this.#lastCall += 1;
    const call = this.#lastCall;
    // A client's calls are told as what it asked.
    if (!isServer(from)) return call;
    this.#calls.set(call, { from, to });
    const asked = unwrapped(method, args);
    const term = termOf(asked.args);
    const text = describePlain(asked.args);
    this.note(Number(from), { kind: 'call', call, to: nameOf(to), method: asked.method, term, text });
    return call;
  }

  arrived(call: number): void {
    const to = this.#calls.get(call)?.to;
    if (to !== undefined) this.note(Number(to), { kind: 'called', call });
  }

  answered(call: number, reply: PlainData): void {
    const to = this.#calls.get(call)?.to;
    if (to === undefined) return;
    this.note(Number(to), { kind: 'answer', call, term: termOf(reply), text: describePlain(reply) });
  }

  ended(call: number, reply: PlainData): void {
    const from = this.#calls.get(call)?.from;
    if (from === undefined) return;
    this.#calls.delete(call);
    this.note(Number(from), { kind: reply === null ? 'unanswered' : 'answered', call });
  }
}

export function nameOf(server: number | string): string {
  return `s${server}`;
}

function isServer(name: string): boolean {
  return /^\d+$/.test(name);
}
