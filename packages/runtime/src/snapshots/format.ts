/**
 * The bytes of a snapshot file: a header with the metadata, the slices as the state machine cut them, a footer. Each frame's checksum
 * continues the one before, so that the footer's is the checksum of the whole.
 */
import { decodeConfiguration, encodeConfiguration, type SnapshotMetadata } from '@quorate/raft';
import { BlockReader, BlockWriter, encodeText, viewOf } from '../bytes.ts';
import { crc32c } from '../crc32c.ts';
import type { StorageIdentity } from '../storage.ts';
import { FORMAT_VERSION, startsWith } from '../wal/format.ts';

export const SNAPSHOT_DIRECTORY = 'snapshots';

const MAGIC = encodeText('QUORSNP\n');
/** Magic, checksum, version and length: enough to know how long the header is. */
export const HEADER_START_BYTES = 20;
export const MAX_HEADER_BYTES = 4 << 20;

/** A frame's length and checksum stand before its slice. */
export const FRAME_HEADER_BYTES = 8;
export const FOOTER_BYTES = 24;
/** Stands in the place of a frame's length. */
const FOOTER_MARK = 0xffff_ffff;

/** The largest slice of a state machine. */
export const MAX_SLICE_BYTES = 64 << 20;

export interface SnapshotHeader {
  /** Who wrote the file; a received one bears its sender. */
  readonly writer: StorageIdentity;
  readonly metadata: SnapshotMetadata;
  readonly length: number;
  /** The checksum that the first frame continues. */
  readonly chain: number;
}

export function encodeSnapshotHeader(writer: StorageIdentity, metadata: SnapshotMetadata): Uint8Array {
  const configuration = encodeConfiguration(metadata.configuration);
  const texts = [writer.clusterId, writer.member, writer.incarnation];
  const textBytes = texts.reduce((sum, text) => sum + 2 + encodeText(text).length, 0);
  const length = HEADER_START_BYTES + 4 + textBytes + 24 + 4 + configuration.length;
  const block = new BlockWriter(length)
    .raw(MAGIC)
    .uint32(0)
    .uint32(FORMAT_VERSION)
    .uint32(length)
    .uint32(writer.group)
    .text(writer.clusterId)
    .text(writer.member)
    .text(writer.incarnation)
    .safe(metadata.index)
    .safe(metadata.term)
    .safe(metadata.configuration.index)
    .uint32(configuration.length)
    .raw(configuration).bytes;
  viewOf(block).setUint32(8, crc32c(block, 12), true);
  return block;
}

export type SnapshotProblem = 'magic' | 'version' | 'damaged';

/** The header's length as its first bytes state it, which may be wrong until the whole is checked. */
export function headerLength(start: Uint8Array): number | SnapshotProblem {
  if (start.length < HEADER_START_BYTES || !startsWith(start, MAGIC)) return 'magic';
  const block = new BlockReader(start, 12);
  if (block.uint32() !== FORMAT_VERSION) return 'version';
  const length = block.uint32();
  return length > HEADER_START_BYTES && length <= MAX_HEADER_BYTES ? length : 'damaged';
}

export function decodeSnapshotHeader(bytes: Uint8Array): SnapshotHeader | SnapshotProblem {
  const length = headerLength(bytes);
  if (typeof length === 'string') return length;
  if (bytes.length < length) return 'damaged';
  const block = new BlockReader(bytes.subarray(0, length), 8);
  const chain = block.uint32();
  if (chain !== crc32c(bytes, 12, length)) return 'damaged';
  block.uint32();
  block.uint32();
  const group = block.uint32();
  const writer = { clusterId: block.text(), group, member: block.text(), incarnation: block.text() };
  const [index, term, configurationIndex] = [block.safe(), block.safe(), block.safe()];
  const configuration = decodeConfiguration(block.raw(block.uint32()).slice(), configurationIndex);
  if (!block.ok || configuration === null) return 'damaged';
  return { writer, metadata: { index, term, configuration }, length, chain };
}

/** Writes a frame's header before its slice, which stands at `FRAME_HEADER_BYTES`; returns the checksum that the next continues. */
export function sealFrame(frame: Uint8Array, chain: number): number {
  const view = viewOf(frame);
  view.setUint32(0, frame.length - FRAME_HEADER_BYTES, true);
  const checksum = frameChecksum(frame.subarray(FRAME_HEADER_BYTES), chain);
  view.setUint32(4, checksum, true);
  return checksum;
}

export function frameChecksum(slice: Uint8Array, chain: number): number {
  const length = new Uint8Array(4);
  viewOf(length).setUint32(0, slice.length, true);
  return crc32c(slice, 0, slice.length, crc32c(length, 0, 4, chain));
}

export interface SnapshotTotals {
  readonly slices: number;
  /** Bytes of all slices. */
  readonly bytes: number;
}

export function encodeFooter(totals: SnapshotTotals, chain: number): Uint8Array {
  const block = new BlockWriter(FOOTER_BYTES)
    .uint32(FOOTER_MARK)
    .uint32(0)
    .safe(totals.slices)
    .safe(totals.bytes).bytes;
  viewOf(block).setUint32(4, footerChecksum(block, chain), true);
  return block;
}

export function isFooter(mark: number): boolean {
  return mark === FOOTER_MARK;
}

/** The totals, or null if the footer does not end this very sequence of frames. */
export function decodeFooter(bytes: Uint8Array, chain: number): SnapshotTotals | null {
  if (bytes.length !== FOOTER_BYTES) return null;
  const block = new BlockReader(bytes);
  const [mark, checksum, slices, total] = [block.uint32(), block.uint32(), block.safe(), block.safe()];
  if (!block.ok || !isFooter(mark) || checksum !== footerChecksum(bytes, chain)) return null;
  return { slices, bytes: total };
}

function footerChecksum(bytes: Uint8Array, chain: number): number {
  return crc32c(bytes, 8, FOOTER_BYTES, chain);
}

// --------------------------------------------------------------------------------------------------------------- names

/** `done`: current or former. `writing`: our own, unfinished. `partial`: received in part. `received`: whole and verified, not yet current. */
export type SnapshotFileKind = 'done' | 'writing' | 'partial' | 'received';

const SUFFIXES: Readonly<Record<SnapshotFileKind, string>> = {
  done: 'snap',
  writing: 'tmp',
  partial: 'part',
  received: 'received',
};

export interface SnapshotFile {
  readonly kind: SnapshotFileKind;
  readonly index: number;
  readonly term: number;
  /** For what is received: the length of the sender's file. 0 otherwise. */
  readonly totalBytes: number;
}

export function snapshotPath(file: SnapshotFile): string {
  const numbers = [file.index, file.term].map((number) => String(number).padStart(16, '0'));
  if (file.kind === 'partial' || file.kind === 'received') numbers.push(String(file.totalBytes));
  return `${SNAPSHOT_DIRECTORY}/${numbers.join('-')}.${SUFFIXES[file.kind]}`;
}

/** Null if the name is not one of a snapshot file. */
export function snapshotOfName(name: string): SnapshotFile | null {
  const match = /^(\d{16})-(\d{16})(?:-(\d{1,16}))?\.(\w+)$/.exec(name);
  const kind = (Object.keys(SUFFIXES) as SnapshotFileKind[]).find((each) => SUFFIXES[each] === match?.[4]);
  if (match === null || kind === undefined) return null;
  return { kind, index: Number(match[1]), term: Number(match[2]), totalBytes: Number(match[3] ?? 0) };
}
