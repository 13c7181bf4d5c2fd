import type { SessionAnswer, SessionLimits } from '@quorate/runtime';
import { deepStrictEqual, strictEqual } from 'node:assert';
import { encodeClose, encodeCommand, encodeOpen } from '../../src/sessions/envelope.ts';
import { keptAnswerOverhead } from '../../src/sessions/limits.ts';
import { command, type CounterResult } from './counter.ts';
import {
  applyAt,
  counterAnswers,
  durableReplica,
  emptyLedgerFile,
  memoryReplica,
  type Replica,
  restore,
  slicesOf,
} from './session-machines.ts';

type Answer = SessionAnswer<CounterResult>;

export type Step =
  | { readonly kind: 'open'; readonly client: number; readonly window: number; readonly limits: SessionLimits }
  /** The client's next command. Before it acknowledges all but the last `unanswered`. */
  | { readonly kind: 'next'; readonly client: number; readonly unanswered: number; readonly isSlow: boolean }
  /** A copy of something that the log holds already: `back` places before its end. */
  | { readonly kind: 'again'; readonly back: number }
  | { readonly kind: 'close'; readonly client: number }
  | { readonly kind: 'plain' }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'crash' };

export const clients = 5;

/** What one client believes. */
interface Client {
  session: number;
  sequence: number;
  opened: number;
}

/** One log, the replicas that apply it, and the model that says how. */
export class World {
  readonly #seen: Set<string>;
  readonly #clients: readonly Client[] = Array.from({ length: clients }, () => ({
    session: 999,
    sequence: 0,
    opened: 0,
  }));
  readonly #log: { readonly bytes: Uint8Array; readonly judge: (index: number) => Answer }[] = [];
  readonly #model = new Model();
  readonly #file = emptyLedgerFile();
  readonly #steady = memoryReplica();
  #restored = memoryReplica();
  #durable = durableReplica(this.#file);

  constructor(seen: Set<string>) {
    this.#seen = seen;
  }

  run(step: Step): void {
    switch (step.kind) {
      case 'open':
        return this.#open(step);
      case 'next':
        return this.#next(step);
      case 'again': {
        const entry = this.#log.at(-1 - step.back);
        if (entry !== undefined) this.#append(entry.bytes, entry.judge);
        return;
      }
      case 'close': {
        const { session } = this.#client(step.client);
        this.#append(encodeClose(session), () => this.#model.close(session));
        return;
      }
      case 'plain':
        this.#append(command('plain'), (index) => ({
          kind: 'applied',
          result: this.#model.applied(index, 'plain'),
          isRepeated: false,
        }));
        return;
      case 'snapshot':
        return this.#replace();
      case 'crash':
        this.#durable = durableReplica(this.#file);
        return;
    }
  }

  finish(): void {
    const { commands } = this.#model;
    for (const replica of this.#replicas()) {
      deepStrictEqual(replica.commands(), commands);
      deepStrictEqual(replica.machine.sessionStatus(), this.#model.status());
    }
    const ofSessions = commands.filter((text) => text !== 'plain');
    strictEqual(new Set(ofSessions).size, ofSessions.length);
  }

  #open({ client: number, window, limits: bounds }: Step & { kind: 'open' }): void {
    const it = this.#client(number);
    const token = `${number}.${it.opened++}`;
    const judge = (index: number): Answer => this.#model.open(token, window, bounds, index);
    const answer = this.#append(encodeOpen({ token, window, limits: bounds }), judge);
    if (answer.kind === 'opened') Object.assign(it, { session: answer.session, sequence: 0 });
  }

  #next({ client: number, unanswered, isSlow }: Step & { kind: 'next' }): void {
    const it = this.#client(number);
    const { session } = it;
    const sequence = ++it.sequence;
    const lowest = Math.max(1, sequence - unanswered);
    const text = `${isSlow ? '~' : ''}${session}.${sequence}`;
    const bytes = encodeCommand({ session, sequence, lowest, data: command(text) });
    this.#append(bytes, (index) => this.#model.command({ session, sequence, lowest, text }, index));
  }

  #append(bytes: Uint8Array, judge: (index: number) => Answer): Answer {
    this.#log.push({ bytes, judge });
    const index = this.#log.length;
    const expected = judge(index);
    this.#seen.add(sightingOf(expected));
    for (const replica of this.#replicas()) deepStrictEqual(applyAt(replica, index, bytes), expected);
    return expected;
  }

  #replace(): void {
    const before = slicesOf(this.#restored.machine.openSnapshot());
    const next = memoryReplica();
    restore(next, before, this.#log.length);
    deepStrictEqual(sessionsIn(slicesOf(next.machine.openSnapshot())), sessionsIn(before));
    this.#restored = next;
  }

  #replicas(): readonly Replica[] {
    return [this.#steady, this.#restored, this.#durable];
  }

  #client(number: number): Client {
    const it = this.#clients[number];
    if (it === undefined) throw new Error('no such client');
    return it;
  }
}

