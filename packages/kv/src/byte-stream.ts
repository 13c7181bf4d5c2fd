/** Writes integers and bytes one after the other into a buffer that grows. Integers are little-endian. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Begins anew in the same memory. */
  clear(): void {
    this.#length = 0;
  }

  /** What has been written; a view, gone stale with the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Passes over `count` bytes, for the caller to fill in; returns where they begin in `buffer`. */
  reserve(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) this.#grow(at);
    return at;
  }

  /** Where `reserve` points into. It changes with the next write. */
  get buffer(): Uint8Array {
    return this.#bytes;
  }

  byte(value: number): void {
    const at = this.reserve(1);
    this.#bytes[at] = value;
  }

  u32(value: number): void {
    const at = this.reserve(4);
    writeU32(this.#bytes, at, value);
  }

  u64(value: bigint): void {
    const at = this.reserve(8);
    writeU64(this.#bytes, at, value);
  }

  /** A non-negative safe integer, seven bits a byte, low bits first. */
  varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) | 0x80);
    this.byte(rest);
  }

  raw(source: Uint8Array): void {
    const at = this.reserve(source.length);
    this.#bytes.set(source, at);
  }

  /** Length, then the bytes. */
  block(source: Uint8Array): void {
    this.varint(source.length);
    this.raw(source);
  }

  #grow(used: number): void {
    const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, used));
    this.#bytes = larger;
  }
}

/** Reads what `ByteWriter` wrote. Whatever does not fit is reported through `fail`, which throws. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  /** Throws an error that says what is wrong with the bytes. */
  readonly fail: (what: string) => never;
  #at = 0;

  constructor(bytes: Uint8Array, fail: (what: string) => never) {
    this.#bytes = bytes;
    this.fail = fail;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  u32(): number {
    return readU32(this.#bytes, this.#take(4));
  }

  u64(): bigint {
    return readU64(this.#bytes, this.#take(8));
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return Number.isSafeInteger(value) ? value : this.fail('an integer beyond 53 bits');
    }
    return this.fail('an integer of more than eight bytes');
  }

  /** The place of `count` bytes, which are passed over. */
  skip(count: number): number {
    return this.#take(count);
  }

  /** A view. */
  raw(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  block(): Uint8Array {
    return this.raw(this.varint());
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) this.fail('the end in the middle of a field');
    this.#at += count;
    return at;
  }
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

export function readU32(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  return (low | ((bytes[at + 3] as number) << 24)) >>> 0;
}

export function writeU64(bytes: Uint8Array, at: number, value: bigint): void {
  writeU32(bytes, at, Number(value & 0xffff_ffffn));
  writeU32(bytes, at + 4, Number((value >> 32n) & 0xffff_ffffn));
}

export function readU64(bytes: Uint8Array, at: number): bigint {
  return (BigInt(readU32(bytes, at + 4)) << 32n) | BigInt(readU32(bytes, at));
}

/** A safe integer in eight bytes. */
export function writeSafe(bytes: Uint8Array, at: number, value: number): void {
  writeU32(bytes, at, value);
  writeU32(bytes, at + 4, Math.floor(value / 0x1_0000_0000));
}

export function readSafe(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at + 4) * 0x1_0000_0000 + readU32(bytes, at);
}
