/** A history's requests and responses as the messages of the API, and back. */
import {
  Compare as CompareMessage,
  CompareResult,
  CompareTarget,
  CompactionRequest,
  CompactionResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  type KeyValue as KeyValueMessage,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  RequestOp,
  type ResponseOp,
  TxnRequest as TxnRequestMessage,
  TxnResponse as TxnResponseMessage,
} from '@quorate/kv/api';
import type { Compare, KeyValue, KvRequest, KvResponse, SimpleRequest, SimpleResponse } from '../history.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const methods = {
  range: '/etcdserverpb.KV/Range',
  put: '/etcdserverpb.KV/Put',
  delete: '/etcdserverpb.KV/DeleteRange',
  txn: '/etcdserverpb.KV/Txn',
  compact: '/etcdserverpb.KV/Compact',
} as const;

export function methodOf(request: KvRequest): string {
  return methods[request.kind];
}

export function encodeRequest(request: KvRequest): Uint8Array {
  switch (request.kind) {
    case 'range':
      return RangeRequest.encode(rangeMessage(request));
    case 'put':
      return PutRequest.encode(putMessage(request));
    case 'delete':
      return DeleteRangeRequest.encode(deleteMessage(request));
    case 'txn':
      return TxnRequestMessage.encode(
        TxnRequestMessage.create({
          compare: request.txn.compare.map(compareMessage),
          success: request.txn.success.map(operationMessage),
          failure: request.txn.failure.map(operationMessage),
        }),
      );
    case 'compact':
      return CompactionRequest.encode(CompactionRequest.create({ revision: request.revision }));
  }
}

export function decodeResponse(kind: KvRequest['kind'], bytes: Uint8Array): KvResponse {
  switch (kind) {
    case 'range':
      return rangeResponse(RangeResponse.decode(bytes));
    case 'put':
      return putResponse(PutResponse.decode(bytes));
    case 'delete':
      return deleteResponse(DeleteRangeResponse.decode(bytes));
    case 'txn': {
      const { header, succeeded, responses } = TxnResponseMessage.decode(bytes);
      return { kind, revision: header?.revision ?? 0, succeeded, responses: responses.map(operationResponse) };
    }
    case 'compact':
      return { kind, revision: CompactionResponse.decode(bytes).header?.revision ?? 0 };
  }
}

/** What `encodeRequest` made of a request. */
export function decodeRequest(kind: KvRequest['kind'], bytes: Uint8Array): KvRequest {
  switch (kind) {
    case 'range':
      return rangeRequest(RangeRequest.decode(bytes));
    case 'put':
      return putRequest(PutRequest.decode(bytes));
    case 'delete':
      return deleteRequest(DeleteRangeRequest.decode(bytes));
    case 'txn': {
      const { compare, success, failure } = TxnRequestMessage.decode(bytes);
      const txn = {
        compare: compare.map(compareOf),
        success: success.map(operationOf),
        failure: failure.map(operationOf),
      };
      return { kind, txn };
    }
    case 'compact':
      return { kind, revision: CompactionRequest.decode(bytes).revision };
  }
}

type Of<Kind extends SimpleRequest['kind']> = Extract<SimpleRequest, { readonly kind: Kind }>;

function rangeMessage({ key, rangeEnd, revision, limit, serializable }: Of<'range'>): RangeRequest {
  return RangeRequest.create({
    key: encoder.encode(key),
    rangeEnd: encoder.encode(rangeEnd),
    revision,
    limit,
    serializable,
  });
}

function putMessage({ key, value }: Of<'put'>): PutRequest {
  return PutRequest.create({ key: encoder.encode(key), value: encoder.encode(value), prevKv: true });
}

function deleteMessage({ key, rangeEnd }: Of<'delete'>): DeleteRangeRequest {
  return DeleteRangeRequest.create({ key: encoder.encode(key), rangeEnd: encoder.encode(rangeEnd) });
}

function operationMessage(request: SimpleRequest): RequestOp {
  switch (request.kind) {
    case 'range':
      return RequestOp.create({ request: { case: 'requestRange', value: rangeMessage(request) } });
    case 'put':
      return RequestOp.create({ request: { case: 'requestPut', value: putMessage(request) } });
    case 'delete':
      return RequestOp.create({ request: { case: 'requestDeleteRange', value: deleteMessage(request) } });
  }
}

