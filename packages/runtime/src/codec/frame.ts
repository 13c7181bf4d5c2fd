/**
 * Frames on a connection between servers: length of the payload (4 bytes, little-endian), CRC32C of the payload
 * (4 bytes), payload. The first byte of the payload is the frame's kind.
 */
import { crc32c } from '../crc32c.ts';
import { ByteReader, readU32 } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

const headerBytes = 8;
const firstBufferBytes = 4096;

/** Begins a frame; the payload follows. Returns what `endFrame` wants. */
export function beginFrame(writer: ByteWriter, kind: number): number {
  const start = writer.length;
  writer.u32(0);
  writer.u32(0);
  writer.u8(kind);
  return start;
}

/** Fills in length and checksum of the frame begun at `start`. */
export function endFrame(writer: ByteWriter, start: number): void {
  const payload = start + headerBytes;
  writer.u32At(start, writer.length - payload);
  writer.u32At(start + 4, writer.checksum(payload));
}

const keptScratchBytes = 4096;
const scratch = new ByteWriter(keptScratchBytes);

/** One frame as bytes of its own. */
export function frame(kind: number, write: (writer: ByteWriter) => void = nothing): Uint8Array {
  scratch.reset();
  const start = beginFrame(scratch, kind);
  write(scratch);
  endFrame(scratch, start);
  const bytes = scratch.copy();
  scratch.trim(keptScratchBytes);
  return bytes;
}

function nothing(): void {
  // A frame whose kind says it all.
}

/**
 * Cuts a stream of bytes into frames. It trusts nothing: a length beyond the limit or a wrong checksum ends the stream, and
 * memory grows only with bytes that have really come.
 */
export class FrameParser {
  /** Largest payload accepted from here on. */
  maxPayloadBytes: number;
  readonly #onFrame: (payload: ByteReader) => string | null;
  #buffer: Uint8Array | null = null;
  #filled = 0;
  /** Bytes that the frame under way needs in all; the header alone while its length is not known. */
  #needed = headerBytes;

  /** `onFrame` takes one payload (views of it are its own) and returns null, or why the connection must end. */
  constructor(maxPayloadBytes: number, onFrame: (payload: ByteReader) => string | null) {
    this.maxPayloadBytes = maxPayloadBytes;
    this.#onFrame = onFrame;
  }

  /** Takes what arrived. Returns null, or why the connection must end; nothing may be pushed after that. */
  push(chunk: Uint8Array): string | null {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#buffer === null && chunk.length - offset >= headerBytes) {
        // The usual case: whole frames in one chunk, read where they stand.
        const total = this.#totalAt(chunk, offset);
        if (typeof total === 'string') return total;
        if (chunk.length - offset >= total) {
          const reason = this.#deliver(chunk, offset, offset + total);
          if (reason !== null) return reason;
          offset += total;
          continue;
        }
        this.#needed = total;
      }
      offset += this.#collect(chunk, offset);
      const reason = this.#advance();
      if (reason !== null) return reason;
    }
    return null;
  }

  #totalAt(bytes: Uint8Array, offset: number): number | string {
    const length = readU32(bytes, offset);
    if (length === 0) return 'empty frame';
    if (length > this.maxPayloadBytes) {
      return `frame of ${length} bytes, at most ${this.maxPayloadBytes} are accepted here`;
    }
    return headerBytes + length;
  }

  /** The frame in [start, end) of `bytes`. */
  #deliver(bytes: Uint8Array, start: number, end: number): string | null {
    const payload = start + headerBytes;
    if (crc32c(bytes, payload, end) !== readU32(bytes, start + 4)) return 'frame with a wrong checksum';
    return this.#onFrame(new ByteReader(bytes, payload, end));
  }

  /** Copies what the frame under way still needs. */
  #collect(chunk: Uint8Array, offset: number): number {
    const take = Math.min(this.#needed - this.#filled, chunk.length - offset);
    let buffer = this.#buffer;
    if (buffer === null || buffer.length < this.#filled + take) {
      const doubled = Math.max(firstBufferBytes, this.#filled * 2, this.#filled + take);
      const grown = new Uint8Array(Math.min(doubled, Math.max(this.#needed, firstBufferBytes)));
      if (buffer !== null) grown.set(buffer.subarray(0, this.#filled));
      buffer = grown;
      this.#buffer = grown;
    }
    buffer.set(chunk.subarray(offset, offset + take), this.#filled);
    this.#filled += take;
    return take;
  }

  /** Delivers the collected frame when it is whole. */
  #advance(): string | null {
    const buffer = this.#buffer;
    if (buffer === null || this.#filled < this.#needed) return null;
    if (this.#needed === headerBytes) {
      const total = this.#totalAt(buffer, 0);
      if (typeof total === 'string') return total;
      this.#needed = total;
      return null;
    }
    // The payload's owner may keep views of it, so the buffer is not used again.
    const end = this.#filled;
    this.#buffer = null;
    this.#filled = 0;
    this.#needed = headerBytes;
    return this.#deliver(buffer, 0, end);
  }
}
