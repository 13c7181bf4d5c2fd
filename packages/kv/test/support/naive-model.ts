/**
 * The store as one would write it without a thought for time or memory: a whole copy of the key space for every revision.
 * Deliberately shares no code with the store.
 */
import {
  type Compare,
  CompareResult,
  CompareTarget,
  type DeleteRangeRequest,
  type KeyValue,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  SortOrder,
  SortTarget,
  type TxnRequest,
} from '../../src/api/index.ts';

export type State = ReadonlyMap<string, KeyValue>;
type Answer = Record<string, unknown>;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export class ModelError extends Error {}

export class NaiveModel {
  /** Index: revision. Revision 0 never was; 1 is empty. */
  readonly states: State[] = [new Map(), new Map()];
  compactRevision = -1;

  get revision(): number {
    return this.states.length - 1;
  }

  get current(): State {
    return this.states.at(-1) as State;
  }

  put(request: PutRequest): Answer {
    if (request.lease !== 0n) throw new ModelError('leaseNotFound');
    if ((request.ignoreValue || request.ignoreLease) && !this.current.has(hex(request.key))) {
      throw new ModelError('keyNotFound');
    }
    const next = new Map(this.current);
    const answer = putInto(next, request, this.revision + 1, this.current);
    this.states.push(next);
    return { ...answer, revision: this.revision };
  }

  deleteRange(request: DeleteRangeRequest): Answer {
    const next = new Map(this.current);
    const answer = deleteFrom(next, request);
    if (answer.deleted > 0) this.states.push(next);
    return { ...answer, revision: this.revision };
  }

  compact(revision: number): void {
    if (revision <= this.compactRevision) throw new ModelError('compacted');
    if (revision > this.revision) throw new ModelError('futureRevision');
    this.compactRevision = revision;
  }

  range(request: RangeRequest): Answer {
    const revision = request.revision <= 0 ? this.revision : request.revision;
    if (revision > this.revision) throw new ModelError('futureRevision');
    if (revision < this.compactRevision) throw new ModelError('compacted');
    return { ...rangeOver(this.states[revision] as State, request), revision: this.revision };
  }

  txn(request: TxnRequest): Answer {
    const begin = this.current;
    const chosen = new Map<TxnRequest, boolean>();
    const choose = (txn: TxnRequest): void => {
      const succeeded = txn.compare.every((compare) => compareHolds(begin, compare));
      chosen.set(txn, succeeded);
      for (const { request: operation } of succeeded ? txn.success : txn.failure) {
        if (operation.case === 'requestTxn') choose(operation.value);
      }
    };
    choose(request);
    this.#check(request, chosen, 'requestPut');
    this.#check(request, chosen, 'requestRange');
    const next = new Map(begin);
    const changes = { count: 0 };
    const answer = this.#run(request, chosen, next, changes);
    if (changes.count > 0) this.states.push(next);
    return { ...answer, revision: this.revision };
  }

  #check(txn: TxnRequest, chosen: Map<TxnRequest, boolean>, which: RequestOp['request']['case']): void {
    for (const { request } of chosen.get(txn) === true ? txn.success : txn.failure) {
      if (request.case === 'requestTxn') this.#check(request.value, chosen, which);
      if (request.case !== which) continue;
      if (request.case === 'requestPut') {
        const { ignoreValue, ignoreLease, key, lease } = request.value;
        if ((ignoreValue || ignoreLease) && !this.current.has(hex(key))) throw new ModelError('keyNotFound');
        if (lease !== 0n) throw new ModelError('leaseNotFound');
      }
      if (request.case === 'requestRange' && request.value.revision !== 0) {
        if (request.value.revision > this.revision) throw new ModelError('futureRevision');
        if (request.value.revision < this.compactRevision) throw new ModelError('compacted');
      }
    }
  }

  #run(
    txn: TxnRequest,
    chosen: Map<TxnRequest, boolean>,
    next: Map<string, KeyValue>,
    changes: { count: number },
  ): Answer {
    const succeeded = chosen.get(txn) === true;
    const begin = this.current;
    const view = (): number => (changes.count > 0 ? this.revision + 1 : this.revision);
    const responses = (succeeded ? txn.success : txn.failure).map(({ request }): Answer => {
      switch (request.case) {
        case 'requestPut': {
          const answer = putInto(next, request.value, this.revision + 1, begin);
          changes.count++;
          return { ...answer, revision: view() };
        }
        case 'requestDeleteRange': {
          const answer = deleteFrom(next, request.value);
          changes.count += answer.deleted;
          return { ...answer, revision: view() };
        }
        case 'requestRange': {
          const at = request.value.revision > 0 ? (this.states[request.value.revision] as State) : next;
          return { ...rangeOver(at, request.value), revision: view() };
        }
        case 'requestTxn':
          return { ...this.#run(request.value, chosen, next, changes), revision: 0 };
        default:
          throw new Error('an empty operation');
      }
    });
    return { succeeded, responses };
  }
}

