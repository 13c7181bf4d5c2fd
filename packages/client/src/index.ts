export { Client, connect } from './client.ts';
export { ClientError, type ClientErrorCode } from './errors.ts';
export type { MembershipResult, MembershipWish } from './membership.ts';
export {
  type CallOptions,
  type ClientOptions,
  DEFAULT_CONNECT_TIMEOUT_MS,
  DEFAULT_KEEPALIVE_AFTER_MS,
  DEFAULT_KEEPALIVE_TIMEOUT_MS,
  DEFAULT_MAX_CALLS,
  DEFAULT_MAX_REQUEST_BYTES,
  DEFAULT_MAX_RESPONSE_BYTES,
  DEFAULT_TIMEOUT_MS,
} from './options.ts';
export type {
  Bytes,
  DeleteOptions,
  GetOptions,
  PutOptions,
  RangeOptions,
  SortBy,
} from './requests.ts';
export type {
  Answered,
  DeleteResult,
  Entry,
  GetResult,
  MemberListResult,
  OpResult,
  PutResult,
  StatusResult,
  TxnResult,
} from './results.ts';
export type { Comparison, Op, Txn } from './txn.ts';
