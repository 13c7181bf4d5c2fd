import {
  type CallOptions,
  continueApply,
  openSession,
  RaftError,
  type RaftErrorCode,
  type Session,
  type SessionAnswer,
  type SessionServer,
} from '@quorate/runtime';
import type { CounterResult } from './counter.ts';
import { memoryReplica } from './session-machines.ts';
import { VirtualWorld } from './virtual-world.ts';

type Answer = SessionAnswer<CounterResult>;
/** What becomes of one command that reaches the server. */
export type Fate =
  /** Applied and answered. */
  | 'answer'
  /** Applied, and the answer lost: nobody ever hears of it. */
  | 'silence'
  /** Applied, and said to be unknown. */
  | 'unknown'
  /** Not applied, and said to be refused, or to have failed otherwise. */
  | { readonly refusal: RaftErrorCode }
  | { readonly failure: Error };

/** Servers before one state machine, in virtual time, each command with a fate of its own. */
export class Scene {
  readonly virtual = new VirtualWorld(1);
  /** Of the next commands; `answer` when there are none left. */
  readonly fates: Fate[] = [];
  /** How long the next commands are on their way. Microseconds; 1,000 when there are none left. */
  readonly delays: number[] = [];
  /** Which server was asked each time. */
  readonly asked: number[] = [];
  readonly #replica = memoryReplica();
  readonly #servers: readonly SessionServer<CounterResult>[];
  #index = 0;

  constructor(servers = 1) {
    this.#servers = Array.from({ length: servers }, (_, number) => ({
      propose: (bytes: Uint8Array, options?: CallOptions) => this.#propose(number, bytes, options),
    }));
  }

  get sessions(): number {
    return this.#replica.machine.sessionStatus().sessions;
  }

  get keptBytes(): number {
    return this.#replica.machine.sessionStatus().keptBytes;
  }

  commands(): readonly string[] {
    return this.#replica.commands();
  }

  opening(options: Parameters<typeof openSession>[1] = {}): Promise<Session<CounterResult>> {
    const { random } = this.virtual;
    const timers = {
      set: (delay: number, callback: () => void) => this.virtual.after(delay, callback),
      clear: (handle: object | number) => {
        (handle as { run: null }).run = null;
      },
    };
    return openSession(this.#servers, { environment: { random, timers }, attemptTimeout: 1_000_000, ...options });
  }

  open(options: Parameters<typeof openSession>[1] = {}): Promise<Session<CounterResult>> {
    return this.world(this.opening(options));
  }

  /** Runs the world until the promise settles. */
  async world<Value>(promise: Promise<Value>): Promise<Value> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    for (let round = 0; round < 5; round++) await Promise.resolve();
    await this.virtual.until(() => isSettled, 'the promise settles');
    return await promise;
  }

  errorOf(promise: Promise<unknown>): Promise<unknown> {
    return this.world(
      promise.then(
        () => null,
        (error: unknown) => error,
      ),
    );
  }

  #propose(server: number, bytes: Uint8Array, options: CallOptions | undefined): Promise<Answer> {
    this.asked.push(server);
    if (options?.timeout === undefined) throw new Error('an attempt without an end');
    const fate = this.fates.shift() ?? 'answer';
    return new Promise((resolve, reject) => {
      this.virtual.after(this.delays.shift() ?? 1_000, () => this.#meet(fate, bytes, resolve, reject));
    });
  }

  #meet(fate: Fate, bytes: Uint8Array, resolve: (answer: Answer) => void, reject: (error: Error) => void): void {
    if (typeof fate === 'object') {
      reject('failure' in fate ? fate.failure : new RaftError(fate.refusal, 'as the test wants it'));
      return;
    }
    const answer = this.#replica.machine.apply({ index: ++this.#index, term: 1, data: bytes });
    if (answer === continueApply) throw new Error('a journal applies at once');
    if (fate === 'answer') resolve(answer);
    else if (fate === 'unknown') reject(new RaftError('OutcomeUnknown', 'as the test wants it', { definite: false }));
  }
}
