/**
 * The seal of a batch: term and vote, and how the log looks behind it. The latter is what makes damage before it harmless: whatever
 * records are lost, the seal says which entries the log holds, and so which of them are missing.
 */
import type { HardState, Index, TermRun } from '@quorate/raft';
import { decodeText, encodeText, viewOf } from '../bytes.ts';
import { ByteReader, readU32 } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import type { LogChange } from './batch.ts';
import { type RecordHeader, SECTOR_BYTES } from './format.ts';
import type { LogIndex } from './log-index.ts';

/** What a seal says besides `index` (the last of the log after the batch) and `term`. */
export interface Seal {
  /** Counts batches from the directory's creation on. */
  readonly sequence: number;
  /** Records of the batch, the seal itself not counted. */
  readonly records: number;
  readonly hardState: HardState;
  /** Null in version 1. */
  readonly outline: LogOutline | null;
}

/** The terms of a log's newest entries. By Log Matching (§5.3) index and term say which entry stands there. */
export interface LogOutline {
  /** Ascending in both fields, at least one. */
  readonly runs: readonly TermRun[];
  /** The runs reach back to the log's beginning: the first of them is the position behind which it begins. */
  readonly complete: boolean;
}

/** Elections that one damaged place may span. */
export const MAX_OUTLINE_RUNS = 16;

/** A seal must fit into a sector with the longest vote. Sixteen runs take about 50 bytes unless terms and indexes are huge. */
const MAX_OUTLINE_BYTES = 128;

/** A run takes at most two numbers of eight bytes. */
const MAX_RUN_BYTES = 16;

/** The outline of `log` when `change` is durable. Costs as much as the change has terms. */
export function outlineAfter(change: LogChange, log: LogIndex): LogOutline {
  let base: TermRun = { first: log.base.index, term: log.base.term };
  let kept = log.termRuns.length;
  let added: TermRun[] = [];
  const newest = (): TermRun => added.at(-1) ?? log.termRuns[kept - 1] ?? base;
  if (change.snapshot !== null) {
    base = { first: change.snapshot.index, term: change.snapshot.term };
    kept = 0;
  }
  for (const { truncateFrom, entries } of change.parts) {
    if (truncateFrom !== 0) {
      added = added.filter(({ first }) => first < truncateFrom);
      while ((log.termRuns[kept - 1]?.first ?? 0) >= truncateFrom) kept -= 1;
    }
    // Terms never fall along a log: where the last is known already, all are.
    if ((entries.at(-1)?.term ?? 0) === newest().term && newest() !== base) continue;
    for (const { index, term } of entries) {
      if (newest() === base || newest().term !== term) added.push({ first: index, term });
    }
  }
  const runs = [...log.termRuns.slice(Math.max(0, kept - MAX_OUTLINE_RUNS), kept), ...added];
  const all = kept + added.length;
  if (all >= MAX_OUTLINE_RUNS) return { runs: runs.slice(-MAX_OUTLINE_RUNS), complete: false };
  return { runs: [base, ...runs], complete: true };
}

const NO_VOTE = 0xffff;
const COMPLETE = 0x80;

/** Sequence, number of records, length of the vote. */
const FIXED_BYTES = 14;

export interface SealContent {
  readonly sequence: number;
  readonly records: number;
  readonly vote: string | null;
  /** The last index of the log. */
  readonly lastIndex: Index;
  /** Null for version 1. */
  readonly outline: LogOutline | null;
}

/** A seal must fit into a sector with the longest vote. */
const writer = new ByteWriter(SECTOR_BYTES);

/** The payload of a seal; index and term stand in its header. */
export function encodeSeal({ sequence, records, vote, lastIndex, outline }: SealContent): Uint8Array {
  const voted = vote === null ? NOTHING : encodeVote(vote);
  const voteLength = vote === null ? NO_VOTE : voted.length;
  writer.reset();
  writer.u32(sequence >>> 0);
  writer.u32(Math.floor(sequence / TWO_32));
  writer.u32(records);
  writer.u8(voteLength & 0xff);
  writer.u8(voteLength >>> 8);
  writer.raw(voted);
  if (outline !== null) writeOutline(outline, lastIndex);
  return writer.copy();
}

const TWO_32 = 0x1_0000_0000;

const NOTHING = new Uint8Array(0);

/** A vote stands in every seal of its term, and those before it were mostly for the same few. */
let lastVote = '';
let lastVoteBytes: Uint8Array = NOTHING;

