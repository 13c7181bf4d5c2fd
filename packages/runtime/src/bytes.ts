/** Little-endian integers and short strings in byte arrays. Disk formats are built from these. */

const TWO_32 = 0x1_0000_0000;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Writes a safe integer as 64 bits. */
export function setSafe(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true);
  view.setUint32(offset + 4, Math.floor(value / TWO_32), true);
}

/** Reads 64 bits. A value above 2^53 - 1 comes back as NaN: no valid field holds one. */
export function getSafe(view: DataView, offset: number): number {
  const value = view.getUint32(offset + 4, true) * TWO_32 + view.getUint32(offset, true);
  return Number.isSafeInteger(value) ? value : Number.NaN;
}

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Null if the bytes are not well-formed UTF-8. */
export function decodeText(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

export function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** Writes fields one after another into a block of fixed size; throws RangeError when they do not fit. */
export class BlockWriter {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.#view = viewOf(this.bytes);
  }

  get position(): number {
    return this.#at;
  }

  raw(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  uint32(value: number): this {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
    return this;
  }

  safe(value: number): this {
    setSafe(this.#view, this.#at, value);
    this.#at += 8;
    return this;
  }

  /** A length in 16 bits, then UTF-8. */
  text(value: string): this {
    const encoded = encodeText(value);
    this.#view.setUint16(this.#at, encoded.length, true);
    this.#at += 2;
    return this.raw(encoded);
  }
}

/** Reads what BlockWriter wrote. Fields beyond the end, or malformed, turn `ok` false and read as zero or ''. */
export class BlockReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;
  ok = true;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#at = at;
  }

  get position(): number {
    return this.#at;
  }

  raw(length: number): Uint8Array {
    if (!this.#has(length)) return new Uint8Array(0);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  uint32(): number {
    if (!this.#has(4)) return 0;
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }

  safe(): number {
    if (!this.#has(8)) return 0;
    this.#at += 8;
    const value = getSafe(this.#view, this.#at - 8);
    if (Number.isNaN(value)) this.ok = false;
    return this.ok ? value : 0;
  }

  text(): string {
    if (!this.#has(2)) return '';
    const length = this.#view.getUint16(this.#at, true);
    this.#at += 2;
    const text = decodeText(this.raw(length));
    if (text === null) this.ok = false;
    return text ?? '';
  }

  #has(length: number): boolean {
    if (this.#at + length > this.#bytes.length) this.ok = false;
    return this.ok;
  }
}
