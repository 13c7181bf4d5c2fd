/** Looks for traces of records where a log can no longer be followed. */
import { isZero, viewOf } from '../bytes.ts';
import type { DiskQueue } from '../environment.ts';
import { read, type Steps } from '../steps.ts';
import { RECORD_HEADER_BYTES, type RecordHeader, readRecordHeader, segmentPath } from './format.ts';

const CHUNK_BYTES = 1 << 20;

export interface SurveyedPart {
  readonly segment: number;
  readonly from: number;
  /** The size of the segment's file. */
  readonly size: number;
  readonly seed: number;
}

/**
 * Hands over every intact record header in the rest of a segment, in order, whatever lies between, until told `true`. Returns the offset
 * behind the last byte that is not zero, as far as it looked, or `from` if all are.
 */
export function* survey(
  disk: DiskQueue,
  part: SurveyedPart,
  found: (header: RecordHeader) => boolean | void,
): Steps<number> {
  const { segment, from, size, seed } = part;
  let dirtyEnd = from;
  for (let at = from; at < size; at += CHUNK_BYTES) {
    const bytes = yield* read(disk, segmentPath(segment), at, Math.min(CHUNK_BYTES + RECORD_HEADER_BYTES, size - at));
    const view = viewOf(bytes);
    const words = wordsOf(bytes);
    const own = Math.min(CHUNK_BYTES, bytes.length);
    // Records begin at multiples of eight.
    for (let cell = 0; cell < own; cell += 8) {
      if (((words[cell >> 2] ?? 0) | (words[(cell >> 2) + 1] ?? 0)) === 0 && cell + 8 <= bytes.length) continue;
      const cellEnd = Math.min(cell + 8, bytes.length);
      if (isZero(bytes, cell, cellEnd)) continue;
      dirtyEnd = at + cellEnd;
      if (cell + RECORD_HEADER_BYTES > bytes.length) continue;
      const header = readRecordHeader(view, bytes, cell, seed, segment, at + cell);
      if (header !== null && found(header) === true) return dirtyEnd;
    }
  }
  return dirtyEnd;
}

/** The whole 32-bit words of `bytes`, to look for zeros quickly. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2);
}
