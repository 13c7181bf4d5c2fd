/**
 * From the core's batches to one write. Everything that waits becomes one sealed batch on disk: its entries are copied once, and
 * either all of it counts after a crash or nothing.
 */
import type { Entry, HardState, Index, LogPosition, PersistBatch, SnapshotMetadata, Term } from '@quorate/raft';
import { viewOf } from '../bytes.ts';
import {
  encodeSeal,
  encodeSegmentHeader,
  MAX_BATCH_BYTES,
  RECORD_HEADER_BYTES,
  RecordKind,
  recordBytes,
  SECTOR_BYTES,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  writeRecordHeader,
} from './format.ts';
import type { LogIndex } from './log-index.ts';

/** What several of the core's batches come to when they are made durable together. */
export interface LogChange {
  /** The log begins anew behind this snapshot; whatever came before it in the same change is void and left out. */
  readonly snapshot: SnapshotMetadata | null;
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
export function mergeBatches(batches: readonly PersistBatch[], log: LogIndex, current: HardState): LogChange {
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
  return { snapshot, parts, hardState, lastIndex };
}

/** The header that a segment needs which begins with this change. A cut in the change may reach below it; see `LogIndex.truncate`. */
export function headerFor(
  change: LogChange,
  log: LogIndex,
  place: Pick<SegmentHeader, 'identity' | 'segment' | 'chain'>,
): SegmentHeader {
  const { snapshot } = change;
  if (snapshot !== null) return { ...place, firstIndex: snapshot.index + 1, baseTerm: snapshot.term };
  return { ...place, firstIndex: log.lastIndex + 1, baseTerm: log.lastTerm };
}

/** Where a batch goes and what it must continue. */
export interface BatchPlace {
  readonly segment: number;
  readonly offset: number;
  readonly chain: number;
  readonly sequence: number;
  readonly seed: number;
}

export interface EncodedBatch {
  readonly bytes: Uint8Array;
  /** The offset behind the seal. */
  readonly end: number;
  readonly chain: number;
}

/** Bytes that a change takes at most, wherever it is written. */
export function changeBytes(change: LogChange): number {
  let bytes = 2 * SECTOR_BYTES + RECORD_HEADER_BYTES;
  for (const part of change.parts) {
    bytes += RECORD_HEADER_BYTES;
    for (const entry of part.entries) bytes += recordBytes(entry.data.length);
  }
  return bytes;
}

/** Encodes a change as one sealed batch, with the segment's header before it if it is the first there. */
export function encodeBatch(change: LogChange, place: BatchPlace, header: SegmentHeader | null): EncodedBatch {
  const seal = encodeSeal(place.sequence, countRecords(change, place), change.hardState.vote);
  const records = recordsLength(change);
  const padding = paddingBefore(place.offset + records, recordBytes(seal.length));
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
  for (const part of change.parts) {
    if (part.truncateFrom !== 0) bytes += RECORD_HEADER_BYTES;
    for (const entry of part.entries) bytes += recordBytes(entry.data.length);
  }
  return bytes;
}

function countRecords(change: LogChange, place: BatchPlace): number {
  let count = change.snapshot === null ? 0 : 1;
  for (const part of change.parts) count += part.entries.length + (part.truncateFrom === 0 ? 0 : 1);
  const seal = recordBytes(encodeSeal(0, 0, change.hardState.vote).length);
  return count + (paddingBefore(place.offset + recordsLength(change), seal) > 0 ? 1 : 0);
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
