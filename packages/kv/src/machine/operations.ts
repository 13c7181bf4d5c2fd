/**
 * The operations of the store as etcd defines them, over one view of it: the present state inside a transaction that
 * writes, or a fixed revision for one that only reads. Nothing here fails half-way: what can be refused is checked before
 * the first change.
 */
import type { Compare, DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest } from '../api/index.ts';
import { type ByteString, byteStringOf } from '../byte-string.ts';
import type { EtcdErrorName } from '../errors.ts';
import type { Version } from '../mvcc/key-history.ts';
import type { MvccStore } from '../mvcc/store.ts';
import { holds } from './compare.ts';
import { keyRangeOf, reaches } from './key-range.ts';
import { selectRange } from './range.ts';
import {
  emptyBody,
  encodeDeleteRange,
  encodePut,
  encodeRange,
  encodeTxn,
  type OperationResponse,
  operationTag,
} from './response.ts';
import { bytesPerUnit, type Steps, type WorkMeter } from './steps.ts';

/** What became of an operation. */
export type OperationResult =
  /** The revision for its header, and its response's body. */
  | { readonly kind: 'done'; readonly revision: number; readonly body: Uint8Array }
  | { readonly kind: 'failed'; readonly error: EtcdErrorName }
  /** It took effect, but its response would be longer than any may be. */
  | { readonly kind: 'oversized'; readonly revision: number };

/** What all operations of one state machine share. */
export interface OperationsContext {
  readonly store: MvccStore;
  readonly meter: WorkMeter;
  readonly maxResponseBytes: number;
}

/** One pass over one request. */
export class Operations {
  readonly #store: MvccStore;
  readonly #meter: WorkMeter;
  readonly #maxResponseBytes: number;
  /** Of a view that only reads: the one revision that it sees. */
  readonly #readAt: number | null;
  /** The store's revision before the first change. */
  readonly #begin: number;
  readonly #compactRevision: number;
  readonly #wantsBody: boolean;
  /** Turns false when nobody waits, or when the response has grown too long. */
  #answering: boolean;
  #answerBytes = 0;

  /** `wantsBody` is false where nobody waits for the answer: bodies stay empty. */
  constructor(context: OperationsContext, access: 'write' | 'readOnly', wantsBody: boolean) {
    const { store } = context;
    this.#store = store;
    this.#meter = context.meter;
    this.#maxResponseBytes = context.maxResponseBytes;
    this.#begin = store.revision;
    this.#compactRevision = store.compactRevision;
    this.#readAt = access === 'readOnly' ? store.revision : null;
    this.#wantsBody = wantsBody;
    this.#answering = wantsBody;
  }

  put(request: PutRequest): OperationResult {
    const refused = this.#refusePut(request, 'leaseFirst');
    return refused === null ? this.#finish(this.#put(request)) : { kind: 'failed', error: refused };
  }

  *deleteRange(request: DeleteRangeRequest): Steps<OperationResult> {
    return this.#finish(yield* this.#deleteRange(request));
  }

  *txn(request: TxnRequest): Steps<OperationResult> {
    const path: boolean[] = [];
    yield* this.#choosePath(request, path);
    const refused = this.#refuseAny(request, path, 'put') ?? this.#refuseAny(request, path, 'range');
    if (refused !== null) return { kind: 'failed', error: refused };
    return this.#finish(yield* this.#runBranch(request, path, { at: 0 }));
  }

