import { cellHi, cellLo, splitInt64, splitNumber, splitUint64, TWO_32 } from './int64.ts';
import { utf8Length, writeUtf8 } from './utf8.ts';

/**
 * The two passes of encoding: `size…` says how many bytes a value takes without its tag, `write…` writes tag and value and
 * returns where they end. A tag is field number and wire type in one.
 */

export function sizeBytes(value: Uint8Array): number {
  return sizeUint32(value.length) + value.length;
}

export function sizeString(value: string): number {
  const length = utf8Length(value);
  return sizeUint32(length) + length;
}

/** A nested message or packed list of `length` bytes, its length included. */
export function sizeDelimited(length: number): number {
  return sizeUint32(length) + length;
}

/** Enums and other int32: negative numbers take ten bytes. */
export function sizeInt32(value: number): number {
  checkInt32(value);
  return value < 0 ? 10 : sizeUint32(value);
}

export function sizeUint32(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

export function sizeInt64(value: number): number {
  if (value >= 0 && value < 0x1000_0000) return sizeUint32(value);
  splitNumber(value);
  return sizeCell();
}

export function sizeUint64(value: number): number {
  checkUnsigned(value);
  return sizeInt64(value);
}

export function sizeInt64Exact(value: bigint): number {
  splitInt64(value);
  return sizeCell();
}

export function sizeUint64Exact(value: bigint): number {
  splitUint64(value);
  return sizeCell();
}

function sizeCell(): number {
  const hi = cellHi();
  if (hi === 0) return sizeUint32(cellLo());
  if (hi < 0x8) return 5;
  if (hi < 0x400) return 6;
  if (hi < 0x2_0000) return 7;
  if (hi < 0x100_0000) return 8;
  return hi < 0x8000_0000 ? 9 : 10;
}

export function writeBytes(bytes: Uint8Array, at: number, tag: number, value: Uint8Array): number {
  at = writeDelimited(bytes, at, tag, value.length);
  bytes.set(value, at);
  return at + value.length;
}

export function writeString(bytes: Uint8Array, at: number, tag: number, value: string): number {
  const length = utf8Length(value);
  at = writeDelimited(bytes, at, tag, length);
  writeUtf8(value, length, bytes, at);
  return at + length;
}

/** Tag and length of a nested message or packed list, which follows. */
export function writeDelimited(bytes: Uint8Array, at: number, tag: number, length: number): number {
  return writeVarint32(bytes, writeVarint32(bytes, at, tag), length);
}

export function writeBool(bytes: Uint8Array, at: number, tag: number): number {
  at = writeVarint32(bytes, at, tag);
  bytes[at] = 1;
  return at + 1;
}

export function writeInt32(bytes: Uint8Array, at: number, tag: number, value: number): number {
  return writeInt32Value(bytes, writeVarint32(bytes, at, tag), value);
}

/** Without a tag, for packed lists. */
export function writeInt32Value(bytes: Uint8Array, at: number, value: number): number {
  checkInt32(value);
  if (value >= 0) return writeVarint32(bytes, at, value);
  splitNumber(value);
  return writeCell(bytes, at);
}

export function writeUint32(bytes: Uint8Array, at: number, tag: number, value: number): number {
  if (value >>> 0 !== value) throw new RangeError(`${value} does not fit an unsigned 32-bit field.`);
  return writeVarint32(bytes, writeVarint32(bytes, at, tag), value);
}

export function writeInt64(bytes: Uint8Array, at: number, tag: number, value: number): number {
  at = writeVarint32(bytes, at, tag);
  if (value >= 0 && value < TWO_32 && Number.isInteger(value)) return writeVarint32(bytes, at, value);
  splitNumber(value);
  return writeCell(bytes, at);
}

export function writeUint64(bytes: Uint8Array, at: number, tag: number, value: number): number {
  checkUnsigned(value);
  return writeInt64(bytes, at, tag, value);
}

export function writeInt64Exact(bytes: Uint8Array, at: number, tag: number, value: bigint): number {
  at = writeVarint32(bytes, at, tag);
  splitInt64(value);
  return writeCell(bytes, at);
}

export function writeUint64Exact(bytes: Uint8Array, at: number, tag: number, value: bigint): number {
  at = writeVarint32(bytes, at, tag);
  splitUint64(value);
  return writeCell(bytes, at);
}

/** `value` is an unsigned 32-bit integer. */
function writeVarint32(bytes: Uint8Array, at: number, value: number): number {
  while (value > 0x7f) {
    bytes[at++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  bytes[at] = value;
  return at + 1;
}

function writeCell(bytes: Uint8Array, at: number): number {
  let lo = cellLo();
  let hi = cellHi();
  while (hi !== 0) {
    bytes[at++] = (lo & 0x7f) | 0x80;
    lo = ((lo >>> 7) | (hi << 25)) >>> 0;
    hi >>>= 7;
  }
  return writeVarint32(bytes, at, lo);
}

/** A typed array ignores writes past its end; this does not. */
export function checkRoom(bytes: Uint8Array, end: number): number {
  if (end > bytes.length) {
    throw new RangeError(
      `The message ends at byte ${end}, the buffer at ${bytes.length}. Make room for size(message).`,
    );
  }
  return end;
}

function checkInt32(value: number): void {
  if ((value | 0) !== value) throw new RangeError(`${value} does not fit a signed 32-bit field.`);
}

function checkUnsigned(value: number): void {
  if (value < 0) throw new RangeError(`${value} does not fit an unsigned field.`);
}
