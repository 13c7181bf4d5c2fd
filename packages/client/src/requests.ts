import { DeleteRangeRequest, PutRequest, RangeRequest, SortOrder, SortTarget } from '@quorate/kv/api';
import { invalid } from './errors.ts';

/** A key or value; a string stands for its UTF-8. */
export type Bytes = string | Uint8Array;

/** Which keys an operation is about, when it is about more than one. Name one of them at most. */
export interface RangeOptions {
  /** Every key that begins with the key given; the empty key stands for all. */
  readonly prefix?: boolean;
  /** Every key from the one given up to this one, which is left out. */
  readonly rangeEnd?: Bytes;
  /** Every key from the one given on. */
  readonly fromKey?: boolean;
}

export interface GetOptions extends RangeOptions {
  /** The most keys to return. */
  readonly limit?: number;
  /** Reads the store as it was at this revision. */
  readonly revision?: number;
  readonly sort?: { readonly by: SortBy; readonly order?: 'ascending' | 'descending' };
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
  /** Answer from whatever server is asked, which may be behind, without asking a majority. */
  readonly serializable?: boolean;
  readonly minModRevision?: number;
  readonly maxModRevision?: number;
  readonly minCreateRevision?: number;
  readonly maxCreateRevision?: number;
}

export type SortBy = 'key' | 'version' | 'createRevision' | 'modRevision' | 'value';

export interface PutOptions {
  /** Return what stood there before. */
  readonly previous?: boolean;
  /** The lease to hang the key on. */
  readonly lease?: bigint;
  /** Keep the present value and change the lease only; the value given must be empty. */
  readonly ignoreValue?: boolean;
  /** Keep the present lease. */
  readonly ignoreLease?: boolean;
}

export interface DeleteOptions extends RangeOptions {
  /** Return what was deleted. */
  readonly previous?: boolean;
}

const SORT_TARGETS: Readonly<Record<SortBy, SortTarget>> = {
  key: SortTarget.KEY,
  version: SortTarget.VERSION,
  createRevision: SortTarget.CREATE,
  modRevision: SortTarget.MOD,
  value: SortTarget.VALUE,
};

const encoder = new TextEncoder();
/** As a range end: no end. */
const NO_END = new Uint8Array(1);
const NO_BYTES = new Uint8Array(0);

export function rangeRequest(key: Bytes, options: GetOptions): RangeRequest {
  const range = rangeOf(key, options);
  return RangeRequest.create({
    key: range.key,
    rangeEnd: range.rangeEnd,
    limit: count('limit', options.limit),
    revision: count('revision', options.revision),
    sortOrder: sortOrder(options.sort),
    sortTarget: options.sort === undefined ? SortTarget.KEY : sortTarget(options.sort.by),
    serializable: options.serializable ?? false,
    keysOnly: options.keysOnly ?? false,
    countOnly: options.countOnly ?? false,
    minModRevision: count('minModRevision', options.minModRevision),
    maxModRevision: count('maxModRevision', options.maxModRevision),
    minCreateRevision: count('minCreateRevision', options.minCreateRevision),
    maxCreateRevision: count('maxCreateRevision', options.maxCreateRevision),
  });
}

export function putRequest(key: Bytes, value: Bytes, options: PutOptions): PutRequest {
  const keyBytes = bytesOf('key', key);
  if (keyBytes.length === 0) throw invalid('The key is empty; a key holds at least one byte.');
  return PutRequest.create({
    key: keyBytes,
    value: bytesOf('value', value),
    lease: options.lease ?? 0n,
    prevKv: options.previous ?? false,
    ignoreValue: options.ignoreValue ?? false,
    ignoreLease: options.ignoreLease ?? false,
  });
}

export function deleteRequest(key: Bytes, options: DeleteOptions): DeleteRangeRequest {
  const { key: from, rangeEnd } = rangeOf(key, options);
  return DeleteRangeRequest.create({ key: from, rangeEnd, prevKv: options.previous ?? false });
}

/** The range as the API writes it: an empty end for one key, a zero byte for no end. */
export function rangeOf(key: Bytes, options: RangeOptions): { key: Uint8Array; rangeEnd: Uint8Array } {
  const from = bytesOf('key', key);
  const named = [options.prefix === true, options.fromKey === true, options.rangeEnd !== undefined];
  if (named.filter(Boolean).length > 1) throw invalid('Name only one of prefix, fromKey and rangeEnd.');
  // The API has no empty key; the first key that there can be is one zero byte.
  const first = from.length === 0 ? NO_END : from;
  if (options.fromKey === true) return { key: first, rangeEnd: NO_END };
  if (options.prefix === true) return { key: first, rangeEnd: prefixEnd(from) };
  if (options.rangeEnd !== undefined) return rangeUpTo(first, bytesOf('rangeEnd', options.rangeEnd));
  if (from.length === 0) throw invalid('The key is empty; give a key, or prefix: true for all of them.');
  return { key: from, rangeEnd: NO_BYTES };
}

function rangeUpTo(key: Uint8Array, rangeEnd: Uint8Array): { key: Uint8Array; rangeEnd: Uint8Array } {
  if (rangeEnd.length === 0) throw invalid('rangeEnd is empty; leave it out for one key, or use fromKey for no end.');
  return { key, rangeEnd };
}

/** The first key after all that begin with `prefix`; one zero byte, no end, when there is none. */
function prefixEnd(prefix: Uint8Array): Uint8Array {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) return NO_END;
  const end = prefix.slice(0, length);
  end[length - 1] = (end[length - 1] as number) + 1;
  return end;
}

export function bytesOf(name: string, value: Bytes): Uint8Array {
  if (typeof value === 'string') return encoder.encode(value);
  if (value instanceof Uint8Array) return value;
  throw invalid(`The ${name} is of type ${typeof value}; give a string or a Uint8Array.`);
}

function count(name: string, value: number | undefined): number {
  if (value === undefined) return 0;
  if (!Number.isSafeInteger(value) || value < 0)
    throw invalid(`${name} is ${value}; give a whole number of at least 0.`);
  return value;
}

function sortOrder(sort: GetOptions['sort']): SortOrder {
  if (sort === undefined) return SortOrder.NONE;
  return sort.order === 'descending' ? SortOrder.DESCEND : SortOrder.ASCEND;
}

function sortTarget(by: SortBy): SortTarget {
  const target = SORT_TARGETS[by] as SortTarget | undefined;
  if (target === undefined)
    throw invalid(`Cannot sort by '${by}'; choose from ${Object.keys(SORT_TARGETS).join(', ')}.`);
  return target;
}
