/** How outcomes of consensus look to a client. */
import type { CallOutcome, ProtobufError } from '../api/index.ts';
import type { BarrierOutcome, ProposeOutcome } from '../consensus.ts';
import { etcdErrors } from '../errors.ts';
import { type RpcStatus, StatusCode } from '../rpc.ts';

type Refusal = Extract<ProposeOutcome | BarrierOutcome, { readonly kind: 'refused' }>;

export function withOutcome(status: RpcStatus, outcome: CallOutcome): RpcStatus {
  return { ...status, outcome };
}

export function refused(status: RpcStatus): RpcStatus {
  return withOutcome(status, 'refused');
}

export function refusalStatus({ reason, message }: Refusal): RpcStatus {
  switch (reason) {
    case 'noLeader':
      return etcdErrors.noLeader;
    case 'leadershipLost':
      return etcdErrors.leaderChanged;
    case 'busy':
      return etcdErrors.tooManyRequests;
    case 'tooLarge':
      return etcdErrors.requestTooLarge;
    case 'diskFull':
    case 'leaderDiskFull':
      return etcdErrors.noSpace;
    case 'shuttingDown':
      return etcdErrors.stopped;
    case 'recovering':
    case 'foreignIncarnation':
      // etcd has no such states: a leader that repairs its log, a server whose disk was replaced under a running cluster.
      return { code: StatusCode.unavailable, message };
  }
}

/** As gRPC in Go answers what it cannot decode. */
export function malformed(error: ProtobufError): RpcStatus {
  return { code: StatusCode.internal, message: `grpc: error unmarshalling request: ${error.message}` };
}

/** The client's own deadline, as gRPC in Go words it. */
export const deadlineExceeded: RpcStatus = {
  code: StatusCode.deadlineExceeded,
  message: 'context deadline exceeded',
};

export function responseTooLarge(maxBytes: number, wrote: boolean): RpcStatus {
  const message = wrote
    ? `etcdserver: the request took effect, but its response would exceed ${maxBytes} bytes; ask for fewer previous values`
    : `etcdserver: the response would exceed ${maxBytes} bytes; set a limit and read in parts`;
  return { code: StatusCode.resourceExhausted, message };
}
