/** Range: which keys a read finds, filtered, sorted and cut off as etcd does. */
import { type RangeRequest, SortOrder, SortTarget } from '../api/index.ts';
import { type ByteString, compareBytes } from '../byte-string.ts';
import type { Version } from '../mvcc/key-history.ts';
import type { MvccStore } from '../mvcc/store.ts';
import { keyRangeOf, reaches } from './key-range.ts';
import { sortInSteps } from './sort.ts';
import type { Steps, WorkMeter } from './steps.ts';

/** Found keys with the version that each had, in the order of the answer. */
export interface Selection {
  readonly keys: ByteString[];
  readonly versions: Version[];
  /** Keys in the range at that revision: before the limit, and before the bounds on revisions. */
  readonly count: number;
  /** Whether the limit cut something off. */
  readonly more: boolean;
}

/** The answer at `revision`, which the caller has settled on: a readable one that is there. */
export function* selectRange(
  store: MvccStore,
  request: RangeRequest,
  revision: number,
  meter: WorkMeter,
): Steps<Selection> {
  const found = yield* collect(store, request, revision, meter);
  const sorted = yield* sortSelection(found, request, meter);
  return cutOff(sorted, request.limit);
}

function* collect(store: MvccStore, request: RangeRequest, revision: number, meter: WorkMeter): Steps<Selection> {
  const { from, end } = keyRangeOf(request.key, request.rangeEnd);
  const keys: ByteString[] = [];
  const versions: Version[] = [];
  const most = request.countOnly ? 0 : collectLimit(request);
  let count = 0;
  const take = (key: ByteString, version: Version | null): void => {
    if (version === null) return;
    count++;
    if (keys.length >= most || !withinBounds(version, request)) return;
    keys.push(key);
    versions.push(version);
  };
  if (end === null) {
    take(from, store.get(from, revision));
  } else {
    const cursor = store.cursor(from);
    while (cursor.next() && reaches(end, cursor.key)) {
      take(cursor.key, cursor.value.liveAt(revision));
      if (meter.spend(1)) yield;
    }
  }
  return { keys, versions, count, more: false };
}

/**
 * How many keys can matter: one more than the limit (to know whether there are more) if keys come in the order of the
 * answer. Without a sort order etcd cuts off first and then sorts what is left by the target; so do we.
 */
function collectLimit(request: RangeRequest): number {
  if (request.limit <= 0) return Number.POSITIVE_INFINITY;
  const byKey = request.sortTarget === SortTarget.KEY && request.sortOrder !== SortOrder.DESCEND;
  const cutFirst = request.sortOrder === SortOrder.NONE && !hasBounds(request);
  return byKey || cutFirst ? request.limit + 1 : Number.POSITIVE_INFINITY;
}

function hasBounds(request: RangeRequest): boolean {
  return (
    request.minModRevision !== 0 ||
    request.maxModRevision !== 0 ||
    request.minCreateRevision !== 0 ||
    request.maxCreateRevision !== 0
  );
}

function withinBounds(version: Version, request: RangeRequest): boolean {
  const { modRevision, createRevision } = version;
  return (
    (request.maxModRevision === 0 || modRevision <= request.maxModRevision) &&
    (request.minModRevision === 0 || modRevision >= request.minModRevision) &&
    (request.maxCreateRevision === 0 || createRevision <= request.maxCreateRevision) &&
    (request.minCreateRevision === 0 || createRevision >= request.minCreateRevision)
  );
}

/** Keys come in ascending order; any other target sorts ascending if no order is given. Equals stay in key order. */
function* sortSelection(found: Selection, request: RangeRequest, meter: WorkMeter): Steps<Selection> {
  const { keys, versions, count } = found;
  const descending = request.sortOrder === SortOrder.DESCEND;
  if (request.sortTarget === SortTarget.KEY) {
    return descending ? { keys: keys.reverse(), versions: versions.reverse(), count, more: false } : found;
  }
  const ascending = comparison(request.sortTarget);
  const compare = (a: number, b: number): number => ascending(versions[a] as Version, versions[b] as Version);
  const order = yield* sortInSteps(keys.length, descending ? (a, b) => compare(b, a) : compare, meter);
  const sorted: Selection = { keys: [], versions: [], count, more: false };
  for (const i of order) {
    sorted.keys.push(keys[i] as ByteString);
    sorted.versions.push(versions[i] as Version);
    if (meter.spend(1)) yield;
  }
  return sorted;
}

function comparison(target: SortTarget): (a: Version, b: Version) => number {
  switch (target) {
    case SortTarget.VERSION:
      return (a, b) => a.version - b.version;
    case SortTarget.CREATE:
      return (a, b) => a.createRevision - b.createRevision;
    case SortTarget.MOD:
      return (a, b) => a.modRevision - b.modRevision;
    case SortTarget.VALUE:
      return (a, b) => compareBytes(a.value(), b.value());
    default:
      throw new RangeError(`Sort target ${target} is unknown; requests are checked before they come here`);
  }
}

function cutOff(sorted: Selection, limit: number): Selection {
  if (limit <= 0 || sorted.keys.length <= limit) return sorted;
  sorted.keys.length = limit;
  sorted.versions.length = limit;
  return { ...sorted, more: true };
}
