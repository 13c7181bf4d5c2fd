/**
 * What a place in a segment holds, as the headers of its records say. Checksums are not looked at: this is for those who damage
 * segments on purpose and must know what they destroy.
 */
import type { Index } from '@quorate/raft';
import { getSafe, viewOf } from '../bytes.ts';
import { isKnownRecordKind, RECORD_HEADER_BYTES, RecordKind, recordBytes, SEGMENT_HEADER_BYTES } from './format.ts';

export interface PeekedPlace {
  /** The entries that the place touches, from the first to the last; 0 if it touches none. */
  readonly firstIndex: Index;
  readonly lastIndex: Index;
  /** It touches more than entries, seals and padding: what the log is made of, not what it holds. */
  readonly structure: boolean;
  /** It touches the header of a record. */
  readonly headers: boolean;
  /** Batches that were begun behind the last one that it touches. */
  readonly batchesBehind: number;
}

/** Follows the records of a segment to [from, to) and on to the end. Null if they cannot be followed. `read` gives its bytes. */
export function peekSegment(
  segment: number,
  size: number,
  read: (offset: number, length: number) => Uint8Array,
  from: number,
  to: number,
): PeekedPlace | null {
  let [firstIndex, lastIndex, batchesBehind, batch] = [0, 0, 0, 0];
  let structure = from < SEGMENT_HEADER_BYTES;
  let headers = structure;
  for (let at = SEGMENT_HEADER_BYTES; at + RECORD_HEADER_BYTES <= size; ) {
    const view = viewOf(read(at, RECORD_HEADER_BYTES));
    const kind = view.getUint8(12);
    if (kind === 0 && view.getUint32(20, true) === 0) break;
    if (view.getUint32(20, true) !== segment || view.getUint32(24, true) !== at || !isKnownRecordKind(kind))
      return null;
    const end = at + recordBytes(view.getUint32(16, true));
    const beginsBatch = view.getUint32(28, true) !== batch;
    batch = view.getUint32(28, true);
    if (end > from && at < to) {
      batchesBehind = 0;
      headers ||= from < at + RECORD_HEADER_BYTES;
      if (kind === RecordKind.entry) {
        lastIndex = getSafe(view, 32);
        firstIndex = firstIndex === 0 ? lastIndex : Math.min(firstIndex, lastIndex);
      } else {
        structure ||= kind === RecordKind.truncate || kind === RecordKind.snapshot;
      }
    } else if (at >= to && beginsBatch) {
      batchesBehind += 1;
    }
    at = end;
  }
  return { firstIndex, lastIndex, structure, headers, batchesBehind };
}
