import {
  Compare,
  CompactionRequest,
  CompactionResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  type MessageType,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  type RequestOp,
  type ResponseHeader,
  TxnRequest,
  TxnResponse,
} from '../../src/api/index.ts';

/** A request as bytes, and how its answer is read. */
export interface EncodedRequest {
  readonly method: string;
  readonly bytes: Uint8Array;
  readonly response: MessageType<{ header: ResponseHeader | undefined }>;
}

export interface Refusal {
  readonly request: EncodedRequest;
  readonly code: number;
  readonly message: string;
}

export function encoded<T, R extends { header: ResponseHeader | undefined }>(
  method: string,
  type: MessageType<T>,
  message: T,
  response: MessageType<R>,
): EncodedRequest {
  return { method, bytes: type.encode(message), response };
}

export const asPut = (message: PutRequest): EncodedRequest => encoded('Put', PutRequest, message, PutResponse);
export const asRange = (message: RangeRequest): EncodedRequest =>
  encoded('Range', RangeRequest, message, RangeResponse);
export const asTxn = (message: TxnRequest): EncodedRequest => encoded('Txn', TxnRequest, message, TxnResponse);
export const asDeleteRange = (message: DeleteRangeRequest): EncodedRequest =>
  encoded('DeleteRange', DeleteRangeRequest, message, DeleteRangeResponse);
export const asCompact = (revision: number): EncodedRequest =>
  encoded('Compact', CompactionRequest, CompactionRequest.create({ revision }), CompactionResponse);

const a = new Uint8Array([97]);
const absent = new Uint8Array([1, 2, 3]);
const invalidArgument = 3;
const notFound = 5;
const outOfRange = 11;

const put = (fields: Partial<PutRequest>): RequestOp => ({
  request: { case: 'requestPut', value: PutRequest.create(fields) },
});
const range = (fields: Partial<RangeRequest>): RequestOp => ({
  request: { case: 'requestRange', value: RangeRequest.create(fields) },
});
const deleteRange = (fields: Partial<DeleteRangeRequest>): RequestOp => ({
  request: { case: 'requestDeleteRange', value: DeleteRangeRequest.create(fields) },
});
const nested = (fields: Partial<TxnRequest>): RequestOp => ({
  request: { case: 'requestTxn', value: TxnRequest.create(fields) },
});
const txn = (fields: Partial<TxnRequest>): EncodedRequest => asTxn(TxnRequest.create(fields));
const many = (count: number, operation: RequestOp): RequestOp[] => Array.from({ length: count }, () => operation);

const emptyKey = 'etcdserver: key is not provided';
const duplicateKey = 'etcdserver: duplicate key given in txn request';
const tooMany = 'etcdserver: too many operations in txn request';

/** What etcd refuses on a store that has no key `absent`, with its words. */
export const refusals: readonly Refusal[] = [
  refusal(asRange(RangeRequest.create()), invalidArgument, emptyKey),
  refusal(asPut(PutRequest.create()), invalidArgument, emptyKey),
  refusal(asDeleteRange(DeleteRangeRequest.create()), invalidArgument, emptyKey),
  refusal(txn({ compare: [Compare.create()] }), invalidArgument, emptyKey),
  refusal(txn({ success: [range({})] }), invalidArgument, emptyKey),
  refusal(txn({ failure: [put({})] }), invalidArgument, emptyKey),
  refusal(txn({ success: [nested({ failure: [deleteRange({})] })] }), invalidArgument, emptyKey),
  refusal(txn({ success: [{ request: { case: undefined } }] }), invalidArgument, 'etcdserver: key not found'),
  refusal(
    asPut(PutRequest.create({ key: a, value: a, ignoreValue: true })),
    invalidArgument,
    'etcdserver: value is provided',
  ),
  refusal(
    asPut(PutRequest.create({ key: a, lease: 3n, ignoreLease: true })),
    invalidArgument,
    'etcdserver: lease is provided',
  ),
  refusal(asPut(PutRequest.create({ key: absent, ignoreValue: true })), invalidArgument, 'etcdserver: key not found'),
  refusal(txn({ success: [put({ key: absent, ignoreLease: true })] }), invalidArgument, 'etcdserver: key not found'),
  refusal(asPut(PutRequest.create({ key: a, lease: 3n })), notFound, 'etcdserver: requested lease not found'),
  refusal(txn({ success: [put({ key: a, lease: -1n })] }), notFound, 'etcdserver: requested lease not found'),
  refusal(
    asPut(PutRequest.create({ key: a, value: new Uint8Array(1.5 * 1024 * 1024) })),
    invalidArgument,
    'etcdserver: request is too large',
  ),
  refusal(txn({ success: many(129, range({ key: a })) }), invalidArgument, tooMany),
  refusal(txn({ compare: Array.from({ length: 129 }, () => Compare.create({ key: a })) }), invalidArgument, tooMany),
  refusal(
    txn({ success: [nested({ success: many(100, range({ key: a })) }), ...many(28, range({ key: a }))] }),
    invalidArgument,
    tooMany,
  ),
  refusal(txn({ success: [put({ key: a }), put({ key: a })] }), invalidArgument, duplicateKey),
  refusal(txn({ failure: [put({ key: a }), deleteRange({ key: a })] }), invalidArgument, duplicateKey),
  refusal(
    txn({ success: [deleteRange({ key: a, rangeEnd: new Uint8Array([98]) }), put({ key: a })] }),
    invalidArgument,
    duplicateKey,
  ),
  refusal(txn({ success: [put({ key: a }), nested({ failure: [put({ key: a })] })] }), invalidArgument, duplicateKey),
  refusal(
    txn({ success: [nested({ success: [deleteRange({ key: a })] }), put({ key: a })] }),
    invalidArgument,
    duplicateKey,
  ),
  refusal(
    asRange(RangeRequest.create({ key: a, revision: 1_000_000 })),
    outOfRange,
    'etcdserver: mvcc: required revision is a future revision',
  ),
  refusal(
    txn({ success: [range({ key: a, revision: 1_000_000 })] }),
    outOfRange,
    'etcdserver: mvcc: required revision is a future revision',
  ),
  refusal(asCompact(1_000_000), outOfRange, 'etcdserver: mvcc: required revision is a future revision'),
  refusal(asCompact(-1), outOfRange, 'etcdserver: mvcc: required revision has been compacted'),
];

function refusal(request: EncodedRequest, code: number, message: string): Refusal {
  return { request, code, message };
}
