/**
 * Reads one segment from its beginning and decides what its end means. The rules are those of storage faults in consensus logs (Alagappan et al.,
 * "Protocol-Aware Recovery", FAST'18, §3.3.3): a batch without its seal was never promised, anything else that is damaged may have been.
 */
import { isZero, viewOf } from '../bytes.ts';
import type { DiskQueue } from '../environment.ts';
import { StorageFailure } from '../storage-failure.ts';
import { read, type Steps } from '../steps.ts';
import { survey } from './survey.ts';
import {
  decodeSeal,
  isKnownEntryKind,
  isKnownRecordKind,
  MAX_BATCH_BYTES,
  payloadIntact,
  RECORD_HEADER_BYTES,
  type RecordHeader,
  RecordKind,
  readRecordHeader,
  recordBytes,
  SECTOR_BYTES,
  SEGMENT_HEADER_BYTES,
  type Seal,
  segmentPath,
} from './format.ts';

const WINDOW_BYTES = 1 << 20;

export interface ScannedRecord {
  readonly header: RecordHeader;
  /** Shares the scan's buffer: copy what is to be kept. Null: an entry whose header stands, and whose data is damaged. */
  readonly payload: Uint8Array | null;
}

/** A batch whose seal is intact. */
export interface ScannedBatch {
  readonly segment: number;
  readonly offset: number;
  readonly end: number;
  /** All but the seal. */
  readonly records: readonly ScannedRecord[];
  readonly seal: Seal;
  readonly sealOffset: number;
  /** The last index of the log after this batch, as the seal has it. */
  readonly lastIndex: number;
}

/** Something behind the last intact batch that is not zeros. */
export interface Damage {
  /** The first byte that is not what was written. */
  readonly offset: number;
  /** Where the damaged batch begins. */
  readonly batch: number;
  /**
   * `torn`: a last batch that a crash cut off before its seal; nothing of it was promised. `sealed`: a last batch whose seal stands
   * but whose records do not; it may have been promised. `corrupt`: something that was promised, or was never written by us.
   */
  readonly verdict: 'torn' | 'sealed' | 'corrupt';
  /** What was seen, for people. */
  readonly reason: string;
  /** Behind the last byte that is not zero. */
  readonly dirtyEnd: number;
}

export interface SegmentEnd {
  /** Where the next batch is to be written: behind the last intact seal. */
  readonly end: number;
  /** The checksum of the last intact record. */
  readonly chain: number;
  readonly batches: number;
  readonly size: number;
  readonly damage: Damage | null;
}

/** Reads the batches of a segment whose header is known to be intact. */
export function* scanSegment(
  disk: DiskQueue,
  segment: number,
  size: number,
  seed: number,
  chain: number,
  onBatch: (batch: ScannedBatch) => void,
): Steps<SegmentEnd> {
  const window = new SegmentWindow(disk, segmentPath(segment), size);
  let end = SEGMENT_HEADER_BYTES;
  let batches = 0;
  for (;;) {
    const batch: BatchScan = { offset: end, at: end, chain, records: [], damagedAt: null };
    const seal = yield* scanBatch(window, segment, seed, batch);
    if (seal === null) {
      // Without a seal nothing was promised: what is damaged first tells why it is missing.
      batch.at = batch.damagedAt ?? batch.at;
      const damage = yield* judge(window, segment, seed, batch);
      return { end, chain, batches, size, damage };
    }
    onBatch(sealed(segment, batch, seal));
    batches += 1;
    end = batch.at;
    chain = batch.chain;
  }
}

interface BatchScan {
  readonly offset: number;
  at: number;
  chain: number;
  readonly records: ScannedRecord[];
  /** The first entry whose data is damaged. */
  damagedAt: number | null;
}

/** Reads records up to the seal, or to the first that is not intact: then null, and `batch.at` is its place. */
function* scanBatch(
  window: SegmentWindow,
  segment: number,
  seed: number,
  batch: BatchScan,
): Steps<ScannedRecord | null> {
  for (;;) {
    if (!window.has(batch.at, RECORD_HEADER_BYTES) && !(yield* window.load(batch.at, RECORD_HEADER_BYTES))) return null;
    const header = window.header(batch.at, seed, segment);
    if (header === null || header.previous !== batch.chain || header.batch !== batch.offset) return null;
    if (header.length > MAX_BATCH_BYTES) return null;
    const bytes = recordBytes(header.length);
    if (!window.has(batch.at, bytes) && !(yield* window.load(batch.at, bytes))) return null;
    const isIntact = window.payloadIntact(batch.at, header);
    if (!isIntact && header.kind !== RecordKind.entry) return null;
    assertKnown(header);
    if (!isIntact) batch.damagedAt ??= batch.at;
    const record = { header, payload: isIntact ? window.payload(batch.at, header.length) : null };
    batch.at += bytes;
    batch.chain = header.checksum;
    if (header.kind === RecordKind.seal) return record;
    batch.records.push(record);
  }
}

function assertKnown(header: RecordHeader): void {
  const unknownEntry = header.kind === RecordKind.entry && !isKnownEntryKind(header.entryKind);
  if (isKnownRecordKind(header.kind) && !unknownEntry) return;
  const path = segmentPath(header.segment);
  const what = unknownEntry ? `an entry of kind ${header.entryKind}` : `a record of kind ${header.kind}`;
  throw new StorageFailure(
    'UnknownEntryKind',
    `'${path}' holds ${what} at offset ${header.offset}, which this version does not know. It was written by a newer version: start that one.`,
    path,
    header.offset,
  );
}

