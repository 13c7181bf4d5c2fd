/**
 * The open sessions and the answers kept for them (dissertation §6.3). Part of the replicated state: it changes by commands alone, in
 * the order of the log, so that every server lets the same session go at the same command.
 */
import type { Index } from '@quorate/raft';
import type { SessionId } from './answer.ts';
import type { OpenCommand, SessionCommand } from './envelope.ts';
import { defaultSessionLimits, keptAnswerOverhead, type SessionLimits } from './limits.ts';
import {
  answerKey,
  damagedSessions,
  readRecord,
  type SessionFields,
  sessionKey,
  type SessionRecord,
  sessionRecord,
  type SessionWrite,
  tableRecord,
} from './records.ts';

interface KeptSession extends SessionFields {
  lowest: number;
  lastUsed: Index;
  /** By sequence. All of them within [lowest, lowest + window). */
  readonly answers: Map<number, Uint8Array>;
  /** Which pin it was made after; one that is older is shared with a snapshot and copied before it changes. */
  readonly era: number;
}

/** What is to be done with a command of a session. */
export type Verdict =
  | { readonly kind: 'apply' }
  | { readonly kind: 'repeat'; readonly answer: Uint8Array }
  | { readonly kind: 'refuse'; readonly reason: 'expired' | 'acknowledged' | 'beyondWindow' };

export class SessionTable {
  /** The least recently used comes first. */
  readonly #sessions = new Map<SessionId, KeptSession>();
  readonly #byToken = new Map<string, SessionId>();
  #limits: SessionLimits = defaultSessionLimits;
  #keptBytes = 0;
  #era = 0;
  /** What has changed since `takeWrites`; null where nobody asks. */
  readonly #writes: SessionWrite[] | null;

  /** `isRecorded`: changes are handed out as records by `takeWrites`, for a state machine that stores them. */
  constructor(isRecorded: boolean) {
    this.#writes = isRecorded ? [] : null;
  }

  /** @throws RaftError StateMachineFailed for records that cannot have been written together. */
  static fromRecords(records: Iterable<SessionRecord>, isRecorded: boolean): SessionTable {
    const table = new SessionTable(isRecorded);
    table.#load(records);
    return table;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** Bytes of kept answers, as `maxKeptBytes` counts them. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Opens a session, or finds the one that the same `open` has opened. The limits that it carries count from now on. */
  open({ token, window, limits }: OpenCommand, index: Index): SessionId {
    this.#limits = limits;
    this.#writes?.push(tableRecord(limits));
    const known = this.#byToken.get(token);
    if (known === undefined) {
      this.#add({ id: index, token, window, lowest: 1, lastUsed: index, answers: new Map(), era: this.#era });
    }
    this.#storeSession(this.#use(known ?? index, index));
    this.#makeRoom();
    return known ?? index;
  }

  /** Changes nothing. */
  judge({ session, sequence, lowest }: SessionCommand): Verdict {
    const kept = this.#sessions.get(session);
    if (kept === undefined) return { kind: 'refuse', reason: 'expired' };
    const answer = kept.answers.get(sequence);
    if (answer !== undefined) return { kind: 'repeat', answer };
    if (sequence < kept.lowest) return { kind: 'refuse', reason: 'acknowledged' };
    if (sequence >= Math.max(kept.lowest, lowest) + kept.window) return { kind: 'refuse', reason: 'beyondWindow' };
    return { kind: 'apply' };
  }

  /** The command of an open session had its turn at `index`. `answer` is what it was answered, if it was applied just now. */
  record({ session, sequence, lowest }: SessionCommand, index: Index, answer: Uint8Array | null): void {
    const kept = this.#use(session, index);
    this.#acknowledge(kept, lowest);
    if (answer !== null) {
      kept.answers.set(sequence, answer);
      this.#keptBytes += keptBytesOf(answer);
      this.#storeAnswer(session, sequence, answer);
    }
    this.#storeSession(kept);
    this.#makeRoom();
  }

  close(session: SessionId): void {
    const kept = this.#sessions.get(session);
    if (kept !== undefined) this.#end(kept);
  }

  /** The records of the present state, which later changes do not touch. */
  pin(): Iterable<SessionRecord> {
    this.#era++;
    return recordsOf(this.#limits, [...this.#sessions.values()]);
  }

  /** What has changed since the last call. */
  takeWrites(): readonly SessionWrite[] {
    return this.#writes?.splice(0) ?? [];
  }

  /** Moves a session behind all others, as a copy of its own if a snapshot shares it. */
  #use(id: SessionId, index: Index): KeptSession {
    const found = this.#sessions.get(id);
    if (found === undefined) throw new Error(`Session ${id} was used after it had ended.`);
    const kept = found.era === this.#era ? found : { ...found, answers: new Map(found.answers), era: this.#era };
    kept.lastUsed = index;
    this.#sessions.delete(id);
    this.#sessions.set(id, kept);
    return kept;
  }

  #add(kept: KeptSession): void {
    this.#sessions.set(kept.id, kept);
    this.#byToken.set(kept.token, kept.id);
  }

