import { type ByteString, byteStringOf } from '../byte-string.ts';

/** Which keys a request means, by etcd's rules for `key` and `range_end`. */
export interface KeyRange {
  readonly from: ByteString;
  /** The first key beyond; '' for no bound; null for the one key `from`. */
  readonly end: ByteString | null;
}

export function keyRangeOf(key: Uint8Array, rangeEnd: Uint8Array): KeyRange {
  const from = byteStringOf(key);
  if (rangeEnd.length === 0) return { from, end: null };
  // A single zero byte means every key from `from` on.
  return { from, end: rangeEnd.length === 1 && rangeEnd[0] === 0 ? '' : byteStringOf(rangeEnd) };
}

/** Whether `key`, met on the way up from the start of a range, lies before its end. */
export function reaches(end: ByteString, key: ByteString): boolean {
  return end === '' || key < end;
}
