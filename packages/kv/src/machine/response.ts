/**
 * Responses are encoded where the data lies, straight from the index into the message, without objects in between. A body is
 * a response without its header (field 1): the header belongs to the answering server, which puts it in front.
 */
import {
  sizeDelimited,
  sizeInt64,
  sizeInt64Exact,
  writeBool,
  writeDelimited,
  writeInt64,
  writeInt64Exact,
} from '../api/wire/writer.ts';
import { type ByteString, writeByteString } from '../byte-string.ts';
import type { Version } from '../mvcc/key-history.ts';
import { copyBytes } from '../mvcc/value-slabs.ts';
import type { Selection } from './range.ts';
import { bytesPerUnit, type Steps, type WorkMeter } from './steps.ts';

export const emptyBody = new Uint8Array(0);

/** Field number × 8 + wire type (0 varint, 2 length-delimited). */
const tag = {
  header: 10,
  headerRevision: 24,
  keyValue: { key: 10, createRevision: 16, modRevision: 24, version: 32, value: 42, lease: 48 },
  range: { kvs: 18, more: 24, count: 32 },
  put: { prevKv: 18 },
  deleteRange: { deleted: 16, prevKvs: 26 },
  txn: { succeeded: 16, responses: 26 },
} as const;

/** Tags of ResponseOp's oneof. */
export const operationTag = { range: 10, put: 18, deleteRange: 26, txn: 34 } as const;
export type OperationTag = (typeof operationTag)[keyof typeof operationTag];

/** `prefix`, and then a RangeResponse but its header. Null if that would be longer than `maxBytes`. */
export function* encodeRange(
  selection: Selection,
  keysOnly: boolean,
  prefix: Uint8Array,
  maxBytes: number,
  meter: WorkMeter,
): Steps<Uint8Array | null> {
  const { keys, versions, more, count } = selection;
  const listed = yield* sizeKeyValues(keys, versions, keysOnly, meter);
  const size = prefix.length + listed + (more ? 2 : 0) + (count === 0 ? 0 : 1 + sizeInt64(count));
  if (size > maxBytes) return null;
  const bytes = new Uint8Array(size);
  bytes.set(prefix);
  let at = yield* writeKeyValues(keys, versions, keysOnly, tag.range.kvs, bytes, prefix.length, meter);
  if (more) at = writeBool(bytes, at, tag.range.more);
  if (count !== 0) writeInt64(bytes, at, tag.range.count, count);
  return bytes;
}

/** The body of a RangeResponse that lists at most one key: its size, and the writing of it at `from`. */
export function sizeRangeOfOne(key: ByteString, version: Version | null, keysOnly: boolean): number {
  return version === null ? 0 : 1 + sizeDelimited(sizeKeyValue(key, version, keysOnly)) + 2;
}

export function writeRangeOfOne(
  key: ByteString,
  version: Version | null,
  keysOnly: boolean,
  bytes: Uint8Array,
  from: number,
): void {
  if (version === null) return;
  let at = writeDelimited(bytes, from, tag.range.kvs, sizeKeyValue(key, version, keysOnly));
  at = writeKeyValue(key, version, keysOnly, bytes, at);
  writeInt64(bytes, at, tag.range.count, 1);
}

/** A PutResponse's body. */
export function encodePut(key: ByteString, previous: Version | null): Uint8Array {
  if (previous === null) return emptyBody;
  const length = sizeKeyValue(key, previous, false);
  const bytes = new Uint8Array(1 + sizeDelimited(length));
  writeKeyValue(key, previous, false, bytes, writeDelimited(bytes, 0, tag.put.prevKv, length));
  return bytes;
}

/** A DeleteRangeResponse's body; `previous` lists what was deleted if that was asked for. Null if longer than `maxBytes`. */
export function* encodeDeleteRange(
  deleted: number,
  previous: { readonly keys: readonly ByteString[]; readonly versions: readonly Version[] },
  maxBytes: number,
  meter: WorkMeter,
): Steps<Uint8Array | null> {
  const { keys, versions } = previous;
  const listed = yield* sizeKeyValues(keys, versions, false, meter);
  const size = listed + (deleted === 0 ? 0 : 1 + sizeInt64(deleted));
  if (size > maxBytes) return null;
  const bytes = new Uint8Array(size);
  const at = deleted === 0 ? 0 : writeInt64(bytes, 0, tag.deleteRange.deleted, deleted);
  yield* writeKeyValues(keys, versions, false, tag.deleteRange.prevKvs, bytes, at, meter);
  return bytes;
}

