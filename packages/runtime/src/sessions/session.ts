/** The client's side of a session (dissertation §6.3): numbers its commands and sends each until it is answered. */
import { drawHex16 } from '../draw.ts';
import { RaftError } from '../errors.ts';
import type { AbortSignalLike } from '../raft-node.ts';
import type { SessionAnswer, SessionId, SessionRefusal } from './answer.ts';
import { encodeClose, encodeCommand, encodeOpen } from './envelope.ts';
import { Request, Servers } from './request.ts';
import { type OpenSessionOptions, type SessionServer, type SessionSettings, settleSession } from './session-options.ts';

export interface SessionCallOptions {
  /** Gives up waiting; without one the call waits until it is answered. See `RaftError.definite` for what became of the command. */
  readonly signal?: AbortSignalLike;
}

/**
 * Opens a session at a cluster whose state machine comes from `withSessions`. Its commands take effect exactly once, whatever happens
 * to leaders, servers and answers on the way. Sessions are not bound to a server: with several, the next is asked when one fails.
 *
 * ```ts
 * const session = await openSession(node);
 * const total = await session.propose(command, { signal });
 * ```
 *
 * Tries until it succeeds or is aborted. Rejects with a RaftError: `InvalidOptions`, `Aborted`, `ShuttingDown`.
 */
export async function openSession<Result>(
  servers: SessionServer<Result> | readonly SessionServer<Result>[],
  options: OpenSessionOptions = {},
): Promise<Session<Result>> {
  const list = isList(servers) ? servers : [servers];
  const settings = settleSession(list, options);
  const { window, limits, environment } = settings;
  const command = encodeOpen({ token: drawHex16(environment.random) + drawHex16(environment.random), window, limits });
  const pool = new Servers(list);
  const answer = await ask(pool, settings, command, options.signal);
  if (answer.kind === 'opened') return new Session(pool, settings, answer.session);
  throw misunderstood(answer);
}

function isList<Result>(
  servers: SessionServer<Result> | readonly SessionServer<Result>[],
): servers is readonly SessionServer<Result>[] {
  return Array.isArray(servers);
}

type SessionState = 'open' | 'closing' | 'closed' | 'expired';

/** A command on its way. */
interface Call<Result> {
  readonly command: Uint8Array;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: RaftError) => void;
  /** From 1 on; 0 until it is its turn. */
  sequence: number;
  /** Null until it is its turn. */
  request: Request<Result> | null;
  /** Stops listening to the caller's signal. */
  unwatch: () => void;
}

export class Session<Result> {
  /** The session's id in the cluster. */
  readonly id: SessionId;
  readonly #servers: Servers<Result>;
  readonly #settings: SessionSettings;
  #state: SessionState = 'open';
  #nextSequence = 1;
  /** Sent and not answered, by sequence, ascending. What a caller has given up is gone from here: its answer is not wanted. */
  readonly #unanswered = new Map<number, Call<Result>>();
  /** Those that wait for their turn, in the order of the calls. */
  readonly #waiting = new Set<Call<Result>>();
  #closed: Promise<void> | null = null;
  #onIdle: (() => void) | null = null;

  /** Use `openSession`. */
  constructor(servers: Servers<Result>, settings: SessionSettings, id: SessionId) {
    this.#servers = servers;
    this.#settings = settings;
    this.id = id;
  }

  /** `expired`: the cluster has said that it knows the session no more. Open another one. */
  get state(): SessionState {
    return this.#state;
  }

