/**
 * etcd allows a transaction to change a key only once: no key may be put twice, nor put and deleted. The two branches of a
 * nested transaction exclude each other, so both may put the same key.
 *
 * Two of etcd's own gaps are kept, since what passes there must pass here: a delete up to the end of the key space (range_end
 * "\0") overlaps with nothing, and a nested delete is not held against the puts of a nested transaction before it.
 */
import type { DeleteRangeRequest, RequestOp } from '../api/index.ts';
import { type ByteString, byteStringOf } from '../byte-string.ts';

interface Changes {
  readonly puts: Set<ByteString>;
  readonly deletes: Intervals;
}

export function changesKeyTwice(operations: readonly RequestOp[]): boolean {
  return collectChanges(operations) === null;
}

/** The keys that the operations put and delete; null if one is changed twice. */
function collectChanges(operations: readonly RequestOp[]): Changes | null {
  const changes: Changes = { puts: new Set(), deletes: new Intervals() };
  for (const { request } of operations) {
    if (request.case === 'requestDeleteRange') changes.deletes.add(intervalOf(request.value));
  }
  for (const { request } of operations) {
    if (request.case !== 'requestTxn') continue;
    const success = collectChanges(request.value.success);
    const failure = collectChanges(request.value.failure);
    if (success === null || failure === null || !addNested(changes, success, failure)) return null;
  }
  for (const { request } of operations) {
    if (request.case === 'requestPut' && !addPut(changes, byteStringOf(request.value.key))) return null;
  }
  return changes;
}

function addNested(changes: Changes, success: Changes, failure: Changes): boolean {
  for (const key of success.puts) if (!addPut(changes, key)) return false;
  for (const key of failure.puts) {
    // Put by the other branch alone, it is put once all the same.
    if (success.puts.has(key)) continue;
    if (!addPut(changes, key)) return false;
  }
  changes.deletes.addAll(success.deletes);
  changes.deletes.addAll(failure.deletes);
  return true;
}

function addPut({ puts, deletes }: Changes, key: ByteString): boolean {
  if (puts.has(key) || deletes.has(key)) return false;
  puts.add(key);
  return true;
}

interface Interval {
  readonly from: ByteString;
  /** The first key beyond. */
  readonly end: ByteString;
}

function intervalOf({ key, rangeEnd }: DeleteRangeRequest): Interval {
  const from = byteStringOf(key);
  return { from, end: rangeEnd.length === 0 ? `${from}\0` : byteStringOf(rangeEnd) };
}

/** A set of keys as a union of intervals, put in order when it is first asked. */
class Intervals {
  #intervals: Interval[] = [];
  /** Whether they are ascending and disjoint. */
  #ordered = true;

  add(interval: Interval): void {
    this.#intervals.push(interval);
    this.#ordered = false;
  }

  addAll(others: Intervals): void {
    for (const interval of others.#intervals) this.add(interval);
  }

  has(key: ByteString): boolean {
    if (!this.#ordered) this.#order();
    let low = 0;
    let high = this.#intervals.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#intervals[middle] as Interval).from <= key) low = middle + 1;
      else high = middle;
    }
    return low > 0 && key < (this.#intervals[low - 1] as Interval).end;
  }

  #order(): void {
    const merged: Interval[] = [];
    const sorted = this.#intervals.filter(({ from, end }) => from < end);
    sorted.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
    for (const { from, end } of sorted) {
      const last = merged.at(-1);
      if (last === undefined || from > last.end) merged.push({ from, end });
      else if (end > last.end) merged[merged.length - 1] = { from: last.from, end };
    }
    this.#intervals = merged;
    this.#ordered = true;
  }
}
