import type { RandomSource, Timers } from '../environment.ts';
import { RaftError } from '../errors.ts';
import type { AbortSignalLike, CallOptions } from '../raft-node.ts';
import type { SessionAnswer } from './answer.ts';
import { checkLimits, defaultSessionLimits, isWindow, maxSessionWindow, type SessionLimits } from './limits.ts';

/**
 * Where the commands of a session go: a RaftNode whose state machine comes from `withSessions`, or whatever carries commands to one.
 *
 * `propose` rejects with a RaftError; `OutcomeUnknown` where nothing better is known, as when a connection breaks, and `NotLeader` while a
 * server is away. `ShuttingDown` means that it does not come back: when all say so, the call ends. Anything but a RaftError ends it, too.
 */
export interface SessionServer<Result> {
  propose(command: Uint8Array, options?: CallOptions): Promise<SessionAnswer<Result>>;
  readonly environment?: SessionEnvironment;
}

/** Waiting and chance, for sessions: an `Environment` has both. */
export interface SessionEnvironment {
  readonly timers: Pick<Timers, 'set' | 'clear'>;
  readonly random: RandomSource;
}

export interface SessionOptions {
  /**
   * Commands of this session that may await their answers side by side, from 1 to `maxSessionWindow`. With 1 they take effect in the
   * order of the calls; with more, a command that must be sent again may be overtaken.
   */
  readonly window: number;
  /** Calls that may wait for their turn. Beyond it: `Busy`. */
  readonly maxWaiting: number;
  /** After this long without an answer the command is sent again, to the next server. Microseconds. */
  readonly attemptTimeout: number;
  /** How long to wait after the first failed attempt; twice as long after each further one … Microseconds. */
  readonly retryDelay: number;
  /** … up to this. Between half of it and all of it, by chance, so that many sessions do not come back at once. Microseconds. */
  readonly maxRetryDelay: number;
}

export const defaultSessionOptions: SessionOptions = {
  window: 64,
  maxWaiting: 10_000,
  attemptTimeout: 5_000_000,
  retryDelay: 10_000,
  maxRetryDelay: 500_000,
};

/** What `openSession` may be given. */
export interface OpenSessionOptions extends Partial<SessionOptions> {
  /** The bounds of all sessions from now on: give the same wherever sessions are opened. */
  readonly limits?: Partial<SessionLimits>;
  /** That of the first server that has one, where it is not given. */
  readonly environment?: SessionEnvironment;
  /** Gives up opening. */
  readonly signal?: AbortSignalLike;
}

/** The options with every default filled in. */
export interface SessionSettings extends SessionOptions {
  readonly limits: SessionLimits;
  readonly environment: SessionEnvironment;
}

/** @throws RaftError InvalidOptions, with what to change. */
export function settleSession<Result>(
  servers: readonly SessionServer<Result>[],
  options: OpenSessionOptions,
): SessionSettings {
  const { limits: givenLimits, environment: givenEnvironment, signal: _, ...given } = options;
  const settings = { ...defaultSessionOptions, ...given };
  const limits = { ...defaultSessionLimits, ...givenLimits };
  const environment = givenEnvironment ?? servers.find((server) => server.environment !== undefined)?.environment;
  if (servers.length === 0) throw invalid('There is no server to open a session at. Give one at least.');
  if (environment === undefined) {
    throw invalid('None of the servers is a RaftNode. Give `environment`, with timers and a source of random numbers.');
  }
  checkLimits(limits);
  if (!isWindow(settings.window)) {
    throw invalid(`window is ${settings.window}. Give a whole number from 1 to ${maxSessionWindow}.`);
  }
  for (const name of ['maxWaiting', 'attemptTimeout', 'retryDelay', 'maxRetryDelay'] as const) {
    const value = settings[name];
    const min = name === 'maxWaiting' ? 0 : 1;
    if (!Number.isSafeInteger(value) || value < min)
      throw invalid(`${name} is ${value}. Give a whole number from ${min} on.`);
  }
  return { ...settings, limits, environment };
}

function invalid(message: string): RaftError {
  return new RaftError('InvalidOptions', message);
}
