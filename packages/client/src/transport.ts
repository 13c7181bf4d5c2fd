import { type CallOutcome, type StatusCode } from '@quorate/kv/api';

/**
 * What the client asks of whatever carries its calls: `node:http2` today, another engine tomorrow. Callbacks come exactly
 * once each and never from inside the call that takes them.
 */
export interface Transport {
  /** Begins to connect. `opened` when calls can be made; `closed` when they no longer can, also if they never could. */
  connect(origin: string, events: ConnectionEvents): Connection;
}

export interface ConnectionEvents {
  opened(): void;
  /** Every call has been answered by then. `cause` is undefined when `destroy` asked for it. */
  closed(cause: Error | undefined): void;
}

export interface Connection {
  /** Whether new calls can be made. */
  readonly usable: boolean;
  /** One unary call. `done` always comes, also after `cancel`. */
  call(call: OutgoingCall, done: (reply: Reply) => void): CallHandle;
  /** Closes at once; calls in flight are lost. */
  destroy(): void;
}

export interface OutgoingCall {
  /** e.g. `/etcdserverpb.KV/Put` */
  readonly path: string;
  /** The request as gRPC frames it. */
  readonly frame: Uint8Array;
  readonly timeoutMs: number;
  /** A server that knows no leader refuses at once, rather than wait for one while another server may have found it. */
  readonly needsLeader: boolean;
}

export interface CallHandle {
  /** Tells the server that nobody waits any more. */
  cancel(): void;
}

export type Reply = { readonly kind: 'message'; readonly message: Uint8Array } | Failure;

export type Failure =
  /** The server answered with a status. */
  | {
      readonly kind: 'status';
      readonly status: StatusCode;
      readonly details: string;
      /** What the server says became of the call, if it says so. */
      readonly outcome: CallOutcome | undefined;
    }
  /** The call was never given to the server's application: no connection, or the stream was refused. */
  | { readonly kind: 'notSent'; readonly details: string; readonly cause?: unknown }
  /** The call was given away and the answer got lost, wholly or in part. */
  | { readonly kind: 'lost'; readonly details: string; readonly cause?: unknown }
  /** The answer is larger than allowed. */
  | { readonly kind: 'tooLarge'; readonly details: string }
  /** The answer is no gRPC. */
  | { readonly kind: 'malformed'; readonly details: string; readonly cause?: unknown };
