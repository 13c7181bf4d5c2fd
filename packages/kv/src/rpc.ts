/**
 * The door of the RPC room: a method and request bytes come in, response bytes or a stream of them go out. Whatever carries
 * them (node:http2 today, an engine of our own later, a simulated network in tests) stands on the other side.
 */
import type { CallOutcome } from './api/outcome.ts';

/** gRPC status codes (the numbers are the protocol's). */
export const StatusCode = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;
export type StatusCode = (typeof StatusCode)[keyof typeof StatusCode];

/** How a call failed. `message` for etcd's own errors is etcd's own text, letter by letter: clients match on it. */
export interface RpcStatus {
  readonly code: StatusCode;
  readonly message: string;
  /**
   * What became of a failed write: `refused` is definite (nothing was appended and never will be), `unknown` says that it may
   * or may not take effect. Carried in the trailer `OUTCOME_TRAILER`; absent where the question does not arise.
   */
  readonly outcome?: CallOutcome;
}

/** One call that has come in. */
export interface RpcCall {
  /** Full path, e.g. `/etcdserverpb.KV/Put`. */
  readonly method: string;
  /** The whole request message (for client streams: the first; more arrive through `onMessage`). */
  readonly request: Uint8Array;
  /** Request metadata by lower-case name; binary values decoded are not needed by any method yet. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The monotonic time (µs) by which the caller wants an answer, or Infinity. */
  readonly deadline: number;
  /** Whether the caller has gone away or the deadline has passed. */
  readonly cancelled: boolean;
  /** Called at most once, when the caller goes away before the end. */
  onCancel(listener: () => void): void;
  /** Further messages of a client stream; `null` when the client has closed its side. */
  onMessage(listener: (message: Uint8Array | null) => void): void;

  /** Whether the caller takes answers more slowly than they are sent: a stream waits for `onDrain` then. */
  readonly backedUp: boolean;
  /** Calls back once when what was sent has left, and at once (from the event loop) if nothing waits. */
  onDrain(listener: () => void): void;

  /** One response message. Unary methods send exactly one, then `end`. The bytes belong to the carrier. */
  send(message: Uint8Array): void;
  /** Ends the call, successfully or not. Further calls are ignored. */
  end(status: RpcStatus): void;
  /** A unary answer in one go: `send` and `end` with ok. */
  reply(message: Uint8Array): void;
}

/** What a service offers to the carrier. Unknown methods are answered `unimplemented` by the carrier. */
export interface RpcService {
  readonly methods: ReadonlyMap<string, RpcMethod>;
}

export interface RpcMethod {
  /** Whether the client may send more than one message. */
  readonly clientStreaming: boolean;
  /** Whether more than one message may be answered. */
  readonly serverStreaming: boolean;
  /** Must not throw; whatever goes wrong goes into `call.end`. */
  handle(call: RpcCall): void;
}
