/** Where an entry's data lies on disk. For those who damage segments on purpose; nothing is verified. */
import type { Index } from '@quorate/raft';
import { getSafe, viewOf } from '../bytes.ts';
import { isKnownRecordKind, RECORD_HEADER_BYTES, RecordKind, recordBytes, SEGMENT_HEADER_BYTES } from './format.ts';

export interface EntryPlace {
  /** Where its data begins, behind the header of its record. */
  readonly offset: number;
  /** Bytes of data; may be 0. */
  readonly length: number;
}

/**
 * Follows the headers of a segment, as far as they can be followed, to the last record of entry `index`: the one that counts if it was
 * written more than once. Null if there is none. `read` gives the segment's bytes.
 */
export function findEntry(
  segment: number,
  size: number,
  read: (offset: number, length: number) => Uint8Array,
  index: Index,
): EntryPlace | null {
  let found: EntryPlace | null = null;
  for (let at = SEGMENT_HEADER_BYTES; at + RECORD_HEADER_BYTES <= size; ) {
    const view = viewOf(read(at, RECORD_HEADER_BYTES));
    const kind = view.getUint8(12);
    const isHere = view.getUint32(20, true) === segment && view.getUint32(24, true) === at;
    if (!isHere || !isKnownRecordKind(kind)) break;
    const length = view.getUint32(16, true);
    if (kind === RecordKind.entry && getSafe(view, 32) === index) found = { offset: at + RECORD_HEADER_BYTES, length };
    at += recordBytes(length);
  }
  return found;
}
