/**
 * Reads one segment from its beginning, over whatever is damaged in it: every record says where it belongs, so the next intact one is
 * found wherever it stands. What lies between two seals that can be read is handed over as one stretch; if nothing is damaged that is one
 * batch.
 */
import type { DiskQueue } from '../environment.ts';
import { StorageFailure } from '../storage-failure.ts';
import type { Steps } from '../steps.ts';
import {
  isKnownEntryKind,
  isKnownRecordKind,
  MAX_BATCH_BYTES,
  RECORD_HEADER_BYTES,
  type RecordHeader,
  RecordKind,
  recordBytes,
  SEGMENT_HEADER_BYTES,
  segmentPath,
} from './format.ts';
import type { Seal } from './seal.ts';
import { type Damage, judge } from './segment-end.ts';
import { SegmentWindow } from './segment-window.ts';
import { survey } from './survey.ts';

export interface ScannedRecord {
  readonly header: RecordHeader;
  /** Shares the scan's buffer: copy what is to be kept. Null: an entry whose header stands, and whose data is damaged; or a seal. */
  readonly payload: Uint8Array | null;
}

/** Something between two intact records that is not what was written. */
export interface Gap {
  readonly segment: number;
  readonly from: number;
  /** The same as `from` where nothing seems to be missing, and the next record yet says that something is. */
  readonly to: number;
}

/** What stands between two seals that can be read. */
export interface Stretch {
  readonly records: ScannedRecord[];
  /** In order. Without any, the stretch is one whole batch. */
  readonly gaps: Gap[];
}

export interface ScannedBatch extends Stretch {
  /** Where its seal stands. */
  readonly segment: number;
  /** Where the batch of the seal begins. */
  readonly offset: number;
  readonly end: number;
  readonly seal: Seal;
  readonly sealOffset: number;
  /** The last index of the log after this batch, as the seal has it. */
  readonly lastIndex: number;
}

/** What the scan of a segment leaves to the next: a stretch whose seal was not found yet. */
export interface Carry {
  /** The checksum that the next record must continue; null when the record before it is lost. */
  readonly chain: number | null;
  readonly stretch: Stretch;
}

export function beginning(chain: number | null): Carry {
  return { chain, stretch: { records: [], gaps: [] } };
}

export interface SegmentEnd {
  /** Where the next batch is to be written: behind the last seal. */
  readonly end: number;
  /** The checksum of the last seal; null without any. */
  readonly chain: number | null;
  /** Seals that could be read. */
  readonly batches: number;
  /** Intact records, seals included. */
  readonly records: number;
  readonly size: number;
  /** Null: nothing but zeros follows the last seal. */
  readonly damage: Damage | null;
  readonly carry: Carry;
}

export interface ScannedSegment {
  readonly segment: number;
  readonly size: number;
  /** Of the directory's identity. */
  readonly seed: number;
}

/** Reads the records of a segment behind its header. */
export function scanSegment(
  disk: DiskQueue,
  { segment, size, seed }: ScannedSegment,
  carry: Carry,
  onBatch: (batch: ScannedBatch) => void,
): Steps<SegmentEnd> {
  return new SegmentScan(new SegmentWindow(disk, segment, size, seed), carry, onBatch).run();
}

class SegmentScan {
  readonly #window: SegmentWindow;
  readonly #onBatch: (batch: ScannedBatch) => void;
  #stretch: Stretch;
  #chain: number | null;
  /** The last seal's, and the offset behind it. */
  #sealed: { readonly chain: number | null; readonly end: number } = { chain: null, end: SEGMENT_HEADER_BYTES };
  #at = SEGMENT_HEADER_BYTES;
  /** The header that was read last, and where. */
  #headerAt = -1;
  #headerHere: RecordHeader | null = null;
  /** Behind the last byte that is not zero, as far as that was looked for. */
  #dirtyEnd = 0;
  #batches = 0;
  #records = 0;

  constructor(window: SegmentWindow, { chain, stretch }: Carry, onBatch: (batch: ScannedBatch) => void) {
    this.#window = window;
    this.#chain = chain;
    this.#stretch = stretch;
    this.#onBatch = onBatch;
  }

