/**
 * From the core's batches to one write. Everything that waits becomes one sealed batch on disk: its entries are copied once, and
 * either all of it counts after a crash or nothing.
 */
import type { Entry, HardState, Index, LogPosition, PersistBatch, SnapshotMetadata, Term } from '@quorate/raft';
import { viewOf } from '../bytes.ts';
import {
  encodeSegmentHeader,
  MAX_BATCH_BYTES,
  RECORD_HEADER_BYTES,
  RecordKind,
  recordBytes,
  SECTOR_BYTES,
  SEGMENT_HEADER_BYTES,
  SEGMENT_VERSION,
  type SegmentHeader,
  writeRecordHeader,
} from './format.ts';
import type { LogIndex } from './log-index.ts';
import { countPadding, encodeSeal, type LogOutline } from './seal.ts';

/** What several of the core's batches come to when they are made durable together. */
export interface LogChange {
  /** The log begins anew behind this snapshot; whatever came before it in the same change is void and left out. */
  readonly snapshot: SnapshotMetadata | null;
  /** Entries that the log holds and whose records are lost: they are written once more, before anything else happens to the log. */
  readonly rewritten: readonly Entry[];
  readonly parts: readonly LogPart[];
  /** Term and vote after the change. */
  readonly hardState: HardState;
  readonly lastIndex: Index;
}

export interface LogPart {
  /** Drop everything from here on first; 0 for nothing. */
  readonly truncateFrom: Index;
  /** The term of the entry at truncateFrom - 1. */
  readonly truncateTerm: Term;
  readonly entries: readonly Entry[];
}

/** Merges batches and checks that they continue the log. Throws when they do not: then the caller's own state is broken. */
export function mergeBatches(
  batches: readonly PersistBatch[],
  rewritten: readonly Entry[],
  log: LogIndex,
  current: HardState,
): LogChange {
  let hardState = current;
  let snapshot: SnapshotMetadata | null = null;
  let parts: LogPart[] = [];
  let base: LogPosition = log.base;
  let lastIndex = log.lastIndex;
  const termBefore = (index: Index): Term | null => {
    for (let at = parts.length - 1; at >= 0; at--) {
      const part = parts[at]!;
      const first = part.entries[0]?.index ?? Number.POSITIVE_INFINITY;
      if (index >= first) return part.entries[index - first]?.term ?? null;
      if (part.truncateFrom !== 0 && index === part.truncateFrom - 1) return part.truncateTerm;
    }
    if (snapshot !== null) return index === base.index ? base.term : null;
    return log.termAt(index);
  };
  for (const batch of batches) {
    hardState = batch.hardState ?? hardState;
    if (batch.snapshot !== null) {
      snapshot = batch.snapshot;
      base = { index: snapshot.index, term: snapshot.term };
      lastIndex = snapshot.index;
      parts = [];
    }
    const truncates = batch.truncateFrom !== 0 && batch.truncateFrom <= lastIndex;
    const truncateTerm = truncates ? termBefore(batch.truncateFrom - 1) : 0;
    if (truncateTerm === null)
      throw new Error(`A batch cuts the log at ${batch.truncateFrom}, behind its base ${base.index}.`);
    if (truncates) lastIndex = batch.truncateFrom - 1;
    for (const entry of batch.entries) {
      if (entry.index !== lastIndex + 1) {
        throw new Error(`A batch appends index ${entry.index} behind ${lastIndex}. The log must have no gaps.`);
      }
      lastIndex = entry.index;
    }
    if (!truncates && batch.entries.length === 0) continue;
    parts.push({ truncateFrom: truncates ? batch.truncateFrom : 0, truncateTerm, entries: batch.entries });
  }
  return { snapshot, rewritten: snapshot === null ? rewritten : [], parts, hardState, lastIndex };
}

/** The header that a segment needs which begins with this change. A cut in the change may reach below it; see `LogIndex.truncate`. */
export function headerFor(
  change: LogChange,
  log: LogIndex,
  place: Pick<SegmentHeader, 'identity' | 'segment' | 'chain'>,
): SegmentHeader {
  const { snapshot } = change;
  const version = SEGMENT_VERSION;
  if (snapshot !== null) return { ...place, version, firstIndex: snapshot.index + 1, baseTerm: snapshot.term };
  return { ...place, version, firstIndex: log.lastIndex + 1, baseTerm: log.lastTerm };
}

/** Where a batch goes and what it must continue. */
export interface BatchPlace {
  readonly segment: number;
  readonly offset: number;
  readonly chain: number;
  readonly sequence: number;
  readonly seed: number;
  /** Of the log behind the batch; null in a segment of version 1. */
  readonly outline: LogOutline | null;
}

export interface EncodedBatch {
  readonly bytes: Uint8Array;
  /** The offset behind the seal. */
  readonly end: number;
  readonly chain: number;
}

/** Bytes that a change takes at most, wherever it is written. */
export function changeBytes(change: LogChange): number {
  return 2 * SECTOR_BYTES + RECORD_HEADER_BYTES + recordsLength(change);
}