const EMPTY = new Uint8Array(0);

function sealed(segment: number, batch: BatchScan, record: ScannedRecord): ScannedBatch {
  const seal = record.payload === null ? null : decodeSeal(record.header, record.payload);
  if (seal === null || seal.records !== batch.records.length) {
    const path = segmentPath(segment);
    throw new StorageFailure(
      'CorruptLog',
      `'${path}' has a seal at offset ${record.header.offset} that contradicts its batch. ${WHAT_TO_DO}`,
      path,
      record.header.offset,
    );
  }
  const { records, offset, at: end } = batch;
  return { segment, offset, end, records, seal, sealOffset: record.header.offset, lastIndex: record.header.index };
}

export const WHAT_TO_DO =
  'Do not start this server again on this directory: restore the file, or remove the member from the cluster and add it anew with an empty directory.';

/** Tells the end of a log from a torn batch and both from corruption. `batch.at` is the first byte in doubt. */
function* judge(window: SegmentWindow, segment: number, seed: number, batch: BatchScan): Steps<Damage | null> {
  let later: RecordHeader | null = null;
  let sealStands = false;
  const part = { segment, from: batch.at, size: window.size, seed };
  const dirtyEnd = yield* survey(window.disk, part, (header) => {
    if (header.batch > batch.offset) later ??= header;
    if (header.batch === batch.offset && header.kind === RecordKind.seal) sealStands = true;
  });
  if (dirtyEnd <= batch.at && batch.at === batch.offset) return null;
  const damage = { offset: batch.at, batch: batch.offset, dirtyEnd };
  const proof = later as RecordHeader | null;
  if (proof !== null) {
    const reason = `the batch at offset ${proof.batch} behind it proves that it was durable`;
    return { ...damage, verdict: 'corrupt', reason };
  }
  if (sealStands) {
    return {
      ...damage,
      verdict: 'sealed',
      reason: 'its batch is the last and bears its seal, so it may have been promised',
    };
  }
  if (!(yield* explainedByLostSector(window, segment, seed, batch.at))) {
    return { ...damage, verdict: 'corrupt', reason: 'no write that a crash cut off leaves such bytes' };
  }
  return { ...damage, verdict: 'torn', reason: 'its batch has no seal' };
}

/**
 * Whether the record at `at` is broken in the way a crash breaks it: a whole sector of it was never written, so it is still zero or
 * beyond the end of the file. Rot looks otherwise. Sectors that were written as zeros explain nothing.
 */
function* explainedByLostSector(window: SegmentWindow, segment: number, seed: number, at: number): Steps<boolean> {
  let end = at + RECORD_HEADER_BYTES;
  if (end > window.size) return true;
  const head = yield* window.readApart(at, RECORD_HEADER_BYTES);
  const header = readRecordHeader(viewOf(head), head, 0, seed, segment, at);
  if (header !== null) end = at + recordBytes(Math.min(header.length, MAX_BATCH_BYTES));
  if (end > window.size) return true;
  const bytes = yield* window.readApart(at, roundUp(end, SECTOR_BYTES) - at);
  let zeroSectors = 0;
  for (let sector = at; sector < end; sector = roundUp(sector + 1, SECTOR_BYTES)) {
    const until = Math.min(roundUp(sector + 1, SECTOR_BYTES), at + bytes.length);
    if (isZero(bytes, sector - at, until - at)) zeroSectors += 1;
  }
  return zeroSectors > (header?.zeroSectors ?? 0);
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** A part of a segment file held in memory. Entries cut from it share its bytes. */
class SegmentWindow {
  readonly size: number;
  readonly disk: DiskQueue;
  readonly #path: string;
  #start = 0;
  #bytes: Uint8Array = EMPTY;
  #view = viewOf(EMPTY);

  constructor(disk: DiskQueue, path: string, size: number) {
    this.disk = disk;
    this.#path = path;
    this.size = size;
  }

  has(at: number, length: number): boolean {
    return at >= this.#start && at + length <= this.#start + this.#bytes.length;
  }

  /** Makes [at, at + length) present; false if the file ends before. */
  *load(at: number, length: number): Steps<boolean> {
    if (at + length > this.size) return false;
    this.#bytes = yield* this.readApart(at, Math.min(Math.max(length, WINDOW_BYTES), this.size - at));
    this.#view = viewOf(this.#bytes);
    this.#start = at;
    return this.has(at, length);
  }

  /** Reads without moving the window. */
  *readApart(at: number, length: number): Steps<Uint8Array> {
    return yield* read(this.disk, this.#path, at, length);
  }

  header(at: number, seed: number, segment: number): RecordHeader | null {
    return readRecordHeader(this.#view, this.#bytes, at - this.#start, seed, segment, at);
  }

  payloadIntact(at: number, header: RecordHeader): boolean {
    return payloadIntact(this.#bytes, at - this.#start, header);
  }

  payload(at: number, length: number): Uint8Array {
    const start = at - this.#start + RECORD_HEADER_BYTES;
    return this.#bytes.subarray(start, start + length);
  }
}
