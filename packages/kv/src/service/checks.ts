/** What can be said against a request before anything is known of the store's state, in etcd's order and words. */
import {
  type DeleteRangeRequest,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  SortOrder,
  SortTarget,
  type TxnRequest,
} from '../api/index.ts';
import { etcdErrors } from '../errors.ts';
import type { RpcStatus } from '../rpc.ts';
import { changesKeyTwice } from './key-overlaps.ts';

const sortOrders: readonly number[] = Object.values(SortOrder);
const sortTargets: readonly number[] = Object.values(SortTarget);

export function checkRange(request: RangeRequest): RpcStatus | null {
  if (request.key.length === 0) return etcdErrors.emptyKey;
  const sorts = sortOrders.includes(request.sortOrder) && sortTargets.includes(request.sortTarget);
  return sorts ? null : etcdErrors.invalidSortOption;
}

export function checkPut(request: PutRequest): RpcStatus | null {
  if (request.key.length === 0) return etcdErrors.emptyKey;
  if (request.ignoreValue && request.value.length > 0) return etcdErrors.valueProvided;
  if (request.ignoreLease && request.lease !== 0n) return etcdErrors.leaseProvided;
  return null;
}

export function checkDeleteRange(request: DeleteRangeRequest): RpcStatus | null {
  return request.key.length === 0 ? etcdErrors.emptyKey : null;
}

export function checkTxn(request: TxnRequest, maxOperations: number): RpcStatus | null {
  const refused = checkTxnShape(request, maxOperations);
  if (refused !== null) return refused;
  // Only now: the check for overlaps looks at every pair, so the numbers must be known to be small.
  const twice = changesKeyTwice(request.success) || changesKeyTwice(request.failure);
  return twice ? etcdErrors.duplicateKey : null;
}

function checkTxnShape(request: TxnRequest, maxOperations: number): RpcStatus | null {
  const { compare, success, failure } = request;
  const operations = Math.max(compare.length, success.length, failure.length);
  if (operations > maxOperations) return etcdErrors.tooManyOperations;
  for (const { key } of compare) if (key.length === 0) return etcdErrors.emptyKey;
  for (const list of [success, failure]) {
    for (const operation of list) {
      const refused = checkOperation(operation, maxOperations - operations);
      if (refused !== null) return refused;
    }
  }
  return null;
}

function checkOperation({ request }: RequestOp, maxOperations: number): RpcStatus | null {
  switch (request.case) {
    case 'requestRange':
      return checkRange(request.value);
    case 'requestPut':
      return checkPut(request.value);
    case 'requestDeleteRange':
      return checkDeleteRange(request.value);
    case 'requestTxn':
      return checkTxnShape(request.value, maxOperations);
    default:
      // An empty operation; etcd answers it so.
      return etcdErrors.keyNotFound;
  }
}

/** Whether a range asks for one key and its value, with no condition but the revision. */
export function isPlainGet(request: RangeRequest): boolean {
  return (
    request.rangeEnd.length === 0 &&
    !request.countOnly &&
    request.minModRevision === 0 &&
    request.maxModRevision === 0 &&
    request.minCreateRevision === 0 &&
    request.maxCreateRevision === 0
  );
}

/** Whether a transaction can be served as a read: every operation is a range. (A nested one goes through the log, as in etcd.) */
export function isReadOnly(request: TxnRequest): boolean {
  return [...request.success, ...request.failure].every((operation) => operation.request.case === 'requestRange');
}

/** Whether a transaction that only reads is content with what this server knows. */
export function isSerializable(request: TxnRequest): boolean {
  return [...request.success, ...request.failure].every(
    ({ request: operation }) => operation.case === 'requestRange' && operation.value.serializable,
  );
}
