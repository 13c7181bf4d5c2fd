/** Requests of a history as calls of the client, and its answers as the history has them. */
import { type Client, ClientError, type Entry, type Op, type OpResult } from '@quorate/client';
import type {
  Compare,
  KeyValue,
  KvRequest,
  KvResponse,
  OperationOutcome,
  SimpleRequest,
  SimpleResponse,
} from '@quorate/sim';

/** Never rejects but for what is not a typed error of the client. */
export async function call(client: Client, request: KvRequest): Promise<OperationOutcome> {
  try {
    return { kind: 'ok', response: await answer(client, request) };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return { kind: error.code === 'OutcomeUnknown' ? 'unknown' : 'refused', code: error.code };
  }
}

async function answer(client: Client, request: KvRequest): Promise<KvResponse> {
  switch (request.kind) {
    case 'range':
    case 'put':
    case 'delete': {
      const op = opOf(request);
      if (op.op === 'get') return simple({ op: 'get', ...(await client.get(op.key, op)) });
      if (op.op === 'put') return simple({ op: 'put', ...(await client.put(op.key, op.value, op)) });
      if (op.op === 'delete') return simple({ op: 'delete', ...(await client.delete(op.key, op)) });
      throw new TypeError(`No request becomes ${op.op}.`);
    }
    case 'txn': {
      const { txn } = request;
      const { revision, succeeded, results } = await client.txn({
        compare: txn.compare.map(comparisonOf),
        success: txn.success.map(opOf),
        failure: txn.failure.map(opOf),
      });
      return { kind: 'txn', revision, succeeded, responses: results.map(simple) };
    }
    case 'compact':
      return { kind: 'compact', revision: (await client.compact(request.revision)).revision };
  }
}

function opOf(request: SimpleRequest): Op {
  const { key } = request;
  if (request.kind === 'put') return { op: 'put', key, value: request.value, previous: true };
  const range = request.rangeEnd === '' ? {} : { rangeEnd: request.rangeEnd };
  if (request.kind === 'delete') return { op: 'delete', key, ...range };
  const { limit, revision, serializable } = request;
  return { op: 'get', key, ...range, limit, revision, serializable };
}

const SIGNS = { equal: '=', notEqual: '!=', greater: '>', less: '<' } as const;

function comparisonOf(compare: Compare) {
  const { key } = compare;
  const is = SIGNS[compare.result];
  switch (compare.target) {
    case 'value':
      return { key, is, value: compare.value };
    case 'version':
      return { key, is, version: compare.value };
    case 'create':
      return { key, is, createRevision: compare.value };
    case 'mod':
      return { key, is, modRevision: compare.value };
  }
}

function simple(result: OpResult): SimpleResponse {
  const { revision } = result;
  switch (result.op) {
    case 'get':
      return { kind: 'range', revision, count: result.count, more: result.more, kvs: result.entries.map(keyValue) };
    case 'put':
      return { kind: 'put', revision, previous: result.previous === undefined ? null : keyValue(result.previous) };
    case 'delete':
      return { kind: 'delete', revision, deleted: result.deleted };
    case 'txn':
      throw new TypeError('No request holds a transaction within a transaction.');
  }
}

export function keyValue(entry: Entry): KeyValue {
  const { createRevision, modRevision, version } = entry;
  return { key: entry.keyText(), value: entry.text(), createRevision, modRevision, version };
}

/** Whether a request may change anything. */
export function isWrite(request: KvRequest): boolean {
  if (request.kind !== 'txn') return request.kind !== 'range';
  return [...request.txn.success, ...request.txn.failure].some(({ kind }) => kind !== 'range');
}