  get #view(): number {
    return this.#readAt ?? this.#store.viewRevision;
  }

  #finish(body: Uint8Array): OperationResult {
    if (this.#wantsBody && !this.#answering) return { kind: 'oversized', revision: this.#view };
    return { kind: 'done', revision: this.#view, body };
  }

  // --------------------------------------------------------------------------------------------------------- one by one

  /** etcd looks for the lease first in a Put by itself, and for the key first in a transaction. */
  #refusePut(request: PutRequest, order: 'leaseFirst' | 'keyFirst'): EtcdErrorName | null {
    // No lease can exist yet: every id but 0 (no lease) is refused.
    const lease = request.lease === 0n ? null : 'leaseNotFound';
    const needsKey = request.ignoreValue || request.ignoreLease;
    const key = needsKey && this.#store.get(byteStringOf(request.key), this.#begin) === null ? 'keyNotFound' : null;
    return order === 'leaseFirst' ? (lease ?? key) : (key ?? lease);
  }

  #put(request: PutRequest): Uint8Array {
    const key = byteStringOf(request.key);
    const keeps = request.ignoreValue || request.ignoreLease;
    if (!request.prevKv && !keeps) {
      this.#store.put(key, request.value, request.lease);
      return emptyBody;
    }
    const previous = this.#store.get(key, this.#view);
    // It was there when the transaction was checked; another operation of the transaction may have deleted it since.
    const kept = keeps ? (previous ?? this.#store.get(key, this.#begin)) : null;
    const value = request.ignoreValue && kept !== null ? kept.value() : request.value;
    const lease = request.ignoreLease && kept !== null ? kept.lease : request.lease;
    this.#store.put(key, value, lease);
    return request.prevKv && this.#answering ? this.#account(encodePut(key, previous)) : emptyBody;
  }

  *#deleteRange(request: DeleteRangeRequest): Steps<Uint8Array> {
    const { from, end } = keyRangeOf(request.key, request.rangeEnd);
    const view = this.#view;
    const keys: ByteString[] = [];
    const versions: Version[] = [];
    const lists = request.prevKv && this.#answering;
    let deleted = 0;
    const cursor = this.#store.cursor(from);
    while (cursor.next() && (end === null ? cursor.key === from : reaches(end, cursor.key))) {
      const history = cursor.value;
      const version = history.liveAt(view);
      if (version !== null) {
        this.#store.delete(history);
        deleted++;
        if (lists) {
          keys.push(cursor.key);
          versions.push(version);
        }
      }
      if (this.#meter.spend(2)) yield;
    }
    if (!this.#answering) return emptyBody;
    return this.#account(yield* encodeDeleteRange(deleted, { keys, versions }, this.#room, this.#meter));
  }

  *#range(request: RangeRequest): Steps<Uint8Array> {
    if (!this.#answering) return emptyBody;
    const revision = request.revision > 0 ? request.revision : this.#view;
    const selection = yield* selectRange(this.#store, request, revision, this.#meter);
    return this.#account(yield* encodeRange(selection, request.keysOnly, emptyBody, this.#room, this.#meter));
  }

  // -------------------------------------------------------------------------------------------------------- transactions

  /**
   * Which branch each transaction of the tree takes, depth first along the branches taken. All conditions are judged before
   * any operation runs, so a nested transaction does not see what the outer one does.
   */
  *#choosePath(request: TxnRequest, path: boolean[]): Steps<void> {
    const succeeded = yield* this.#holdsAll(request.compare);
    path.push(succeeded);
    for (const { request: operation } of branch(request, succeeded)) {
      if (operation.case === 'requestTxn') yield* this.#choosePath(operation.value, path);
    }
  }

  *#holdsAll(compares: readonly Compare[]): Steps<boolean> {
    for (const compare of compares) {
      if (!(yield* holds(this.#store, compare, this.#begin, this.#meter))) return false;
      if (this.#meter.spend(1)) yield;
    }
    return true;
  }

  /** Why an operation on the path has to be refused: etcd looks at all puts before any range. */
  #refuseAny(request: TxnRequest, path: readonly boolean[], what: 'put' | 'range'): EtcdErrorName | null {
    for (const operation of operationsOn(request, path, { at: 0 })) {
      let error: EtcdErrorName | null = null;
      if (what === 'put' && operation.case === 'requestPut') error = this.#refusePut(operation.value, 'keyFirst');
      if (what === 'range' && operation.case === 'requestRange') error = this.#refuseRange(operation.value);
      if (error !== null) return error;
    }
    return null;
  }

  #refuseRange(request: RangeRequest): EtcdErrorName | null {
    if (request.revision === 0) return null;
    if (request.revision > this.#begin) return 'futureRevision';
    return request.revision < this.#compactRevision ? 'compacted' : null;
  }

  *#runBranch(request: TxnRequest, path: readonly boolean[], place: Place): Steps<Uint8Array> {
    const succeeded = path[place.at++] === true;
    const responses: OperationResponse[] = [];
    for (const { request: operation } of branch(request, succeeded)) {
      const response = yield* this.#runOperation(operation, path, place);
      if (this.#answering) responses.push(response);
      if (this.#meter.spend(1)) yield;
    }
    return this.#answering ? this.#accept(encodeTxn(succeeded, responses, this.#maxResponseBytes)) : emptyBody;
  }

  *#runOperation(operation: RequestOp['request'], path: readonly boolean[], place: Place): Steps<OperationResponse> {
    switch (operation.case) {
      case 'requestRange': {
        const body = yield* this.#range(operation.value);
        return { operation: operationTag.range, revision: this.#view, body };
      }
      case 'requestPut': {
        const body = this.#put(operation.value);
        if (this.#meter.spend(operation.value.value.length / bytesPerUnit)) yield;
        return { operation: operationTag.put, revision: this.#view, body };
      }
      case 'requestDeleteRange': {
        const body = yield* this.#deleteRange(operation.value);
        return { operation: operationTag.deleteRange, revision: this.#view, body };
      }
      case 'requestTxn': {
        const body = yield* this.#runBranch(operation.value, path, place);
        return { operation: operationTag.txn, revision: 0, body };
      }
      default:
        throw new Error('A transaction holds an empty operation; requests are checked before they come here');
    }
  }

  // ------------------------------------------------------------------------------------------------------------- answers

  get #room(): number {
    return this.#maxResponseBytes - this.#answerBytes;
  }

  /** Counts a finished part of the response. */
  #account(body: Uint8Array | null): Uint8Array {
    const accepted = this.#accept(body);
    this.#answerBytes += accepted.length;
    return accepted;
  }

  /** Null: too long. The operation goes on, its answer does not. */
  #accept(body: Uint8Array | null): Uint8Array {
    if (body === null) this.#answering = false;
    return body ?? emptyBody;
  }
}

/** How far along the path a walk over the tree of transactions has come. */
interface Place {
  at: number;
}

function branch(request: TxnRequest, succeeded: boolean): readonly RequestOp[] {
  return succeeded ? request.success : request.failure;
}

/** The operations on the path, nested transactions opened, in the order in which they run. */
function* operationsOn(request: TxnRequest, path: readonly boolean[], place: Place): Generator<RequestOp['request']> {
  for (const { request: operation } of branch(request, path[place.at++] === true)) {
    if (operation.case === 'requestTxn') yield* operationsOn(operation.value, path, place);
    else yield operation;
  }
}
