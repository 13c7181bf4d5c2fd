/**
 * The sessions as records, a key and a value each: what a snapshot holds, and what a durable state machine keeps.
 *
 * ```
 * table                       format version, maxSessions, maxKeptBytes
 * session/<id>                token, window, lowest unanswered, last used
 * answer/<id>/<sequence>      the encoded answer
 * ```
 */
import type { Index } from '@quorate/raft';
import { ByteReader } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { RaftError } from '../errors.ts';
import type { SessionId } from './answer.ts';
import { maxTokenBytes } from './envelope.ts';
import { areLimits, isWindow, type SessionLimits } from './limits.ts';

export interface SessionRecord {
  readonly key: string;
  readonly value: Uint8Array;
}

/** A record to store; null: to remove. */
export interface SessionWrite {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** What is known of one session besides its answers. */
export interface SessionFields {
  readonly id: SessionId;
  readonly token: string;
  /** Answers that are kept for it at most. */
  readonly window: number;
  /** The client has what it wanted of all commands below. */
  readonly lowest: number;
  /** Index of its last command: who was used least recently is seen by it. */
  readonly lastUsed: Index;
}

const recordsVersion = 1;
const tableKey = 'table';

export const sessionKey = (id: SessionId): string => `session/${id}`;
export const answerKey = (id: SessionId, sequence: number): string => `answer/${id}/${sequence}`;

export function tableRecord(limits: SessionLimits): SessionRecord {
  const to = new ByteWriter(24);
  to.u8(recordsVersion);
  to.varint(limits.maxSessions);
  to.varint(limits.maxKeptBytes);
  return { key: tableKey, value: to.view() };
}

export function sessionRecord({ id, token, window, lowest, lastUsed }: SessionFields): SessionRecord {
  const to = new ByteWriter(maxTokenBytes + 32);
  to.string(token);
  to.varint(window);
  to.varint(lowest);
  to.varint(lastUsed);
  return { key: sessionKey(id), value: to.view() };
}

type ReadRecord =
  | { readonly kind: 'table'; readonly limits: SessionLimits }
  | { readonly kind: 'session'; readonly fields: SessionFields }
  | { readonly kind: 'answer'; readonly id: SessionId; readonly sequence: number; readonly bytes: Uint8Array };

/** @throws RaftError StateMachineFailed for a record that this version did not write. */
export function readRecord({ key, value }: SessionRecord): ReadRecord {
  if (key === tableKey) return readTable(value);
  const [, group, id, sequence] = /^(session|answer)\/([1-9]\d{0,15})(?:\/([1-9]\d{0,15}))?$/.exec(key) ?? [];
  if (group === 'session' && sequence === undefined) return readSession(Number(id), value);
  if (group === 'answer' && sequence !== undefined) {
    return { kind: 'answer', id: Number(id), sequence: Number(sequence), bytes: value };
  }
  throw damagedSessions(`a record has the unknown key '${key.slice(0, 100)}'`);
}

function readTable(value: Uint8Array): ReadRecord {
  const from = new ByteReader(value);
  const version = from.u8();
  if (version > recordsVersion) throw laterSessions(version);
  const limits = { maxSessions: from.varint(), maxKeptBytes: from.varint() };
  if (version === 0 || !from.complete || !areLimits(limits)) throw damagedSessions("the record 'table' is malformed");
  return { kind: 'table', limits };
}

function readSession(id: SessionId, value: Uint8Array): ReadRecord {
  const from = new ByteReader(value);
  const token = from.string(maxTokenBytes);
  const fields = { id, token, window: from.varint(), lowest: from.varint(), lastUsed: from.varint() };
  const isValid =
    from.complete && token !== '' && isWindow(fields.window) && fields.lowest > 0 && fields.lastUsed >= id;
  if (!isValid) throw damagedSessions(`the record of session ${id} is malformed`);
  return { kind: 'session', fields };
}

export function damagedSessions(what: string): RaftError {
  return new RaftError(
    'StateMachineFailed',
    `The kept sessions are damaged: ${what}. Restore this server from the others.`,
  );
}

export function laterSessions(version: number): RaftError {
  return new RaftError(
    'StateMachineFailed',
    `The sessions are kept in format ${version}, which this version does not know. Run the version that wrote them.`,
  );
}
