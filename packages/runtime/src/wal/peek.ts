/**
 * What a place in a segment holds, as the headers of its records say. Checksums are not looked at: this is for those who damage
 * segments on purpose and must know what they destroy.
 */
import type { Index } from '@quorate/raft';
import { getSafe, viewOf } from '../bytes.ts';
import { isKnownRecordKind, RECORD_HEADER_BYTES, RecordKind, recordBytes, SEGMENT_HEADER_BYTES } from './format.ts';

export interface PeekedPlace {
  /** The entries that the place touches, from the lowest to the highest; 0 if it touches none. */
  readonly firstIndex: Index;
  readonly lastIndex: Index;
  /** Runs of terms in the records from the place up to the first seal behind it. A seal names at most so many (seal.ts). */
  readonly terms: number;
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
  let [firstIndex, lastIndex, terms, term, batchesBehind, batch] = [0, 0, 0, 0, 0, 0];
  let isSealed = false;
  for (let at = SEGMENT_HEADER_BYTES; at + RECORD_HEADER_BYTES <= size; ) {
    const view = viewOf(read(at, RECORD_HEADER_BYTES));
    const kind = view.getUint8(12);
    if (kind === 0 && view.getUint32(20, true) === 0) break;
    if (view.getUint32(20, true) !== segment || view.getUint32(24, true) !== at || !isKnownRecordKind(kind))
      return null;
    const end = at + recordBytes(view.getUint32(16, true));
    const isTouched = end > from && at < to;
    const isEntry = kind === RecordKind.entry || kind === RecordKind.repair;
    const beginsBatch = view.getUint32(28, true) !== batch;
    batch = view.getUint32(28, true);
    if (isEntry && end > from && !isSealed && getSafe(view, 40) !== term) {
      term = getSafe(view, 40);
      terms += 1;
    }
    if (isTouched && isEntry) {
      const index = getSafe(view, 32);
      firstIndex = firstIndex === 0 ? index : Math.min(firstIndex, index);
      lastIndex = Math.max(lastIndex, index);
    }
    if (isTouched) batchesBehind = 0;
    else if (at >= to && beginsBatch) batchesBehind += 1;
    isSealed ||= at >= to && kind === RecordKind.seal;
    at = end;
  }
  return { firstIndex, lastIndex, terms, batchesBehind };
}
