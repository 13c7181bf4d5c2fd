import { Compare, CompareResult, CompareTarget, type RequestOp, TxnRequest } from '@quorate/kv/api';
import { invalid } from './errors.ts';
import {
  type Bytes,
  bytesOf,
  type DeleteOptions,
  deleteRequest,
  type GetOptions,
  type PutOptions,
  putRequest,
  type RangeOptions,
  rangeOf,
  rangeRequest,
} from './requests.ts';

/** If every comparison holds, does `success`, otherwise `failure`; all of it at one revision. */
export interface Txn {
  readonly compare?: readonly Comparison[];
  readonly success?: readonly Op[];
  readonly failure?: readonly Op[];
}

/** What must be true of a key, or of every key of a range. A key that does not exist has version 0 and revisions 0. */
export type Comparison = { readonly key: Bytes; readonly is?: '=' | '!=' | '<' | '>' } & RangeOptions &
  (
    | { readonly version: number }
    | { readonly createRevision: number }
    | { readonly modRevision: number }
    | { readonly value: Bytes }
    | { readonly lease: bigint }
  );

export type Op =
  | ({ readonly op: 'get'; readonly key: Bytes } & GetOptions)
  | ({ readonly op: 'put'; readonly key: Bytes; readonly value: Bytes } & PutOptions)
  | ({ readonly op: 'delete'; readonly key: Bytes } & DeleteOptions)
  | ({ readonly op: 'txn' } & Txn);

const RESULTS: Readonly<Record<NonNullable<Comparison['is']>, CompareResult>> = {
  '=': CompareResult.EQUAL,
  '!=': CompareResult.NOT_EQUAL,
  '<': CompareResult.LESS,
  '>': CompareResult.GREATER,
};

export function txnRequest(txn: Txn): TxnRequest {
  return TxnRequest.create({
    compare: (txn.compare ?? []).map(compareOf),
    success: (txn.success ?? []).map(requestOf),
    failure: (txn.failure ?? []).map(requestOf),
  });
}

/** Whether the transaction can be made again whatever became of it. */
export function onlyReads(txn: Txn): boolean {
  return [...(txn.success ?? []), ...(txn.failure ?? [])].every(
    (op) => op.op === 'get' || (op.op === 'txn' && onlyReads(op)),
  );
}

function compareOf(comparison: Comparison): Compare {
  const { key, rangeEnd } = rangeOf(comparison.key, comparison);
  const result = RESULTS[comparison.is ?? '='] as CompareResult | undefined;
  if (result === undefined)
    throw invalid(`'${comparison.is}' compares nothing; choose from ${Object.keys(RESULTS).join(' ')}.`);
  return Compare.create({ key, rangeEnd, result, ...targetOf(comparison) });
}

function targetOf(comparison: Comparison): Pick<Compare, 'target' | 'targetUnion'> {
  if ('version' in comparison) {
    return { target: CompareTarget.VERSION, targetUnion: { case: 'version', value: comparison.version } };
  }
  if ('createRevision' in comparison) {
    return { target: CompareTarget.CREATE, targetUnion: { case: 'createRevision', value: comparison.createRevision } };
  }
  if ('modRevision' in comparison) {
    return { target: CompareTarget.MOD, targetUnion: { case: 'modRevision', value: comparison.modRevision } };
  }
  if ('value' in comparison) {
    const value = bytesOf('value', comparison.value);
    return { target: CompareTarget.VALUE, targetUnion: { case: 'value', value } };
  }
  if ('lease' in comparison) {
    return { target: CompareTarget.LEASE, targetUnion: { case: 'lease', value: comparison.lease } };
  }
  throw invalid('A comparison compares with nothing; give version, createRevision, modRevision, value or lease.');
}

function requestOf(op: Op): RequestOp {
  switch (op.op) {
    case 'get':
      return { request: { case: 'requestRange', value: rangeRequest(op.key, op) } };
    case 'put':
      return { request: { case: 'requestPut', value: putRequest(op.key, op.value, op) } };
    case 'delete':
      return { request: { case: 'requestDeleteRange', value: deleteRequest(op.key, op) } };
    case 'txn':
      return { request: { case: 'requestTxn', value: txnRequest(op) } };
    default:
      throw invalid(`No operation '${String((op as { op: unknown }).op)}'; there are get, put, delete and txn.`);
  }
}
