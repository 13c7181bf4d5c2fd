/**
 * The bytes of the log on disk; docs/wal-format.md describes them. Everything is little-endian.
 *
 * A segment is a header of one sector, then records one after another, each beginning at a multiple of eight, then zeros. Every
 * record says where it belongs (segment, offset, batch) and carries the checksum of the record before it, so that neither rot nor a
 * misplaced or forgotten write can pass for a record.
 */
import { type Entry, EntryKind, type Index, type Term } from '@quorate/raft';
import { BlockReader, BlockWriter, encodeText, getSafe, isZero, setSafe, viewOf } from '../bytes.ts';
import { crc32c } from '../crc32c.ts';
import type { StorageIdentity } from '../storage.ts';

/** Of everything but segments. */
export const FORMAT_VERSION = 1;

/** Of segments. In version 1 a seal did not say how the log looks, so that what is lost before it cannot be made out. */
export const SEGMENT_VERSION = 2;

/** What a disk writes whole or not at all. Torn writes end at these borders. */
export const SECTOR_BYTES = 512;

export const SEGMENT_HEADER_BYTES = SECTOR_BYTES;
export const RECORD_HEADER_BYTES = 48;

/** Every record begins at a multiple of this. */
export const RECORD_ALIGNMENT = 8;

/** The largest length of one batch on disk, and so of one write. */
export const MAX_BATCH_BYTES = 1 << 30;

const SEGMENT_MAGIC = encodeText('QUORWAL\n');

/** The numbers stand on disk: never reuse one. */
export const RecordKind = {
  /** An entry of the Raft log. */
  entry: 1,
  /** Everything from `index` on is dropped; `term` is the term of the entry before. */
  truncate: 2,
  /** The snapshot (index, term) is now the beginning of the log. Only as the first record of a segment. */
  snapshot: 3,
  /** Fills up to the next sector, so that the seal lies within one. */
  padding: 4,
  /** The end of a batch, with term and vote. Without it the batch does not count. */
  seal: 5,
  /** An entry that the log held already, where its first record is lost: others have sent it. The log is no longer by it. */
  repair: 6,
} as const;
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

// ------------------------------------------------------------------------------------------------------------ identity

/** The checksum that seeds those of all records of a directory: a record of another directory is never valid. */
export function identitySeed(identity: StorageIdentity): number {
  return crc32c(
    encodeText(JSON.stringify([identity.clusterId, identity.group, identity.member, identity.incarnation])),
  );
}

export function sameIdentity(a: StorageIdentity, b: StorageIdentity): boolean {
  return sameMember(a, b) && a.incarnation === b.incarnation;
}

/** The same but for the incarnation. */
export function sameMember(a: StorageIdentity, b: StorageIdentity): boolean {
  return a.clusterId === b.clusterId && a.group === b.group && a.member === b.member;
}

export function identityText(identity: StorageIdentity): string {
  return `member '${identity.member}' (incarnation ${identity.incarnation}) of cluster ${identity.clusterId}, group ${identity.group}`;
}

// ------------------------------------------------------------------------------------------------------ segment header

export interface SegmentHeader {
  /** At most `SEGMENT_VERSION`. */
  readonly version: number;
  readonly identity: StorageIdentity;
  readonly segment: number;
  /** One more than the last index of the log when the segment was begun (of the snapshot, if it begins with one). */
  readonly firstIndex: Index;
  /** The term of the entry before `firstIndex`. */
  readonly baseTerm: Term;
  /** The checksum of the last record of the segment before: the chain goes on across files. */
  readonly chain: number;
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const { identity } = header;
  const block = new BlockWriter(SEGMENT_HEADER_BYTES)
    .raw(SEGMENT_MAGIC)
    .uint32(0)
    .uint32(header.version)
    .uint32(header.segment)
    .uint32(header.chain)
    .safe(header.firstIndex)
    .safe(header.baseTerm)
    .uint32(identity.group)
    .text(identity.clusterId)
    .text(identity.member)
    .text(identity.incarnation).bytes;
  viewOf(block).setUint32(8, crc32c(block, 12), true);
  return block;
}

/** `absent`: nothing but zeros, or a file that ends before the header does. A crash while a segment is begun leaves that. */
export type HeaderProblem = 'absent' | 'magic' | 'version' | 'damaged';

export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | HeaderProblem {
  if (bytes.length < SEGMENT_HEADER_BYTES || isZero(bytes, 0, bytes.length)) return 'absent';
  if (!startsWith(bytes, SEGMENT_MAGIC)) return 'magic';
  const block = new BlockReader(bytes, SEGMENT_MAGIC.length);
  const intact = block.uint32() === crc32c(bytes, 12, SEGMENT_HEADER_BYTES);
  const version = block.uint32();
  if (!intact) return 'damaged';
  if (version < 1 || version > SEGMENT_VERSION) return 'version';
  const [segment, chain, firstIndex, baseTerm] = [block.uint32(), block.uint32(), block.safe(), block.safe()];
  const group = block.uint32();
  const identity = { clusterId: block.text(), group, member: block.text(), incarnation: block.text() };
  return block.ok ? { version, identity, segment, firstIndex, baseTerm, chain } : 'damaged';
}

export function startsWith(bytes: Uint8Array, magic: Uint8Array): boolean {
  return bytes.length >= magic.length && magic.every((byte, at) => bytes[at] === byte);
}

// ------------------------------------------------------------------------------------------------------------- records

