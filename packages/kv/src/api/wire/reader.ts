import { joinInt64, joinUint64, saturatedInt64, saturatedUint64 } from './int64.ts';
import { EMPTY_BYTES } from './message-type.ts';
import { ProtobufError } from './protobuf-error.ts';
import { readUtf8 } from './utf8.ts';

/** How deep messages may be nested in what is decoded. A transaction in a transaction takes two levels. */
export const MAX_NESTING = 64;

const WireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Reads the fields of one message after the other. Invariant: pos <= end <= bytes.length. */
export class Reader {
  private readonly bytes: Uint8Array;
  private pos = 0;
  /** Where the message that is being read ends. */
  private end: number;
  private depth = 0;
  /** Halves of the last 64-bit varint, unsigned. */
  private lo = 0;
  private hi = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.end = bytes.length;
  }

  /** Whether the present message has more fields. */
  more(): boolean {
    return this.pos < this.end;
  }

  /** Begins a length-delimited message or packed list; returns what `leave` wants back. */
  enter(): number {
    const length = this.length();
    if (++this.depth > MAX_NESTING) throw this.error(`messages nested deeper than ${MAX_NESTING}`);
    const outer = this.end;
    this.end = this.pos + length;
    return outer;
  }

  leave(outer: number): void {
    this.depth--;
    this.end = outer;
  }

  /** Field number and wire type in one, as they stand on the wire. */
  tag(): number {
    const short = this.shortVarint();
    const tag = short < 0 ? this.longTag() : short;
    if (tag < 8) throw this.error('field number 0');
    return tag;
  }

  /** Passes over a field that the message does not know, or knows in another type. */
  skip(tag: number): void {
    switch (tag & 7) {
      case WireType.varint:
        this.long();
        return;
      case WireType.fixed64:
        this.advance(8);
        return;
      case WireType.bytes:
        this.advance(this.length());
        return;
      case WireType.fixed32:
        this.advance(4);
        return;
      default:
        throw this.error(`wire type ${tag & 7}, which proto3 does not have`);
    }
  }

  bool(): boolean {
    const short = this.shortVarint();
    if (short >= 0) return short !== 0;
    this.long();
    return this.lo !== 0 || this.hi !== 0;
  }

  /** For enums: the low 32 bits, signed. */
  int32(): number {
    return this.uint32() | 0;
  }

  uint32(): number {
    const short = this.shortVarint();
    if (short >= 0) return short;
    this.long();
    return this.lo;
  }

  int64(): number {
    const short = this.shortVarint();
    if (short >= 0) return short;
    this.long();
    return saturatedInt64(this.lo, this.hi);
  }

  uint64(): number {
    const short = this.shortVarint();
    if (short >= 0) return short;
    this.long();
    return saturatedUint64(this.lo, this.hi);
  }

  int64Exact(): bigint {
    this.long();
    return joinInt64(this.lo, this.hi);
  }

  uint64Exact(): bigint {
    this.long();
    return joinUint64(this.lo, this.hi);
  }

  /** A view, not a copy; always a plain Uint8Array, whatever kind of array is read. */
  view(): Uint8Array {
    const length = this.length();
    if (length === 0) return EMPTY_BYTES;
    const from = this.pos;
    this.pos += length;
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + from, length);
  }

  string(): string {
    const length = this.length();
    const from = this.pos;
    this.pos += length;
    try {
      return readUtf8(this.bytes, from, this.pos);
    } catch (cause) {
      throw new ProtobufError('a string that is not UTF-8', from, { cause });
    }
  }

  /** A length that is known to fit what is left of the present message. */
  private length(): number {
    const short = this.shortVarint();
    if (short < 0) {
      this.long();
      if (this.hi !== 0) throw this.error('a length beyond 32 bits');
    }
    const length = short < 0 ? this.lo : short;
    if (length > this.end - this.pos) throw this.error(`a field of ${length} bytes that reaches past its message`);
    return length;
  }

  private longTag(): number {
    this.long();
    if (this.hi !== 0) throw this.error('a field number beyond 29 bits');
    return this.lo;
  }

  private advance(bytes: number): void {
    if (bytes > this.end - this.pos) throw this.error('a field that reaches past its message');
    this.pos += bytes;
  }

  /** A varint of at most four bytes; -1, and nothing read, when it is longer. The present message must not end in it. */
  private shortVarint(): number {
    const { bytes, pos, end } = this;
    if (end - pos < 4) return this.shortVarintAtEnd();
    let byte = bytes[pos] as number;
    if (byte < 0x80) {
      this.pos = pos + 1;
      return byte;
    }
    let value = byte & 0x7f;
    byte = bytes[pos + 1] as number;
    value |= (byte & 0x7f) << 7;
    if (byte < 0x80) {
      this.pos = pos + 2;
      return value;
    }
    byte = bytes[pos + 2] as number;
    value |= (byte & 0x7f) << 14;
    if (byte < 0x80) {
      this.pos = pos + 3;
      return value;
    }
    byte = bytes[pos + 3] as number;
    if (byte >= 0x80) return -1;
    this.pos = pos + 4;
    return value | (byte << 21);
  }

  private shortVarintAtEnd(): number {
    const byte = this.pos < this.end ? (this.bytes[this.pos] as number) : 0x80;
    if (byte >= 0x80) return -1;
    this.pos++;
    return byte;
  }

  /** A varint of any length, into `lo` and `hi`. Bits beyond the sixty-fourth are dropped, as everywhere. */
  private long(): void {
    let lo = 0;
    let hi = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      const bits = byte & 0x7f;
      if (shift < 28) lo |= bits << shift;
      else if (shift === 28) {
        lo |= bits << 28;
        hi = bits >>> 4;
      } else hi |= shift < 63 ? bits << (shift - 32) : (bits & 1) << 31;
      if (byte < 0x80) {
        this.lo = lo >>> 0;
        this.hi = hi >>> 0;
        return;
      }
    }
    throw this.error('a varint of more than ten bytes');
  }

  private byte(): number {
    if (this.pos >= this.end) throw this.error('the end of the message in the middle of a field');
    return this.bytes[this.pos++] as number;
  }

  private error(what: string): ProtobufError {
    return new ProtobufError(what, this.pos);
  }
}