/** One operation's response inside a transaction's. */
export interface OperationResponse {
  readonly operation: OperationTag;
  /** The revision in its header; 0 leaves the header empty, as etcd does in nested transactions. */
  readonly revision: number;
  readonly body: Uint8Array;
}

/** A TxnResponse's body. Null if longer than `maxBytes`. */
export function encodeTxn(
  succeeded: boolean,
  responses: readonly OperationResponse[],
  maxBytes: number,
): Uint8Array | null {
  let size = succeeded ? 2 : 0;
  for (const response of responses) size += 1 + sizeDelimited(sizeOperation(response));
  if (size > maxBytes) return null;
  const bytes = new Uint8Array(size);
  let at = succeeded ? writeBool(bytes, 0, tag.txn.succeeded) : 0;
  for (const response of responses) {
    at = writeDelimited(bytes, at, tag.txn.responses, sizeOperation(response));
    at = writeDelimited(bytes, at, response.operation, sizeWithHeader(response));
    at = writeHeaderRevision(response.revision, bytes, at);
    bytes.set(response.body, at);
    at += response.body.length;
  }
  return bytes;
}

function sizeOperation(response: OperationResponse): number {
  return 1 + sizeDelimited(sizeWithHeader(response));
}

function sizeWithHeader(response: OperationResponse): number {
  return 1 + sizeDelimited(sizeRevision(response.revision)) + response.body.length;
}

function sizeRevision(revision: number): number {
  return revision === 0 ? 0 : 1 + sizeInt64(revision);
}

function writeHeaderRevision(revision: number, bytes: Uint8Array, at: number): number {
  const inside = writeDelimited(bytes, at, tag.header, sizeRevision(revision));
  return revision === 0 ? inside : writeInt64(bytes, inside, tag.headerRevision, revision);
}

// --------------------------------------------------------------------------------------------------------- key-values

function* sizeKeyValues(
  keys: readonly ByteString[],
  versions: readonly Version[],
  keysOnly: boolean,
  meter: WorkMeter,
): Steps<number> {
  let size = 0;
  for (let i = 0; i < keys.length; i++) {
    size += 1 + sizeDelimited(sizeKeyValue(keys[i] as ByteString, versions[i] as Version, keysOnly));
    if (meter.spend(1)) yield;
  }
  return size;
}

function* writeKeyValues(
  keys: readonly ByteString[],
  versions: readonly Version[],
  keysOnly: boolean,
  listTag: number,
  bytes: Uint8Array,
  from: number,
  meter: WorkMeter,
): Steps<number> {
  let at = from;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as ByteString;
    const version = versions[i] as Version;
    at = writeDelimited(bytes, at, listTag, sizeKeyValue(key, version, keysOnly));
    at = writeKeyValue(key, version, keysOnly, bytes, at);
    if (meter.spend(2 + version.length / bytesPerUnit)) yield;
  }
  return at;
}

function sizeKeyValue(key: ByteString, version: Version, keysOnly: boolean): number {
  let size = 1 + sizeDelimited(key.length);
  size += 1 + sizeInt64(version.createRevision) + 1 + sizeInt64(version.modRevision) + 1 + sizeInt64(version.version);
  if (!keysOnly && version.length > 0) size += 1 + sizeDelimited(version.length);
  if (version.lease !== 0n) size += 1 + sizeInt64Exact(version.lease);
  return size;
}

function writeKeyValue(key: ByteString, version: Version, keysOnly: boolean, bytes: Uint8Array, from: number): number {
  let at = writeByteString(key, bytes, writeDelimited(bytes, from, tag.keyValue.key, key.length));
  at = writeInt64(bytes, at, tag.keyValue.createRevision, version.createRevision);
  at = writeInt64(bytes, at, tag.keyValue.modRevision, version.modRevision);
  at = writeInt64(bytes, at, tag.keyValue.version, version.version);
  if (!keysOnly && version.length > 0) {
    at = writeDelimited(bytes, at, tag.keyValue.value, version.length);
    copyBytes(version.slab.bytes, version.offset, version.length, bytes, at);
    at += version.length;
  }
  return version.lease === 0n ? at : writeInt64Exact(bytes, at, tag.keyValue.lease, version.lease);
}
