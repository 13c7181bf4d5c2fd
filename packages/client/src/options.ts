import { invalid } from './errors.ts';

/** How long a call may take in all, attempts and waits included. */
export const DEFAULT_TIMEOUT_MS = 5_000;
/** How long to wait for a TCP connection before another server is tried. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 1_000;
/** A server that owes answers and has sent nothing for so long is pinged. */
export const DEFAULT_KEEPALIVE_AFTER_MS = 2_000;
/** A server that has not answered a ping for so long is taken for dead; its connection is closed. */
export const DEFAULT_KEEPALIVE_TIMEOUT_MS = 1_500;
/** Calls that may wait at once. */
export const DEFAULT_MAX_CALLS = 10_000;
/** As etcd's own client has it. */
export const DEFAULT_MAX_REQUEST_BYTES = 2 * 1024 * 1024;
export const DEFAULT_MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

/** Timers of Node.js hold no more than this. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface ClientOptions {
  /** Milliseconds that a call may take when it does not say so itself; {@link DEFAULT_TIMEOUT_MS}. Also bounds `connect`. */
  readonly timeout?: number;
  /** {@link DEFAULT_CONNECT_TIMEOUT_MS} */
  readonly connectTimeout?: number;
  /** {@link DEFAULT_KEEPALIVE_AFTER_MS} */
  readonly keepaliveAfter?: number;
  /** {@link DEFAULT_KEEPALIVE_TIMEOUT_MS} */
  readonly keepaliveTimeout?: number;
  /** {@link DEFAULT_MAX_CALLS} */
  readonly maxCalls?: number;
  /** {@link DEFAULT_MAX_REQUEST_BYTES} */
  readonly maxRequestBytes?: number;
  /** {@link DEFAULT_MAX_RESPONSE_BYTES} */
  readonly maxResponseBytes?: number;
  /** Gives up connecting. */
  readonly signal?: AbortSignal;
}

export interface CallOptions {
  /** Milliseconds that the call may take in all. */
  readonly timeout?: number;
  /** Gives up. A write that is already on its way then fails with `OutcomeUnknown`. */
  readonly signal?: AbortSignal;
}

export type Settings = Readonly<Required<Omit<ClientOptions, 'signal'>>>;

/**
 * @throws ClientError `InvalidArgument`
 */
export function settingsFrom(options: ClientOptions): Settings {
  return {
    timeout: milliseconds('timeout', options.timeout ?? DEFAULT_TIMEOUT_MS),
    connectTimeout: milliseconds('connectTimeout', options.connectTimeout ?? DEFAULT_CONNECT_TIMEOUT_MS),
    keepaliveAfter: milliseconds('keepaliveAfter', options.keepaliveAfter ?? DEFAULT_KEEPALIVE_AFTER_MS),
    keepaliveTimeout: milliseconds('keepaliveTimeout', options.keepaliveTimeout ?? DEFAULT_KEEPALIVE_TIMEOUT_MS),
    maxCalls: positiveInteger('maxCalls', options.maxCalls ?? DEFAULT_MAX_CALLS),
    maxRequestBytes: positiveInteger('maxRequestBytes', options.maxRequestBytes ?? DEFAULT_MAX_REQUEST_BYTES),
    maxResponseBytes: positiveInteger('maxResponseBytes', options.maxResponseBytes ?? DEFAULT_MAX_RESPONSE_BYTES),
  };
}

/**
 * @throws ClientError `InvalidArgument`
 */
export function milliseconds(name: string, value: number): number {
  if (!(value > 0 && value <= MAX_TIMER_MS)) {
    throw invalid(`${name} is ${value}; give milliseconds, more than 0 and at most ${MAX_TIMER_MS}.`);
  }
  return value;
}

function positiveInteger(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1)
    throw invalid(`${name} is ${value}; give a whole number of at least 1.`);
  return value;
}
