/**
 * A snapshot is a row of blocks, each one slice, each with a checksum. Blocks of one section follow each other; sections come in
 * the order of their numbers.
 *
 * ```
 *  0  section   1  its version   2  flags (1 required, 2 last block of the section)   3  0
 *  4  number of the block in the whole snapshot, u32
 *  8  length of the payload, u32
 * 12  CRC-32C of bytes 0–11 and the payload, u32
 * 16  payload
 * ```
 * A section that a reader does not know is an error if it is required, and passed over if it is not.
 */
import { ByteReader, type ByteWriter, readU32, writeU32 } from '../byte-stream.ts';
import { crc32c } from '../crc32c.ts';
import { StateMachineError } from '../errors.ts';

export const Section = {
  /** Magic, last command, revision, compact revision. Always first. */
  state: 1,
  /** What members have published of themselves. */
  members: 2,
  clusterVersion: 3,
  /** Which commands have been applied. */
  appliedCommands: 4,
  /** Every kept version of every key, tombstones included. */
  keys: 5,
  leases: 6,
  auth: 7,
  alarms: 8,
  /** Totals. Always last. */
  end: 255,
} as const;
export type Section = (typeof Section)[keyof typeof Section];

/** The one version of every section so far. */
export const sectionVersion = 1;
/** "QKVS". */
export const magic = 0x53_56_4b_51;
/** Keys are packed into blocks of this length; a longer value makes a longer block. */
export const blockTarget = 256 * 1024;
/** Versions of the replicated rules that this program can follow. */
export const supportedClusterVersion = 1;

export const headerBytes = 16;
const crcAt = 12;
const flagRequired = 1;
const flagLast = 2;

export interface Block {
  readonly section: number;
  readonly version: number;
  readonly required: boolean;
  readonly last: boolean;
  readonly number: number;
  readonly payload: Uint8Array;
}

/** Clears the writer and leaves room for a block's header. */
export function beginBlock(writer: ByteWriter): void {
  writer.clear();
  writer.reserve(headerBytes);
}

/** Fills in the header and returns the block, copied out. */
export function endBlock(writer: ByteWriter, section: Section, number: number, last: boolean): Uint8Array {
  const bytes = writer.view().slice();
  bytes[0] = section;
  bytes[1] = sectionVersion;
  bytes[2] = flagRequired | (last ? flagLast : 0);
  writeU32(bytes, 4, number);
  writeU32(bytes, 8, bytes.length - headerBytes);
  writeU32(bytes, crcAt, checksum(bytes));
  return bytes;
}

/**
 * @throws StateMachineError when the block is damaged.
 */
export function openBlock(bytes: Uint8Array): Block {
  if (bytes.length < headerBytes) throw corrupt(`a block of ${bytes.length} bytes, too short for its header`);
  const length = readU32(bytes, 8);
  if (length !== bytes.length - headerBytes) throw corrupt(`a block that says ${length} bytes and has another length`);
  if (readU32(bytes, crcAt) !== checksum(bytes)) throw corrupt('a block whose checksum is wrong');
  const flags = bytes[2] as number;
  return {
    section: bytes[0] as number,
    version: bytes[1] as number,
    required: (flags & flagRequired) !== 0,
    last: (flags & flagLast) !== 0,
    number: readU32(bytes, 4),
    payload: bytes.subarray(headerBytes),
  };
}

export function readerOf(payload: Uint8Array): ByteReader {
  return new ByteReader(payload, (what) => {
    throw corrupt(what);
  });
}

export function corrupt(what: string): StateMachineError {
  return new StateMachineError(
    'CorruptSnapshot',
    `The snapshot has ${what}. Remove it and let this server fetch one from the leader.`,
  );
}

export function unsupportedSnapshot(what: string): StateMachineError {
  return new StateMachineError(
    'UnsupportedSnapshot',
    `The snapshot has ${what}, which this version does not know. Run the version that the other servers run.`,
  );
}

function checksum(bytes: Uint8Array): number {
  return crc32c(bytes, headerBytes, bytes.length, crc32c(bytes, 0, crcAt));
}