  #acknowledge(kept: KeptSession, lowest: number): void {
    if (lowest <= kept.lowest) return;
    kept.lowest = lowest;
    for (const sequence of kept.answers.keys()) if (sequence < lowest) this.#forget(kept, sequence);
  }

  #forget(kept: KeptSession, sequence: number): void {
    this.#keptBytes -= keptBytesOf(kept.answers.get(sequence));
    kept.answers.delete(sequence);
    this.#storeAnswer(kept.id, sequence, null);
  }

  #makeRoom(): void {
    const { maxSessions, maxKeptBytes } = this.#limits;
    while (this.#sessions.size > maxSessions || (this.#keptBytes > maxKeptBytes && this.#sessions.size > 1)) {
      const oldest = this.#sessions.values().next();
      if (oldest.done === true) return;
      this.#end(oldest.value);
    }
  }

  #end(kept: KeptSession): void {
    this.#sessions.delete(kept.id);
    this.#byToken.delete(kept.token);
    for (const [sequence, answer] of kept.answers) {
      this.#keptBytes -= keptBytesOf(answer);
      this.#storeAnswer(kept.id, sequence, null);
    }
    this.#writes?.push({ key: sessionKey(kept.id), value: null });
  }

  #storeSession(kept: KeptSession): void {
    this.#writes?.push(sessionRecord(kept));
  }

  #storeAnswer(id: SessionId, sequence: number, value: Uint8Array | null): void {
    this.#writes?.push({ key: answerKey(id, sequence), value });
  }

  #load(records: Iterable<SessionRecord>): void {
    const sessions = new Map<SessionId, KeptSession>();
    const answers: { readonly id: SessionId; readonly sequence: number; readonly bytes: Uint8Array }[] = [];
    let limits: SessionLimits | null = null;
    for (const each of records) {
      const record = readRecord(each);
      if (record.kind === 'table') limits = record.limits;
      else if (record.kind === 'answer') answers.push(record);
      else sessions.set(record.fields.id, { ...record.fields, answers: new Map(), era: this.#era });
    }
    if (limits === null) {
      if (sessions.size + answers.length > 0) throw damagedSessions("the record 'table' is missing");
      return;
    }
    this.#limits = limits;
    for (const { id, sequence, bytes } of answers) this.#loadAnswer(sessions.get(id), id, sequence, bytes);
    const byUse = [...sessions.values()].sort((a, b) => a.lastUsed - b.lastUsed);
    if (byUse.length > limits.maxSessions) throw damagedSessions(`${byUse.length} sessions are more than allowed`);
    for (const session of byUse) this.#add(session);
    if (this.#byToken.size < byUse.length) throw damagedSessions('two sessions bear the same token');
  }

  #loadAnswer(kept: KeptSession | undefined, id: SessionId, sequence: number, bytes: Uint8Array): void {
    if (kept === undefined) throw damagedSessions(`an answer belongs to session ${id}, which is not there`);
    if (sequence < kept.lowest || sequence >= kept.lowest + kept.window) {
      throw damagedSessions(`session ${id} keeps answer ${sequence}, which is outside of its window`);
    }
    kept.answers.set(sequence, bytes);
    this.#keptBytes += keptBytesOf(bytes);
  }
}

function* recordsOf(limits: SessionLimits, sessions: readonly KeptSession[]): Generator<SessionRecord> {
  yield tableRecord(limits);
  for (const session of sessions) {
    yield sessionRecord(session);
    for (const [sequence, value] of session.answers) yield { key: answerKey(session.id, sequence), value };
  }
}

function keptBytesOf(answer: Uint8Array | undefined): number {
  return answer === undefined ? 0 : answer.length + keptAnswerOverhead;
}