  *run(): Steps<SegmentEnd> {
    for (;;) {
      const lacking = this.#lacking();
      if (lacking > 0 && (yield* this.#window.load(this.#at, lacking))) continue;
      const record = lacking > 0 ? null : this.#record();
      if (record !== null) this.#take(record);
      else if (!(yield* this.#resume())) break;
    }
    const { chain, end } = this.#sealed;
    const isClean = this.#dirtyEnd <= this.#at && this.#at === end;
    const damage = isClean ? null : yield* judge(this.#window, end, this.#firstDoubt());
    const carry = { chain: this.#chain, stretch: this.#stretch };
    return { end, chain, batches: this.#batches, records: this.#records, size: this.#window.size, damage, carry };
  }

  /** Bytes that must be loaded before the record at hand can be looked at; 0 if it is there, or is none. */
  #lacking(): number {
    if (!this.#window.has(this.#at, RECORD_HEADER_BYTES)) return RECORD_HEADER_BYTES;
    const header = this.#header();
    if (header === null) return 0;
    const bytes = recordBytes(header.length);
    return this.#window.has(this.#at, bytes) ? 0 : bytes;
  }

  /** The header at hand, which is loaded; null unless it is intact. Read once. */
  #header(): RecordHeader | null {
    if (this.#headerAt !== this.#at) {
      const header = this.#window.header(this.#at);
      this.#headerAt = this.#at;
      this.#headerHere = header === null || header.length > MAX_BATCH_BYTES ? null : header;
    }
    return this.#headerHere;
  }

  /** The record at hand, which is loaded; null unless its header is intact, and with it the payload of anything but an entry. */
  #record(): ScannedRecord | null {
    const [window, at] = [this.#window, this.#at];
    const header = this.#header();
    if (header === null) return null;
    const isIntact = window.payloadIntact(at, header);
    if (!isIntact && !isEntry(header)) return null;
    assertKnown(header);
    // A seal is read where it stands.
    const isKept = isIntact && header.kind !== RecordKind.seal;
    return { header, payload: isKept ? window.payload(at, header.length) : null };
  }

  #take(record: ScannedRecord): void {
    const { header } = record;
    const { segment } = this.#window;
    const { gaps, records } = this.#stretch;
    const isFirst = records.length === 0 && gaps.length === 0;
    const batch = isFirst ? header.offset : (records[0]?.header.batch ?? header.batch);
    const follows = header.previous === this.#chain && (gaps.length > 0 || header.batch === batch);
    // Behind a gap nobody knows what the next record should continue.
    if (this.#chain !== null && !follows) gaps.push({ segment, from: this.#at, to: this.#at });
    const at = this.#at;
    this.#at += recordBytes(header.length);
    this.#chain = header.checksum;
    this.#records += 1;
    if (header.kind !== RecordKind.seal) return void records.push(record);
    this.#onBatch(sealed(this.#stretch, header, this.#window.seal(at, header), this.#at));
    this.#batches += 1;
    this.#sealed = { chain: header.checksum, end: this.#at };
    this.#stretch = beginning(null).stretch;
  }

  /** Goes on at the next record whose header is intact; false if there is none. */
  *#resume(): Steps<boolean> {
    const { disk, segment, size, seed } = this.#window;
    const from = this.#at;
    let next: number | null = null;
    this.#dirtyEnd = yield* survey(disk, { segment, from, size, seed }, ({ offset }) => {
      // A record whose payload is damaged may have an intact header.
      if (offset > from) next = offset;
      return offset > from;
    });
    const to = next as number | null;
    if (to === null) return false;
    this.#stretch.gaps.push({ segment, from, to });
    this.#at = to;
    this.#chain = null;
    return true;
  }

  /** The first byte behind the last seal that is not part of an intact record. */
  #firstDoubt(): number {
    const { segment } = this.#window;
    const damaged = this.#stretch.records.find(({ header, payload }) => payload === null && header.segment === segment);
    const gap = this.#stretch.gaps.find((each) => each.segment === segment);
    return Math.min(damaged?.header.offset ?? this.#at, gap?.from ?? this.#at);
  }
}

function isEntry({ kind }: RecordHeader): boolean {
  return kind === RecordKind.entry || kind === RecordKind.repair;
}

function assertKnown(header: RecordHeader): void {
  const unknownEntry = isEntry(header) && !isKnownEntryKind(header.entryKind);
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

function sealed(stretch: Stretch, header: RecordHeader, seal: Seal | null, end: number): ScannedBatch {
  const isWhole = stretch.gaps.length === 0;
  if (seal === null || (isWhole && seal.records !== stretch.records.length)) {
    const path = segmentPath(header.segment);
    throw new StorageFailure(
      'CorruptLog',
      `'${path}' has a seal at offset ${header.offset} that contradicts its batch. ${WHAT_TO_DO}`,
      path,
      header.offset,
    );
  }
  const { segment, batch, offset, index } = header;
  const { records, gaps } = stretch;
  return { records, gaps, segment, offset: batch, end, seal, sealOffset: offset, lastIndex: index };
}

export const WHAT_TO_DO =
  'Do not start this server again on this directory: restore the file, or remove the member from the cluster and add it anew with an empty directory.';
