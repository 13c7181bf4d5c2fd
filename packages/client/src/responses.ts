import {
  type DeleteRangeResponse,
  type PutResponse,
  type RangeResponse,
  type ResponseOp,
  type StatusResponse,
  type TxnResponse,
} from '@quorate/kv/api';
import { MalformedResponse } from './errors.ts';
import {
  type Answered,
  answered,
  type DeleteResult,
  Entry,
  type GetResult,
  type OpResult,
  type PutResult,
  type StatusResult,
  type TxnResult,
} from './results.ts';

export function getResult(response: RangeResponse, at = answered(response.header)): GetResult {
  const entries = response.kvs.map((kv) => new Entry(kv));
  return { ...at, entries, entry: entries[0], count: response.count, more: response.more };
}

export function putResult(response: PutResponse, at = answered(response.header)): PutResult {
  return { ...at, previous: response.prevKv === undefined ? undefined : new Entry(response.prevKv) };
}

export function deleteResult(response: DeleteRangeResponse, at = answered(response.header)): DeleteResult {
  return { ...at, deleted: response.deleted, previous: response.prevKvs.map((kv) => new Entry(kv)) };
}

export function txnResult(response: TxnResponse, at = answered(response.header)): TxnResult {
  return { ...at, succeeded: response.succeeded, results: response.responses.map((each) => opResult(each, at)) };
}

/** Inside a transaction headers are incomplete; what holds for the whole holds for each part. */
function opResult({ response }: ResponseOp, at: Answered): OpResult {
  switch (response.case) {
    case 'responseRange':
      return { op: 'get', ...getResult(response.value, at) };
    case 'responsePut':
      return { op: 'put', ...putResult(response.value, at) };
    case 'responseDeleteRange':
      return { op: 'delete', ...deleteResult(response.value, at) };
    case 'responseTxn':
      return { op: 'txn', ...txnResult(response.value, at) };
    case undefined:
      throw new MalformedResponse('an empty result in a transaction');
  }
}

export function statusResult(response: StatusResponse, endpoint: string): StatusResult {
  const at = answered(response.header);
  const { version, dbSize, dbSizeInUse, leader, isLearner, raftIndex, raftTerm, raftAppliedIndex, errors } = response;
  const isLeader = leader !== 0n && leader === at.memberId;
  return {
    ...at,
    endpoint,
    version,
    dbSize,
    dbSizeInUse,
    leader,
    isLeader,
    isLearner,
    raftIndex,
    raftTerm,
    raftAppliedIndex,
    errors,
  };
}
