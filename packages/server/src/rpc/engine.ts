/** The RPC room's door towards sockets. What stands behind it may change; its tests are the same for every engine. */
import type { Socket } from 'node:net';
import type { RpcService } from '@quorate/kv';
import type { Logger } from '@quorate/runtime';

export interface RpcEngine {
  /** Takes over a connection that speaks HTTP/2. None of its bytes may be consumed (they may be unshifted). */
  accept(socket: Socket): void;
  /** Calls that have begun and not ended. */
  readonly openCalls: number;
  /** Connections that are open. */
  readonly openConnections: number;
  /**
   * Takes no new calls (GOAWAY), ends streams with Unavailable, lets unary calls in flight finish, and after `graceMs`
   * milliseconds drops what is left.
   */
  close(graceMs: number): Promise<void>;
}

export interface RpcEngineOptions {
  readonly service: RpcService;
  /** Monotonic, whole microseconds: the clock of `RpcCall.deadline`. */
  readonly now: () => number;
  readonly logger: Logger;
  readonly limits?: Partial<RpcLimits>;
}

/** Every bound of the RPC room. Bytes and milliseconds. */
export interface RpcLimits {
  /** One request message. etcd: `--max-request-bytes` (1.5 MiB) and 512 KiB for what surrounds it. */
  readonly maxMessageBytes: number;
  /** Calls open at once on one connection; more wait at the client. */
  readonly maxConcurrentStreams: number;
  /** Request bytes that one connection may leave here in unfinished messages. */
  readonly maxConnectionRequestBytes: number;
  /** The same over all connections. */
  readonly maxTotalRequestBytes: number;
  /** Response bytes that a stream's caller may leave untaken before the stream is ended. */
  readonly maxStreamResponseBytes: number;
  /** Bytes of large answers (over 16 KiB) that all callers together may leave untaken; one alone may be larger. */
  readonly maxTotalResponseBytes: number;
  /** All headers of one request, as HTTP/2 counts them. */
  readonly maxHeaderBytes: number;
  /** What a connection may hold in the HTTP/2 library (headers, frames, answers not yet taken), MiB. */
  readonly maxConnectionMemoryMiB: number;
  /** A connection silent for this long is asked whether it lives (PING), and closed if it does not say so in time. */
  readonly keepAliveIntervalMs: number;
  readonly keepAliveTimeoutMs: number;
  /** A unary request must be complete within this time of its headers. */
  readonly requestTimeoutMs: number;
  /** The service answers a passed deadline itself; this much later the carrier does it in its place. */
  readonly deadlineGraceMs: number;
}

export const defaultRpcLimits: RpcLimits = {
  maxMessageBytes: (1536 + 512) * 1024,
  maxConcurrentStreams: 10_000,
  maxConnectionRequestBytes: 32 * 1024 * 1024,
  maxTotalRequestBytes: 128 * 1024 * 1024,
  maxStreamResponseBytes: 64 * 1024 * 1024,
  maxTotalResponseBytes: 512 * 1024 * 1024,
  maxHeaderBytes: 16 * 1024,
  maxConnectionMemoryMiB: 128,
  keepAliveIntervalMs: 15_000,
  keepAliveTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  deadlineGraceMs: 2_000,
};