export interface RecordHeader {
  /** The checksum of this header; it covers `dataChecksum` and so the whole record. */
  readonly checksum: number;
  readonly dataChecksum: number;
  /** The checksum of the record before. */
  readonly previous: number;
  readonly kind: number;
  readonly entryKind: number;
  /** Sectors that lie wholly in the payload and hold nothing but zeros, as they were written: no sign of a write that was cut off. */
  readonly zeroSectors: number;
  /** Bytes of payload, without the zeros that fill up to a multiple of eight. */
  readonly length: number;
  readonly segment: number;
  readonly offset: number;
  /** The offset of the first record of this batch. */
  readonly batch: number;
  readonly index: Index;
  readonly term: Term;
}

/** Bytes that a record with such a payload takes on disk. */
export function recordBytes(payloadLength: number): number {
  return (RECORD_HEADER_BYTES + payloadLength + 7) & ~7;
}

/** Writes a record whose payload already stands behind its header; returns its checksum. */
export function writeRecordHeader(
  view: DataView,
  bytes: Uint8Array,
  at: number,
  seed: number,
  record: Omit<RecordHeader, 'checksum' | 'dataChecksum' | 'zeroSectors'>,
): number {
  const end = at + recordBytes(record.length);
  view.setUint32(at + 4, record.length === 0 ? 0 : crc32c(bytes, at + RECORD_HEADER_BYTES, end), true);
  view.setUint32(at + 8, record.previous, true);
  bytes[at + 12] = record.kind;
  bytes[at + 13] = record.entryKind;
  view.setUint16(at + 14, countZeroSectors(bytes, at, record), true);
  view.setUint32(at + 16, record.length, true);
  view.setUint32(at + 20, record.segment, true);
  view.setUint32(at + 24, record.offset, true);
  view.setUint32(at + 28, record.batch, true);
  setSafe(view, at + 32, record.index);
  setSafe(view, at + 40, record.term);
  const checksum = crc32c(bytes, at + 4, at + RECORD_HEADER_BYTES, seed);
  view.setUint32(at, checksum, true);
  return checksum;
}

/** Of the record at `at`, which stands at `record.offset` in its segment. More than the field holds are not told apart. */
function countZeroSectors(bytes: Uint8Array, at: number, record: Pick<RecordHeader, 'offset' | 'length'>): number {
  const { offset, length } = record;
  const end = offset + recordBytes(length);
  let count = 0;
  let sector = Math.ceil((offset + RECORD_HEADER_BYTES) / SECTOR_BYTES) * SECTOR_BYTES;
  for (; sector + SECTOR_BYTES <= end; sector += SECTOR_BYTES) {
    const start = at + sector - offset;
    if (isZero(bytes, start, start + SECTOR_BYTES)) count += 1;
  }
  return Math.min(count, MAX_ZERO_SECTORS);
}

const MAX_ZERO_SECTORS = 0xffff;

/** The header at `at`, or null unless it is intact and belongs to exactly this place of this directory. */
export function readRecordHeader(
  view: DataView,
  bytes: Uint8Array,
  at: number,
  seed: number,
  segment: number,
  offset: number,
): RecordHeader | null {
  if (view.getUint32(at + 20, true) !== segment || view.getUint32(at + 24, true) !== offset) return null;
  const checksum = view.getUint32(at, true);
  if (checksum !== crc32c(bytes, at + 4, at + RECORD_HEADER_BYTES, seed)) return null;
  return {
    checksum,
    dataChecksum: view.getUint32(at + 4, true),
    previous: view.getUint32(at + 8, true),
    kind: bytes[at + 12]!,
    entryKind: bytes[at + 13]!,
    zeroSectors: view.getUint16(at + 14, true),
    length: view.getUint32(at + 16, true),
    segment,
    offset,
    batch: view.getUint32(at + 28, true),
    index: getSafe(view, at + 32),
    term: getSafe(view, at + 40),
  };
}

/** Whether the payload behind the header at `at` is what was written. */
export function payloadIntact(bytes: Uint8Array, at: number, header: RecordHeader): boolean {
  if (header.length === 0) return header.dataChecksum === 0;
  return header.dataChecksum === crc32c(bytes, at + RECORD_HEADER_BYTES, at + recordBytes(header.length));
}

/** By number, since every record that is read is asked. */
const isRecordKind = tableOf(Object.values(RecordKind));
const isEntryKind = tableOf(Object.values(EntryKind));

function tableOf(kinds: readonly number[]): readonly boolean[] {
  return Array.from({ length: Math.max(...kinds) + 1 }, (_, kind) => kinds.includes(kind));
}

export function isKnownRecordKind(kind: number): kind is RecordKind {
  return isRecordKind[kind] === true;
}

export function isKnownEntryKind(kind: number): kind is EntryKind {
  return isEntryKind[kind] === true;
}

/** The entry in a record of kind `entry` or `repair`; null when this version does not know its kind. Shares the bytes. */
export function entryOf(header: RecordHeader, payload: Uint8Array): Entry | null {
  if (!isKnownEntryKind(header.entryKind)) return null;
  return { index: header.index, term: header.term, kind: header.entryKind, data: payload };
}

// --------------------------------------------------------------------------------------------------------------- names

export const LOG_DIRECTORY = 'wal';

/** A segment made ready before it is needed: all zeros, renamed when its turn comes. */
export const SPARE_PATH = `${LOG_DIRECTORY}/spare`;

export function segmentPath(segment: number): string {
  return `${LOG_DIRECTORY}/${String(segment).padStart(10, '0')}.wal`;
}

/** The number of a segment file, or null if the name is none. */
export function segmentOfName(name: string): number | null {
  const match = /^(\d{10})\.wal$/.exec(name);
  return match === null ? null : Number(match[1]);
}
