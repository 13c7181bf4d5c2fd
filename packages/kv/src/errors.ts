import { type RpcStatus, StatusCode } from './rpc.ts';

/** etcd's own errors. Texts and codes are etcd's letter by letter: clients match on them. */
export const etcdErrors = {
  emptyKey: invalid('etcdserver: key is not provided'),
  keyNotFound: invalid('etcdserver: key not found'),
  valueProvided: invalid('etcdserver: value is provided'),
  leaseProvided: invalid('etcdserver: lease is provided'),
  tooManyOperations: invalid('etcdserver: too many operations in txn request'),
  duplicateKey: invalid('etcdserver: duplicate key given in txn request'),
  invalidSortOption: invalid('etcdserver: invalid sort option'),
  compacted: { code: StatusCode.outOfRange, message: 'etcdserver: mvcc: required revision has been compacted' },
  futureRevision: { code: StatusCode.outOfRange, message: 'etcdserver: mvcc: required revision is a future revision' },
  noSpace: { code: StatusCode.resourceExhausted, message: 'etcdserver: mvcc: database space exceeded' },
  leaseNotFound: { code: StatusCode.notFound, message: 'etcdserver: requested lease not found' },
  requestTooLarge: invalid('etcdserver: request is too large'),
  tooManyRequests: { code: StatusCode.resourceExhausted, message: 'etcdserver: too many requests' },
  noLeader: { code: StatusCode.unavailable, message: 'etcdserver: no leader' },
  leaderChanged: { code: StatusCode.unavailable, message: 'etcdserver: leader changed' },
  stopped: { code: StatusCode.unavailable, message: 'etcdserver: server stopped' },
  timeout: { code: StatusCode.unavailable, message: 'etcdserver: request timed out' },
  timeoutDueToLeaderFail: {
    code: StatusCode.unavailable,
    message: 'etcdserver: request timed out, possibly due to previous leader failure',
  },
  memberNotFound: { code: StatusCode.notFound, message: 'etcdserver: member not found' },
  memberExists: failed('etcdserver: member ID already exist'),
  peerUrlExists: failed('etcdserver: Peer URLs already exists'),
  memberUrlsInvalid: invalid('etcdserver: given member URLs are invalid'),
  memberNotLearner: failed('etcdserver: can only promote a learner member'),
  learnerNotReady: failed('etcdserver: can only promote a learner member which is in sync with leader'),
  notEnoughStarted: failed('etcdserver: re-configuration failed due to not enough started members'),
  unhealthy: { code: StatusCode.unavailable, message: 'etcdserver: unhealthy cluster' },
  notLeader: failed('etcdserver: not leader'),
  badTransferee: failed('etcdserver: bad leader transferee'),
  transferTimeout: {
    code: StatusCode.unknown,
    message: 'etcdserver: request timed out, leader transfer took too long',
  },
} as const satisfies Record<string, RpcStatus>;

export type EtcdErrorName = keyof typeof etcdErrors;

function invalid(message: string): RpcStatus {
  return { code: StatusCode.invalidArgument, message };
}

function failed(message: string): RpcStatus {
  return { code: StatusCode.failedPrecondition, message };
}

/**
 * The state machine cannot go on: what stands in the log or in a snapshot is beyond this version, or damaged. The server
 * must stop; to skip it would make this replica differ from the others.
 */
export class StateMachineError extends Error {
  override readonly name = 'StateMachineError';
  readonly code: 'UnsupportedCommand' | 'CorruptCommand' | 'UnsupportedSnapshot' | 'CorruptSnapshot';

  constructor(code: StateMachineError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
