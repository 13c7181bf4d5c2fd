import { crc32c } from '../crc32c.ts';

const utf8 = new TextEncoder();

/**
 * Writes flat binary into one growing buffer: fixed bytes, LEB128 numbers up to 2^53 - 1, counted strings and byte runs.
 * Meant to be reused: `reset`, write, `copy`.
 */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 4096) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  reset(): void {
    this.#length = 0;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** Four bytes, little-endian. */
  u32(value: number): void {
    this.#reserve(4);
    putU32(this.#bytes, this.#length, value);
    this.#length += 4;
  }

  /** Overwrites a byte written earlier. */
  u8At(offset: number, value: number): void {
    this.#bytes[offset] = value;
  }

  /** Overwrites four bytes written earlier (lengths and checksums that are known only at the end). */
  u32At(offset: number, value: number): void {
    putU32(this.#bytes, offset, value);
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0);
  }

  /** A safe integer from 0 on, in one to eight bytes. */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    // Bit operators are right only below 2^31; above, divide.
    while (rest >= 0x80000000) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  string(value: string): void {
    this.counted(utf8.encode(value));
  }

  /** A length, then the bytes. */
  counted(value: Uint8Array): void {
    this.varint(value.length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** What was written, as a view that the next `reset` invalidates. */
  view(from = 0): Uint8Array {
    return this.#bytes.subarray(from, this.#length);
  }

  /** The CRC-32C of what was written from `from` on. */
  checksum(from: number): number {
    return crc32c(this.#bytes, from, this.#length);
  }

  /** What was written, as bytes of its own. */
  copy(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Gives back a buffer that one large batch has blown up. */
  trim(capacity: number): void {
    if (this.#bytes.length > capacity) this.#bytes = new Uint8Array(capacity);
    this.#length = 0;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

function putU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}