function putInto(next: Map<string, KeyValue>, request: PutRequest, revision: number, begin: State): Answer {
  const key = hex(request.key);
  const before = next.get(key);
  const kept = before ?? begin.get(key);
  next.set(key, {
    key: request.key,
    createRevision: before?.createRevision ?? revision,
    modRevision: revision,
    version: (before?.version ?? 0) + 1,
    value: request.ignoreValue ? (kept as KeyValue).value : request.value,
    lease: request.ignoreLease ? (kept as KeyValue).lease : request.lease,
  });
  return { prevKv: request.prevKv ? plain(before) : undefined };
}

function deleteFrom(next: Map<string, KeyValue>, request: DeleteRangeRequest): { deleted: number; prevKvs: unknown } {
  const doomed = keysIn(next, request.key, request.rangeEnd);
  const prevKvs = request.prevKv ? doomed.map((key) => plain(next.get(key))) : [];
  for (const key of doomed) next.delete(key);
  return { deleted: doomed.length, prevKvs };
}

function rangeOver(state: State, request: RangeRequest): Answer {
  const all = keysIn(state, request.key, request.rangeEnd).map((key) => state.get(key) as KeyValue);
  if (request.countOnly) return { kvs: [], count: all.length, more: false };
  const bounded =
    request.minModRevision !== 0 ||
    request.maxModRevision !== 0 ||
    request.minCreateRevision !== 0 ||
    request.maxCreateRevision !== 0;
  // etcd reads no more than limit + 1 keys when nothing seems to need the rest.
  const cutsFirst = request.limit > 0 && request.sortOrder === SortOrder.NONE && !bounded;
  const read = cutsFirst ? all.slice(0, request.limit + 1) : all;
  const kept = read.filter(
    ({ modRevision, createRevision }) =>
      (request.minModRevision === 0 || modRevision >= request.minModRevision) &&
      (request.maxModRevision === 0 || modRevision <= request.maxModRevision) &&
      (request.minCreateRevision === 0 || createRevision >= request.minCreateRevision) &&
      (request.maxCreateRevision === 0 || createRevision <= request.maxCreateRevision),
  );
  kept.sort((a, b) => (request.sortOrder === SortOrder.DESCEND ? -1 : 1) * bySortTarget(request.sortTarget, a, b));
  const listed = request.limit > 0 ? kept.slice(0, request.limit) : kept;
  return {
    kvs: listed.map((kv) => plain(request.keysOnly ? { ...kv, value: new Uint8Array() } : kv)),
    count: all.length,
    more: listed.length < kept.length,
  };
}

function bySortTarget(target: SortTarget, a: KeyValue, b: KeyValue): number {
  switch (target) {
    case SortTarget.KEY:
      return Buffer.compare(a.key, b.key);
    case SortTarget.VERSION:
      return a.version - b.version;
    case SortTarget.CREATE:
      return a.createRevision - b.createRevision;
    case SortTarget.MOD:
      return a.modRevision - b.modRevision;
    case SortTarget.VALUE:
      return Buffer.compare(a.value, b.value);
  }
}

function compareHolds(state: State, compare: Compare): boolean {
  const found = keysIn(state, compare.key, compare.rangeEnd).map((key) => state.get(key) as KeyValue);
  if (found.length === 0 && compare.target === CompareTarget.VALUE) return false;
  const nothing = { createRevision: 0, modRevision: 0, version: 0, lease: 0n, value: new Uint8Array() };
  return (found.length === 0 ? [nothing] : found).every((kv) => {
    const order = orderOf(compare, kv);
    switch (compare.result) {
      case CompareResult.EQUAL:
        return order === 0;
      case CompareResult.NOT_EQUAL:
        return order !== 0;
      case CompareResult.GREATER:
        return order > 0;
      case CompareResult.LESS:
        return order < 0;
    }
  });
}

function orderOf({ target, targetUnion }: Compare, kv: Omit<KeyValue, 'key'>): number {
  switch (target) {
    case CompareTarget.VERSION:
      return kv.version - (targetUnion.case === 'version' ? targetUnion.value : 0);
    case CompareTarget.CREATE:
      return kv.createRevision - (targetUnion.case === 'createRevision' ? targetUnion.value : 0);
    case CompareTarget.MOD:
      return kv.modRevision - (targetUnion.case === 'modRevision' ? targetUnion.value : 0);
    case CompareTarget.LEASE:
      return Number(kv.lease - (targetUnion.case === 'lease' ? targetUnion.value : 0n));
    case CompareTarget.VALUE:
      return Buffer.compare(kv.value, targetUnion.case === 'value' ? targetUnion.value : new Uint8Array());
  }
}

function keysIn(state: State, key: Uint8Array, rangeEnd: Uint8Array): string[] {
  const from = hex(key);
  const end = hex(rangeEnd);
  return [...state.keys()]
    .filter((candidate) => {
      if (end === '') return candidate === from;
      return candidate >= from && (end === '00' || candidate < end);
    })
    .sort();
}

/** In a form that compares well and reads well in a failing test. */
export function plain(kv: KeyValue | undefined): unknown {
  if (kv === undefined) return undefined;
  return { ...kv, key: hex(kv.key), value: hex(kv.value) };
}