  /**
   * Has the command, whose bytes must not change until then, take effect exactly once and resolves with what the state machine answered. Sends it again by itself until there
   * is an answer, so it waits as long as no majority is there: give a `signal`.
   *
   * Rejects with a RaftError. `SessionExpired`: the cluster has let the session go. `definite` tells whether the command certainly has
   * no effect; it is false if an attempt before the refusal was never answered. `SessionClosed`, `Busy`, `TooLarge`, `Aborted`,
   * `ShuttingDown` if all servers given to `openSession` are closed.
   */
  propose(command: Uint8Array, options: SessionCallOptions = {}): Promise<Result> {
    return new Promise((resolve, reject) => {
      const refusal = this.#refusal(command, options.signal);
      if (refusal !== null) {
        reject(refusal);
        return;
      }
      const call: Call<Result> = { command, resolve, reject, sequence: 0, request: null, unwatch: () => undefined };
      call.unwatch = watch(options.signal, () => this.#abandon(call));
      this.#waiting.add(call);
      this.#startWaiting();
    });
  }

  /**
   * Takes nothing new, waits for what is under way, then ends the session in the cluster, so that nothing is kept for it any more. May
   * be called again. A session that is not closed ends when its place is needed.
   */
  close(options: SessionCallOptions = {}): Promise<void> {
    this.#closed ??= this.#close(options.signal);
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #refusal(command: unknown, signal: AbortSignalLike | undefined): RaftError | null {
    // Later it could only be found out with a number spent on it, which nobody would ever use.
    if (!(command instanceof Uint8Array)) {
      return new RaftError('InvalidOptions', 'The command is no Uint8Array. Encode it first, e.g. with a TextEncoder.');
    }
    if (this.#state === 'expired') return expired(true);
    if (this.#state !== 'open') {
      return new RaftError('SessionClosed', 'The session is closed. Open another one for further commands.');
    }
    if (signal?.aborted === true) return aborted(true);
    if (this.#waiting.size < this.#settings.maxWaiting || this.#hasRoom()) return null;
    return new RaftError('Busy', 'Too many commands of this session wait already. Wait for some of them.', {
      retryAfter: Math.ceil(this.#settings.retryDelay / 1000),
    });
  }

  /** The lowest sequence whose answer is still wanted: the cluster may forget all answers below. */
  #lowest(): number {
    const first = this.#unanswered.keys().next();
    return first.done === true ? this.#nextSequence : first.value;
  }

  /** By sequence, not by number: the cluster keeps all answers from the lowest on. */
  #hasRoom(): boolean {
    return this.#nextSequence < this.#lowest() + this.#settings.window;
  }

  #startWaiting(): void {
    for (const call of this.#waiting) {
      if (!this.#hasRoom()) return;
      this.#waiting.delete(call);
      this.#start(call);
    }
    if (this.#unanswered.size === 0) this.#onIdle?.();
  }

  #start(call: Call<Result>): void {
    const sequence = this.#nextSequence++;
    call.sequence = sequence;
    this.#unanswered.set(sequence, call);
    const encode = (): Uint8Array =>
      encodeCommand({ session: this.id, sequence, lowest: this.#lowest(), data: call.command });
    call.request = new Request(this.#servers, this.#settings, encode, ({ answer, error }) => {
      this.#forget(call);
      if (error !== null) call.reject(error);
      else if (answer !== null) this.#answered(call, answer);
      this.#startWaiting();
    });
  }

  #answered(call: Call<Result>, answer: SessionAnswer<Result>): void {
    if (answer.kind === 'applied') call.resolve(answer.result);
    else if (answer.kind === 'refused' && answer.reason === 'expired') {
      call.reject(expired(call.request?.mayHaveEffect !== true));
      this.#expire();
    } else call.reject(misunderstood(answer));
  }

  /** Those under way learn by their own answers what became of them; those that were never sent are told now. */
  #expire(): void {
    this.#state = 'expired';
    for (const call of this.#waiting) {
      call.unwatch();
      call.reject(expired(true));
    }
    this.#waiting.clear();
  }

  #abandon(call: Call<Result>): void {
    this.#forget(call);
    const mayHaveEffect = call.request?.mayHaveEffect === true;
    call.request?.cancel();
    call.reject(aborted(!mayHaveEffect));
    this.#startWaiting();
  }

  #forget(call: Call<Result>): void {
    call.unwatch();
    this.#waiting.delete(call);
    this.#unanswered.delete(call.sequence);
  }

  async #close(signal: AbortSignalLike | undefined): Promise<void> {
    if (this.#state === 'open') this.#state = 'closing';
    try {
      await this.#idle(signal);
      if (this.#state === 'expired') return;
      await ask(this.#servers, this.#settings, encodeClose(this.id), signal);
      this.#state = 'closed';
    } catch (error) {
      this.#closed = null;
      throw error;
    }
  }

  /** Resolves when nothing is under way. */
  #idle(signal: AbortSignalLike | undefined): Promise<void> {
    if (this.#unanswered.size === 0) return Promise.resolve();
    if (signal?.aborted === true) return Promise.reject(aborted(true));
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.#onIdle = null;
        unwatch();
        settle();
      };
      const unwatch = watch(signal, () => end(() => reject(aborted(true))));
      this.#onIdle = () => end(resolve);
    });
  }
}

/** A request as a promise, for commands without a sequence. */
function ask<Result>(
  servers: Servers<Result>,
  settings: SessionSettings,
  command: Uint8Array,
  signal: AbortSignalLike | undefined,
): Promise<SessionAnswer<Result>> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(aborted(true));
      return;
    }
    const request = new Request(
      servers,
      settings,
      () => command,
      ({ answer, error }) => {
        unwatch();
        if (answer !== null) resolve(answer);
        else reject(error ?? aborted(false));
      },
    );
    const unwatch = watch(signal, () => {
      unwatch();
      const { mayHaveEffect } = request;
      request.cancel();
      reject(aborted(!mayHaveEffect));
    });
  });
}

/** Listens to a signal that is not aborted yet; returns the way to stop. */
function watch(signal: AbortSignalLike | undefined, onAbort: () => void): () => void {
  if (signal === undefined) return () => undefined;
  signal.addEventListener('abort', onAbort);
  return () => signal.removeEventListener('abort', onAbort);
}

function aborted(definite: boolean): RaftError {
  const rest = definite ? 'It has no effect.' : 'It may still take effect, at most once: find out by reading.';
  return new RaftError('Aborted', `The command was given up by its caller. ${rest}`, { definite });
}

function expired(definite: boolean): RaftError {
  const rest = definite
    ? 'The command has no effect: open another session and send it again.'
    : 'An earlier attempt may have taken effect before: find out by reading, then open another session.';
  return new RaftError('SessionExpired', `The cluster has let the session go to make room for others. ${rest}`, {
    definite,
  });
}

const refusals: Readonly<Record<SessionRefusal, string>> = {
  expired: 'that it does not know the session',
  acknowledged: 'that the command was answered already',
  beyondWindow: 'that too many commands wait',
  malformed: 'that it cannot read the command',
};

/** No answer to what was asked: two clients use one session, or the servers are not what `withSessions` makes. */
function misunderstood(answer: SessionAnswer<unknown>): RaftError {
  const said = answer.kind === 'refused' ? refusals[answer.reason] : `'${answer.kind}'`;
  return new RaftError(
    'InternalError',
    `The cluster answered ${said}, which is no answer to this call. Check that the state machine of every server comes from ` +
      'withSessions.',
    { definite: false },
  );
}