const results = {
  equal: CompareResult.EQUAL,
  notEqual: CompareResult.NOT_EQUAL,
  greater: CompareResult.GREATER,
  less: CompareResult.LESS,
} as const;

function compareMessage(compare: Compare): CompareMessage {
  const key = encoder.encode(compare.key);
  const result = results[compare.result];
  switch (compare.target) {
    case 'value':
      return CompareMessage.create({
        key,
        result,
        target: CompareTarget.VALUE,
        targetUnion: { case: 'value', value: encoder.encode(compare.value) },
      });
    case 'version':
      return CompareMessage.create({
        key,
        result,
        target: CompareTarget.VERSION,
        targetUnion: { case: 'version', value: compare.value },
      });
    case 'create':
      return CompareMessage.create({
        key,
        result,
        target: CompareTarget.CREATE,
        targetUnion: { case: 'createRevision', value: compare.value },
      });
    case 'mod':
      return CompareMessage.create({
        key,
        result,
        target: CompareTarget.MOD,
        targetUnion: { case: 'modRevision', value: compare.value },
      });
  }
}

function rangeRequest({ key, rangeEnd, revision, limit, serializable }: RangeRequest): SimpleRequest {
  return { kind: 'range', key: decoder.decode(key), rangeEnd: decoder.decode(rangeEnd), revision, limit, serializable };
}

function putRequest({ key, value }: PutRequest): SimpleRequest {
  return { kind: 'put', key: decoder.decode(key), value: decoder.decode(value) };
}

function deleteRequest({ key, rangeEnd }: DeleteRangeRequest): SimpleRequest {
  return { kind: 'delete', key: decoder.decode(key), rangeEnd: decoder.decode(rangeEnd) };
}

function operationOf({ request }: RequestOp): SimpleRequest {
  switch (request.case) {
    case 'requestRange':
      return rangeRequest(request.value);
    case 'requestPut':
      return putRequest(request.value);
    case 'requestDeleteRange':
      return deleteRequest(request.value);
    default:
      throw new Error(`A transaction holds ${String(request.case)}, which no client here asks for.`);
  }
}

const resultNames = ['equal', 'greater', 'less', 'notEqual'] as const;

/** Keys in the order in which clients write them, so that equal requests look equal. */
function compareOf({ key: bytes, result: number, targetUnion }: CompareMessage): Compare {
  const key = decoder.decode(bytes);
  const result = resultNames[number] ?? 'equal';
  switch (targetUnion.case) {
    case 'value':
      return { key, target: 'value', result, value: decoder.decode(targetUnion.value) };
    case 'createRevision':
      return { key, target: 'create', result, value: targetUnion.value };
    case 'modRevision':
      return { key, target: 'mod', result, value: targetUnion.value };
    case 'version':
      return { key, target: 'version', result, value: targetUnion.value };
    default:
      throw new Error(`A condition compares ${String(targetUnion.case)}, which no client here asks for.`);
  }
}

function rangeResponse({ header, kvs, more, count }: RangeResponse): SimpleResponse {
  return { kind: 'range', revision: header?.revision ?? 0, count, more, kvs: kvs.map(keyValue) };
}

function putResponse({ header, prevKv }: PutResponse): SimpleResponse {
  return { kind: 'put', revision: header?.revision ?? 0, previous: prevKv === undefined ? null : keyValue(prevKv) };
}

function deleteResponse({ header, deleted }: DeleteRangeResponse): SimpleResponse {
  return { kind: 'delete', revision: header?.revision ?? 0, deleted };
}

function operationResponse({ response }: ResponseOp): SimpleResponse {
  switch (response.case) {
    case 'responseRange':
      return rangeResponse(response.value);
    case 'responsePut':
      return putResponse(response.value);
    case 'responseDeleteRange':
      return deleteResponse(response.value);
    default:
      throw new Error(`A transaction answered with ${String(response.case)}, which was not asked for.`);
  }
}

function keyValue({ key, value, createRevision, modRevision, version }: KeyValueMessage): KeyValue {
  return { key: decoder.decode(key), value: decoder.decode(value), createRevision, modRevision, version };
}