/** Encodes a change as one sealed batch, with the segment's header before it if it is the first there. */
export function encodeBatch(change: LogChange, place: BatchPlace, header: SegmentHeader | null): EncodedBatch {
  const records = recordsLength(change);
  const { sequence, outline } = place;
  const { lastIndex, hardState } = change;
  const seal = encodeSeal({ sequence, records: countRecords(change), vote: hardState.vote, lastIndex, outline });
  const padding = paddingBefore(place.offset + records, recordBytes(seal.length));
  if (padding > 0) countPadding(seal);
  const lead = header === null ? 0 : SEGMENT_HEADER_BYTES;
  const length = records + padding + recordBytes(seal.length);
  if (length > MAX_BATCH_BYTES) {
    throw new RangeError(
      `A batch of ${length} bytes exceeds the limit of ${MAX_BATCH_BYTES}. Hand over fewer entries at once.`,
    );
  }
  const bytes = new Uint8Array(lead + length);
  if (header !== null) bytes.set(encodeSegmentHeader(header));
  const writer = new RecordWriter(bytes, lead, place);
  writeChange(writer, change);
  if (padding > 0) writer.write(RecordKind.padding, 0, 0, 0, padding - RECORD_HEADER_BYTES, null);
  writer.write(RecordKind.seal, 0, change.lastIndex, change.hardState.term, seal.length, seal);
  return { bytes, end: place.offset + length, chain: writer.chain };
}

function writeChange(writer: RecordWriter, change: LogChange): void {
  if (change.snapshot !== null) {
    writer.write(RecordKind.snapshot, 0, change.snapshot.index, change.snapshot.term, 0, null);
  }
  for (const { kind, index, term, data } of change.rewritten) {
    writer.write(RecordKind.repair, kind, index, term, data.length, data);
  }
  for (const part of change.parts) {
    if (part.truncateFrom !== 0) writer.write(RecordKind.truncate, 0, part.truncateFrom, part.truncateTerm, 0, null);
    for (const entry of part.entries) {
      writer.write(RecordKind.entry, entry.kind, entry.index, entry.term, entry.data.length, entry.data);
    }
  }
}

/** Tells the index what a change that is durable now has changed. Mirrors `writeChange`. */
export function indexChange(change: LogChange, place: Pick<BatchPlace, 'segment' | 'offset'>, log: LogIndex): void {
  let offset = place.offset;
  if (change.snapshot !== null) {
    log.reset({ index: change.snapshot.index, term: change.snapshot.term });
    offset += RECORD_HEADER_BYTES;
  }
  for (const { index, data } of change.rewritten) {
    log.relocate(index, place.segment, offset);
    offset += recordBytes(data.length);
  }
  for (const part of change.parts) {
    if (part.truncateFrom !== 0) {
      log.truncate(part.truncateFrom, part.truncateTerm);
      offset += RECORD_HEADER_BYTES;
    }
    for (const entry of part.entries) {
      const bytes = recordBytes(entry.data.length);
      log.append(entry.index, entry.term, place.segment, offset, bytes);
      offset += bytes;
    }
  }
}

function recordsLength(change: LogChange): number {
  let bytes = change.snapshot === null ? 0 : RECORD_HEADER_BYTES;
  for (const { data } of change.rewritten) bytes += recordBytes(data.length);
  for (const part of change.parts) {
    if (part.truncateFrom !== 0) bytes += RECORD_HEADER_BYTES;
    for (const entry of part.entries) bytes += recordBytes(entry.data.length);
  }
  return bytes;
}

/** Padding not counted: whether there is any depends on the seal's length. */
function countRecords(change: LogChange): number {
  let count = (change.snapshot === null ? 0 : 1) + change.rewritten.length;
  for (const part of change.parts) count += part.entries.length + (part.truncateFrom === 0 ? 0 : 1);
  return count;
}

/**
 * The length of the padding record that keeps a seal within one sector, so that a crash leaves all of it or nothing: up to the
 * border, or across it when less than a record's header is left. A seal takes 64 to 256 bytes, by the length of the vote.
 */
function paddingBefore(offset: number, sealBytes: number): number {
  const room = SECTOR_BYTES - (offset % SECTOR_BYTES);
  return room >= sealBytes ? 0 : Math.max(room, RECORD_HEADER_BYTES);
}

class RecordWriter {
  chain: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #place: BatchPlace;
  /** What to add to a position in `bytes` to get the offset in the segment. */
  readonly #shift: number;
  #at: number;

  constructor(bytes: Uint8Array, at: number, place: BatchPlace) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#at = at;
    this.#place = place;
    this.#shift = place.offset - at;
    this.chain = place.chain;
  }

  write(
    kind: RecordKind,
    entryKind: number,
    index: Index,
    term: Term,
    length: number,
    payload: Uint8Array | null,
  ): void {
    const at = this.#at;
    if (payload !== null) this.#bytes.set(payload, at + RECORD_HEADER_BYTES);
    this.chain = writeRecordHeader(this.#view, this.#bytes, at, this.#place.seed, {
      previous: this.chain,
      kind,
      entryKind,
      length,
      segment: this.#place.segment,
      offset: at + this.#shift,
      batch: this.#place.offset,
      index,
      term,
    });
    this.#at = at + recordBytes(length);
  }
}
