/**
 * etcd allows a transaction to change a key only once: no key may be put twice, nor put and deleted. The two branches of a
 * nested transaction exclude each other, so both may put the same key.
 *
 * Two of etcd's own gaps are kept, since what passes there must pass here: a delete up to the end of the key space (range_end
 * "\0") overlaps with nothing, and a nested delete is not held against the puts of a nested transaction before it.
 */
import type { DeleteRangeRequest, RequestOp } from '../api/index.ts';
import { type ByteString, byteStringOf } from '../byte-string.ts';

interface Interval {
  readonly from: ByteString;
  /** The first key beyond. */
  readonly end: ByteString;
}

interface Changes {
  readonly puts: Set<ByteString>;
  readonly deletes: Interval[];
}

export function changesKeyTwice(operations: readonly RequestOp[]): boolean {
  return collectChanges(operations) === null;
}

/** The keys that the operations put and delete; null if one is changed twice. */
function collectChanges(operations: readonly RequestOp[]): Changes | null {
  const changes: Changes = { puts: new Set(), deletes: [] };
  for (const { request } of operations) {
    if (request.case === 'requestDeleteRange') changes.deletes.push(intervalOf(request.value));
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
  changes.deletes.push(...success.deletes, ...failure.deletes);
  return true;
}

function addPut({ puts, deletes }: Changes, key: ByteString): boolean {
  if (puts.has(key)) return false;
  if (deletes.some(({ from, end }) => from <= key && key < end)) return false;
  puts.add(key);
  return true;
}

function intervalOf({ key, rangeEnd }: DeleteRangeRequest): Interval {
  const from = byteStringOf(key);
  return { from, end: rangeEnd.length === 0 ? `${from}\0` : byteStringOf(rangeEnd) };
}