function encodeVote(vote: string): Uint8Array {
  if (vote !== lastVote) {
    lastVote = vote;
    lastVoteBytes = encodeText(vote);
  }
  return lastVoteBytes;
}

/** One more record stands before the seal than it was made for. */
export function countPadding(seal: Uint8Array): void {
  const view = viewOf(seal);
  view.setUint32(8, view.getUint32(8, true) + 1, true);
}

/** From the newest run back, as differences: as many as there is room for. */
function writeOutline({ runs, complete }: LogOutline, lastIndex: Index): void {
  const head = writer.length;
  writer.u8(0);
  let before: TermRun | null = null;
  let count = 0;
  for (; count < runs.length && writer.length - head + MAX_RUN_BYTES <= MAX_OUTLINE_BYTES; count++) {
    const run = runs[runs.length - 1 - count]!;
    writer.varint((before?.first ?? lastIndex) - run.first);
    writer.varint(before === null ? run.term : before.term - run.term);
    before = run;
  }
  writer.u8At(head, count | (complete && count === runs.length ? COMPLETE : 0));
}

/** Null if the payload is not a seal's. The seal shares its bytes. */
export function decodeSeal({ index, term }: RecordHeader, payload: Uint8Array): Seal | null {
  if (payload.length < FIXED_BYTES) return null;
  const voteLength = payload[12]! | (payload[13]! << 8);
  const end = FIXED_BYTES + (voteLength === NO_VOTE ? 0 : voteLength);
  if (end > payload.length) return null;
  const vote = voteLength === NO_VOTE ? null : decodeVote(payload, end);
  if (voteLength !== NO_VOTE && vote === null) return null;
  const sequence = readU32(payload, 4) * TWO_32 + readU32(payload, 0);
  if (!Number.isSafeInteger(sequence)) return null;
  const hasOutline = end < payload.length;
  if (hasOutline && !isOutline(payload, end, index)) return null;
  return new ReadSeal(sequence, readU32(payload, 8), { term, vote }, hasOutline ? payload.subarray(end) : null, index);
}

/** A seal's vote, which ends at `end`. Null if it is no text. */
function decodeVote(payload: Uint8Array, end: number): string | null {
  if (end - FIXED_BYTES === lastVoteBytes.length && startsWithAt(payload, FIXED_BYTES, lastVoteBytes)) return lastVote;
  const vote = decodeText(payload.subarray(FIXED_BYTES, end));
  if (vote === null) return null;
  lastVote = vote;
  lastVoteBytes = encodeText(vote);
  return vote;
}

function startsWithAt(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let index = 0; index < wanted.length; index++) if (bytes[at + index] !== wanted[index]) return false;
  return true;
}

/** Opening a log reads every seal, and of nearly none the outline: it is made when somebody asks. */
class ReadSeal implements Seal {
  readonly sequence: number;
  readonly records: number;
  readonly hardState: HardState;
  readonly #outline: Uint8Array | null;
  readonly #lastIndex: Index;

  constructor(sequence: number, records: number, hardState: HardState, outline: Uint8Array | null, lastIndex: Index) {
    this.sequence = sequence;
    this.records = records;
    this.hardState = hardState;
    this.#outline = outline;
    this.#lastIndex = lastIndex;
  }

  get outline(): LogOutline | null {
    return this.#outline === null ? null : decodeOutline(this.#outline, this.#lastIndex);
  }
}

/** Whether an outline stands from `start` on. */
function isOutline(bytes: Uint8Array, start: number, lastIndex: Index): boolean {
  const reader = new ByteReader(bytes, start);
  const count = reader.u8() & ~COMPLETE;
  let first = lastIndex - reader.varint();
  let term = reader.varint();
  for (let run = 1; run < count; run++) {
    first -= reader.varint();
    term -= reader.varint();
  }
  return reader.complete && count > 0 && first >= 0 && term >= 0;
}

/** `bytes` are an outline. */
function decodeOutline(bytes: Uint8Array, lastIndex: Index): LogOutline {
  const reader = new ByteReader(bytes);
  const head = reader.u8();
  const runs: TermRun[] = [];
  for (let count = head & ~COMPLETE; count > 0; count--) {
    const before = runs.at(-1);
    const first = (before?.first ?? lastIndex) - reader.varint();
    const term = reader.varint();
    runs.push({ first, term: before === undefined ? term : before.term - term });
  }
  return { runs: runs.reverse(), complete: (head & COMPLETE) !== 0 };
}
