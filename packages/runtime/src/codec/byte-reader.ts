const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads what ByteWriter wrote, from bytes that nobody vouches for. It never throws: the first thing that does not fit sets
 * `failed`, and from there on everything reads as zero or empty. Look at `failed` (or `complete`) before using what was read.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #offset: number;
  #failed = false;

  /** Reads [offset, end) of `bytes`. */
  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#end = end;
    this.#offset = offset;
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** Everything fitted, and nothing is left over. */
  get complete(): boolean {
    return !this.#failed && this.#offset === this.#end;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  fail(): void {
    this.#failed = true;
    this.#offset = this.#end;
  }

  u8(): number {
    if (this.#offset >= this.#end) {
      this.fail();
      return 0;
    }
    return this.#bytes[this.#offset++]!;
  }

  u32(): number {
    if (this.remaining < 4) {
      this.fail();
      return 0;
    }
    const value = readU32(this.#bytes, this.#offset);
    this.#offset += 4;
    return value;
  }

  bool(): boolean {
    const value = this.u8();
    if (value > 1) this.fail();
    return value === 1;
  }

  /** A safe integer; anything larger fails. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) this.fail();
        return this.#failed ? 0 : value;
      }
      scale *= 128;
    }
    this.fail();
    return 0;
  }

  string(maxBytes: number): string {
    const bytes = this.counted(maxBytes);
    try {
      return utf8.decode(bytes);
    } catch {
      // Not UTF-8: malformed like any other wrong byte, and reported through `failed`.
      this.fail();
      return '';
    }
  }

  /** A view of a counted run of at most `maxBytes` bytes. */
  counted(maxBytes: number): Uint8Array {
    const length = this.varint();
    if (length > maxBytes || length > this.remaining) {
      this.fail();
      return empty;
    }
    return this.take(length);
  }

  /** A view of the next `length` bytes. */
  take(length: number): Uint8Array {
    if (length > this.remaining) {
      this.fail();
      return empty;
    }
    const start = this.#offset;
    this.#offset += length;
    return this.#bytes.subarray(start, this.#offset);
  }
}

const empty = new Uint8Array(0);

/** Four bytes, little-endian, as an unsigned number. The caller has checked that they are there. */
export function readU32(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24)) >>> 0;
}