/** Without the slices of the journal itself. */
function sessionsIn(slices: readonly Uint8Array[]): readonly Uint8Array[] {
  return slices.slice(0, 1 + slices.findIndex((slice) => slice[0] === 2));
}

function sightingOf(answer: Answer): string {
  if (answer.kind === 'refused') return answer.reason;
  return answer.kind === 'applied' && answer.isRepeated ? 'repeated' : answer.kind;
}

interface ModelSession {
  readonly id: number;
  readonly token: string;
  readonly window: number;
  lowest: number;
  lastUsed: number;
  /** Every answer that it was ever given. */
  readonly results: Map<number, CounterResult>;
}

/** Says what docs/sessions.md says, without a thought for memory or speed. */
class Model {
  readonly commands: string[] = [];
  #sessions: ModelSession[] = [];
  #limits: SessionLimits = { maxSessions: 1024, maxKeptBytes: 64 << 20 };

  applied(index: number, text: string): CounterResult {
    this.commands.push(text);
    return { index, sum: this.commands.length };
  }

  open(token: string, window: number, bounds: SessionLimits, index: number): Answer {
    this.#limits = bounds;
    const known = this.#sessions.find((each) => each.token === token);
    const session = known ?? {
      id: index,
      token,
      window,
      lowest: 1,
      lastUsed: index,
      results: new Map<number, CounterResult>(),
    };
    if (known === undefined) this.#sessions.push(session);
    session.lastUsed = index;
    this.#makeRoom();
    return { kind: 'opened', session: session.id };
  }

  command(it: { session: number; sequence: number; lowest: number; text: string }, index: number): Answer {
    const session = this.#sessions.find((each) => each.id === it.session);
    if (session === undefined) return { kind: 'refused', reason: 'expired' };
    session.lastUsed = index;
    const lowestBefore = session.lowest;
    session.lowest = Math.max(session.lowest, it.lowest);
    const answer = this.#answer(session, it, lowestBefore, index);
    this.#makeRoom();
    return answer;
  }

  close(id: number): Answer {
    this.#sessions = this.#sessions.filter((each) => each.id !== id);
    return { kind: 'closed' };
  }

  status(): { readonly sessions: number; readonly keptBytes: number } {
    return { sessions: this.#sessions.length, keptBytes: this.#keptBytes() };
  }

  #answer(session: ModelSession, it: { sequence: number; text: string }, lowestBefore: number, index: number): Answer {
    if (it.sequence < lowestBefore) return { kind: 'refused', reason: 'acknowledged' };
    const earlier = session.results.get(it.sequence);
    if (earlier !== undefined) return { kind: 'applied', result: earlier, isRepeated: true };
    if (it.sequence >= session.lowest + session.window) return { kind: 'refused', reason: 'beyondWindow' };
    const result = this.applied(index, it.text);
    session.results.set(it.sequence, result);
    return { kind: 'applied', result, isRepeated: false };
  }

  #makeRoom(): void {
    const { maxSessions, maxKeptBytes } = this.#limits;
    const isTooMuch = (): boolean => this.#sessions.length > maxSessions || this.#keptBytes() > maxKeptBytes;
    while (this.#sessions.length > 1 && isTooMuch()) {
      const oldest = Math.min(...this.#sessions.map((each) => each.lastUsed));
      this.#sessions = this.#sessions.filter((each) => each.lastUsed !== oldest);
    }
  }

  #keptBytes(): number {
    let bytes = 0;
    for (const { lowest, results } of this.#sessions) {
      for (const [sequence, result] of results) {
        if (sequence >= lowest) bytes += counterAnswers.encode(result).length + keptAnswerOverhead;
      }
    }
    return bytes;
  }
}
