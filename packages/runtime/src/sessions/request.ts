import type { TimerHandle } from '../environment.ts';
import { drawBetween } from '../draw.ts';
import { describe, RaftError } from '../errors.ts';
import type { SessionAnswer } from './answer.ts';
import type { SessionServer, SessionSettings } from './session-options.ts';

/** Longer chains of failures do not lengthen the wait any more. */
const maxDoublings = 20;

/** The servers of a session, and which of them answered last. */
export class Servers<Result> {
  readonly #servers: readonly SessionServer<Result>[];
  #current = 0;

  constructor(servers: readonly SessionServer<Result>[]) {
    this.#servers = [...servers];
  }

  get count(): number {
    return this.#servers.length;
  }

  get current(): SessionServer<Result> {
    const server = this.#servers[this.#current];
    if (server === undefined) throw new Error('A session has no server.');
    return server;
  }

  /** `server` failed: the next one from now on, unless another request has moved on already. */
  leave(server: SessionServer<Result>): void {
    if (server === this.current) this.#current = (this.#current + 1) % this.#servers.length;
  }
}

interface Outcome<Result> {
  readonly answer: SessionAnswer<Result> | null;
  /** Why there is no answer, and never will be one. */
  readonly error: RaftError | null;
}

/**
 * One command on its way to its answer: sent to one server after the other until one of them knows what became of it. Only for
 * commands that do no harm when they stand in the log more than once.
 */
export class Request<Result> {
  readonly #servers: Servers<Result>;
  readonly #settings: SessionSettings;
  /** Encodes the command anew for each attempt. */
  readonly #command: () => Uint8Array;
  #done: ((outcome: Outcome<Result>) => void) | null;
  #timer: TimerHandle | null = null;
  /** Attempts so far; answers to earlier ones count as well, failures do not. */
  #attempts = 0;
  /** Servers that say that they are going away, and nothing else since. */
  readonly #closing = new Set<SessionServer<Result>>();
  /** An attempt is under way whose outcome is open, or an earlier one had none. */
  #isOpen = false;
  #mayHaveEffect = false;

  /** `done` is called once, later, unless `cancel` comes first. */
  constructor(
    servers: Servers<Result>,
    settings: SessionSettings,
    command: () => Uint8Array,
    done: (outcome: Outcome<Result>) => void,
  ) {
    this.#servers = servers;
    this.#settings = settings;
    this.#command = command;
    this.#done = done;
    this.#attempt();
  }

  /** Whether a copy of the command that nobody has answered may have taken effect, or may yet. */
  get mayHaveEffect(): boolean {
    return this.#isOpen || this.#mayHaveEffect;
  }

  /** Nobody waits any more. */
  cancel(): void {
    this.#done = null;
    this.#clearTimer();
  }

  #attempt(): void {
    const number = ++this.#attempts;
    const server = this.#servers.current;
    const { attemptTimeout } = this.#settings;
    this.#isOpen = true;
    // A server that is gone without a word answers nothing, not even that it did not answer in time.
    this.#setTimer(attemptTimeout, () => this.#failed(number, server, timedOut()));
    ask(server, this.#command(), Math.ceil(attemptTimeout / 1000)).then(
      (answer) => this.#answered(number, answer),
      (error: unknown) => this.#failed(number, server, error),
    );
  }

  #answered(number: number, answer: SessionAnswer<Result>): void {
    if (number === this.#attempts) this.#isOpen = false;
    this.#end({ answer, error: null });
  }

  #failed(number: number, server: SessionServer<Result>, error: unknown): void {
    if (number !== this.#attempts || this.#done === null) return;
    this.#clearTimer();
    this.#isOpen = false;
    if (!(error instanceof RaftError)) {
      this.#mayHaveEffect = true;
      const message = `What carries the commands of the session failed: ${describe(error)} Find out by reading what became of it.`;
      this.#end({ answer: null, error: new RaftError('OutcomeUnknown', message, { definite: false, cause: error }) });
      return;
    }
    if (!error.definite) this.#mayHaveEffect = true;
    if (error.code === 'ShuttingDown') this.#closing.add(server);
    else this.#closing.delete(server);
    if (isFinal(error) || this.#closing.size === this.#servers.count) {
      this.#end({ answer: null, error: this.mayHaveEffect ? undecided(error) : error });
      return;
    }
    this.#servers.leave(server);
    this.#setTimer(this.#delay(), () => this.#attempt());
  }

  #end(outcome: Outcome<Result>): void {
    const done = this.#done;
    this.cancel();
    done?.(outcome);
  }

  #delay(): number {
    const { retryDelay, maxRetryDelay, environment } = this.#settings;
    const doubled = retryDelay * 2 ** Math.min(this.#attempts - 1, maxDoublings);
    const delay = Math.min(doubled, maxRetryDelay);
    return drawBetween(environment.random, Math.ceil(delay / 2), delay);
  }

  #setTimer(delay: number, callback: () => void): void {
    this.#timer = this.#settings.environment.timers.set(delay, () => {
      this.#timer = null;
      callback();
    });
  }

  #clearTimer(): void {
    if (this.#timer !== null) this.#settings.environment.timers.clear(this.#timer);
    this.#timer = null;
  }
}

/** So that a `propose` that throws rejects. */
async function ask<Result>(
  server: SessionServer<Result>,
  command: Uint8Array,
  timeout: number,
): Promise<SessionAnswer<Result>> {
  return await server.propose(command, { timeout });
}

/** No server would say anything else to the same bytes. */
function isFinal(error: RaftError): boolean {
  return error.code === 'TooLarge' || error.code === 'InvalidOptions';
}

function timedOut(): RaftError {
  return new RaftError('OutcomeUnknown', 'The server did not answer in time.', { definite: false });
}

/** The last attempt was refused, but not all of those before it. */
function undecided(error: RaftError): RaftError {
  const message = `${error.message} An earlier attempt may have taken effect: find out by reading.`;
  return new RaftError(error.code, message, { definite: false, cause: error });
}
