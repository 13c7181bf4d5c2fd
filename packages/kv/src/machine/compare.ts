/** The conditions of a transaction. */
import { type Compare, CompareResult, CompareTarget } from '../api/index.ts';
import { compareBytes } from '../byte-string.ts';
import { Version } from '../mvcc/key-history.ts';
import type { MvccStore } from '../mvcc/store.ts';
import { keyRangeOf, reaches } from './key-range.ts';
import { bytesPerUnit, type Steps, type WorkMeter } from './steps.ts';

const noBytes = new Uint8Array(0);
/** What a condition on a key that is not there is compared with: zeros. */
const absent = new Version(0, 0, 0, 0, 0n);

/**
 * Whether the condition holds for every key of its range at `revision`. A range without keys stands for one key whose numbers
 * are all 0; of its value nothing can be said, so a condition on the value fails.
 */
export function* holds(store: MvccStore, compare: Compare, revision: number, meter: WorkMeter): Steps<boolean> {
  const { from, end } = keyRangeOf(compare.key, compare.rangeEnd);
  if (end === null) return holdsFor(compare, store.get(from, revision) ?? absent);
  let found = false;
  const cursor = store.cursor(from);
  while (cursor.next() && reaches(end, cursor.key)) {
    const version = cursor.value.liveAt(revision);
    if (version !== null) {
      found = true;
      if (!holdsFor(compare, version)) return false;
    }
    if (meter.spend(1 + (version === null ? 0 : version.length / bytesPerUnit))) yield;
  }
  return found || holdsFor(compare, absent);
}

function holdsFor(compare: Compare, version: Version): boolean {
  if (version === absent && compare.target === CompareTarget.VALUE) return false;
  return satisfies(compare.result, difference(compare, version));
}

/** What the key has, compared with what the condition names; what is named for another target counts as zero, as in etcd. */
function difference(compare: Compare, version: Version): number {
  const wanted = compare.targetUnion;
  switch (compare.target) {
    case CompareTarget.VERSION:
      return version.version - (wanted.case === 'version' ? wanted.value : 0);
    case CompareTarget.CREATE:
      return version.createRevision - (wanted.case === 'createRevision' ? wanted.value : 0);
    case CompareTarget.MOD:
      return version.modRevision - (wanted.case === 'modRevision' ? wanted.value : 0);
    case CompareTarget.VALUE:
      return compareBytes(version.value(), wanted.case === 'value' ? wanted.value : noBytes);
    case CompareTarget.LEASE:
      return compareIds(version.lease, wanted.case === 'lease' ? wanted.value : 0n);
    default:
      return 0;
  }
}

function compareIds(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function satisfies(result: CompareResult, difference: number): boolean {
  switch (result) {
    case CompareResult.EQUAL:
      return difference === 0;
    case CompareResult.GREATER:
      return difference > 0;
    case CompareResult.LESS:
      return difference < 0;
    case CompareResult.NOT_EQUAL:
      return difference !== 0;
    default:
      // etcd lets a relation that it does not know hold.
      return true;
  }
}
