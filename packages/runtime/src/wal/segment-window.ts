/** A part of a segment file held in memory. Entries cut from it share its bytes. */
import { viewOf } from '../bytes.ts';
import type { DiskQueue } from '../environment.ts';
import { read, type Steps } from '../steps.ts';
import { decodeSeal, type Seal } from './seal.ts';
import { payloadIntact, RECORD_HEADER_BYTES, type RecordHeader, readRecordHeader, segmentPath } from './format.ts';

const WINDOW_BYTES = 1 << 20;

const EMPTY = new Uint8Array(0);

export class SegmentWindow {
  readonly disk: DiskQueue;
  readonly segment: number;
  /** Of the file. */
  readonly size: number;
  readonly seed: number;
  readonly #path: string;
  #start = 0;
  #bytes: Uint8Array = EMPTY;
  #view = viewOf(EMPTY);

  constructor(disk: DiskQueue, segment: number, size: number, seed: number) {
    this.disk = disk;
    this.segment = segment;
    this.size = size;
    this.seed = seed;
    this.#path = segmentPath(segment);
  }

  has(at: number, length: number): boolean {
    return at >= this.#start && at + length <= this.#start + this.#bytes.length;
  }

  /** Makes [at, at + length) present; false if the file ends before. */
  *load(at: number, length: number): Steps<boolean> {
    if (at + length > this.size) return false;
    this.#bytes = yield* this.readApart(at, Math.min(Math.max(length, WINDOW_BYTES), this.size - at));
    this.#view = viewOf(this.#bytes);
    this.#start = at;
    return this.has(at, length);
  }

  /** Reads without moving the window. */
  *readApart(at: number, length: number): Steps<Uint8Array> {
    return yield* read(this.disk, this.#path, at, length);
  }

  header(at: number): RecordHeader | null {
    return readRecordHeader(this.#view, this.#bytes, at - this.#start, this.seed, this.segment, at);
  }

  payloadIntact(at: number, header: RecordHeader): boolean {
    return payloadIntact(this.#bytes, at - this.#start, header);
  }

  /** Null if the record at `at` contradicts itself. */
  seal(at: number, header: RecordHeader): Seal | null {
    return decodeSeal(header, this.#bytes, at - this.#start + RECORD_HEADER_BYTES);
  }

  payload(at: number, length: number): Uint8Array {
    const start = at - this.#start + RECORD_HEADER_BYTES;
    return this.#bytes.subarray(start, start + length);
  }
}
