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

/** The seal whose payload stands at `start` in `bytes`, which it shares. Null if that is none. */
export function decodeSeal({ index, term, length }: RecordHeader, bytes: Uint8Array, start: number): Seal | null {
  if (length < FIXED_BYTES) return null;
  const voteLength = bytes[start + 12]! | (bytes[start + 13]! << 8);
  const from = start + FIXED_BYTES;
  const outlineFrom = from + (voteLength === NO_VOTE ? 0 : voteLength);
  const end = start + length;
  if (outlineFrom > end) return null;
  const vote = voteLength === NO_VOTE ? null : decodeVote(bytes, from, outlineFrom);
  if (voteLength !== NO_VOTE && vote === null) return null;
  const sequence = readU32(bytes, start + 4) * TWO_32 + readU32(bytes, start);
  if (!Number.isSafeInteger(sequence)) return null;
  const outline: Outlined | null = outlineFrom === end ? null : { bytes, from: outlineFrom, to: end, lastIndex: index };
  if (outline !== null && !isOutline(outline)) return null;
  return new ReadSeal(sequence, readU32(bytes, start + 8), { term, vote }, outline);
}

/** Null if it is no text. */
function decodeVote(bytes: Uint8Array, from: number, to: number): string | null {
  if (isLastVote(bytes, from, to)) return lastVote;
  const vote = decodeText(bytes.subarray(from, to));
  if (vote === null) return null;
  lastVote = vote;
  lastVoteBytes = encodeText(vote);
  return vote;
}

function isLastVote(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== lastVoteBytes.length) return false;
  for (let at = from; at < to; at++) if (bytes[at] !== lastVoteBytes[at - from]) return false;
  return true;
}

/** Opening a log reads every seal, and of nearly none the outline: it is made when somebody asks. */
class ReadSeal implements Seal {
  readonly sequence: number;
  readonly records: number;
  readonly hardState: HardState;
  readonly #outline: Outlined | null;

  constructor(sequence: number, records: number, hardState: HardState, outline: Outlined | null) {
    this.sequence = sequence;
    this.records = records;
    this.hardState = hardState;
    this.#outline = outline;
  }

  get outline(): LogOutline | null {
    return this.#outline === null ? null : decodeOutline(this.#outline);
  }
}

/** Where an outline stands, and the last index of the log that it is of. */
interface Outlined {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly lastIndex: Index;
}

function isOutline({ bytes, from, to, lastIndex }: Outlined): boolean {
  const reader = new ByteReader(bytes, from, to);
  const count = reader.u8() & ~COMPLETE;
  let first = lastIndex - reader.varint();
  let term = reader.varint();
  for (let run = 1; run < count; run++) {
    first -= reader.varint();
    term -= reader.varint();
  }
  return reader.complete && count > 0 && first >= 0 && term >= 0;
}

function decodeOutline({ bytes, from, to, lastIndex }: Outlined): LogOutline {
  const reader = new ByteReader(bytes, from, to);
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
