/**
 * The other style of an implementation: state that is plain data, and a function for each thing that can happen. Nothing waits in it, so
 * a model checker can take it apart; here it is put behind the suite's interface.
 */
import { ask, offerAsk } from './ask.ts';
import type {
  ApplyMessage,
  LabEnvironment,
  Make,
  Peer,
  Persister,
  PlainData,
  RaftServer,
  StartResult,
} from './interface.ts';

/** What a handler may do besides changing its state. */
export interface HandlerContext {
  /** This server, from 0 on. */
  readonly me: number;
  /** How many there are, this one included. */
  readonly servers: number;
  /** Calls `method` of a server; `reply` of the module is told what came of it. */
  call(to: number, method: string, args: unknown): void;
  /** Runs out once, between `min` and `max` milliseconds from now; set again it begins anew. */
  setTimer(name: string, min: number, max: number): void;
  clearTimer(name: string): void;
  /** Saves what must survive a crash, before anything else that this handler does can be seen. */
  save(state: unknown, snapshot: Uint8Array | null): void;
  apply(message: ApplyMessage): void;
}

/** An implementation in handlers. `State` is plain data that they change in place. */
export interface HandlerModule<State = unknown> {
  /** A server begins, with what it has saved: null for both the first time. */
  init(context: HandlerContext, saved: unknown, snapshot: Uint8Array | null): State;
  start(state: State, command: PlainData, context: HandlerContext): StartResult;
  getState(state: State): { readonly term: number; readonly isLeader: boolean };
  /** Server `from` calls; what is returned is the answer. */
  request(state: State, from: number, method: string, args: unknown, context: HandlerContext): unknown;
  /** What came of a call that this server made; `reply` is null if it got no answer. */
  reply(state: State, to: number, method: string, args: unknown, reply: unknown, context: HandlerContext): void;
  timer(state: State, name: string, context: HandlerContext): void;
  /** The service has its state up to `index` in `data`. A module without it cannot pass the part on snapshots. */
  snapshot?(state: State, index: number, data: Uint8Array, context: HandlerContext): void;
  /** As RaftServer.change. May be left out; then what needs it is not run, and says so. */
  change?(state: State, members: readonly number[], context: HandlerContext): boolean;
}

/** @throws TypeError that names the handler that is missing. */
export function fromHandlers<State>(module: HandlerModule<State>): Make {
  for (const name of ['init', 'start', 'getState', 'request', 'reply', 'timer'] as const) {
    if (typeof module[name] !== 'function') throw new TypeError(`handlers.${name} must be a function.`);
  }
  return (peers, me, persister, apply, environment) =>
    new HandlerServer(module, peers, me, persister, apply, environment);
}

interface Call {
  readonly from: number;
  readonly method: string;
  readonly args: unknown;
}

class HandlerServer<State> implements RaftServer {
  readonly isSynchronous: boolean;
  readonly change?: (members: readonly number[]) => boolean;
  readonly #module: HandlerModule<State>;
  readonly #context: HandlerContext;
  readonly #state: State;
  readonly #timers = new Map<string, () => void>();
  #isKilled = false;

  constructor(
    module: HandlerModule<State>,
    peers: readonly Peer[],
    me: number,
    persister: Persister,
    apply: (message: ApplyMessage) => void,
    environment: LabEnvironment,
  ) {
    this.isSynchronous = offerAsk(peers);
    this.#module = module;
    this.#context = {
      me,
      servers: peers.length,
      call: (to, method, args) => this.#call(peers, me, to, method, args),
      setTimer: (name, min, max) => this.#setTimer(environment, name, min, max),
      clearTimer: (name) => this.#clearTimer(name),
      save: (state, snapshot) => persister.save(state, snapshot),
      apply: (message) => {
        if (!this.#isKilled) apply(message);
      },
    };
    this.#state = module.init(this.#context, persister.readState(), persister.readSnapshot());
    if (module.change !== undefined) {
      this.change = (members) => !this.#isKilled && module.change?.(this.#state, members, this.#context) === true;
    }
  }

  start(command: PlainData): StartResult {
    if (this.#isKilled) return { index: 0, term: 0, isLeader: false };
    return this.#module.start(this.#state, command, this.#context);
  }

  getState(): { readonly term: number; readonly isLeader: boolean } {
    return this.#module.getState(this.#state);
  }

  snapshot(index: number, data: Uint8Array): void {
    if (!this.#isKilled) this.#module.snapshot?.(this.#state, index, data, this.#context);
  }

  kill(): void {
    this.#isKilled = true;
    for (const cancel of this.#timers.values()) cancel();
  }

  /** The one call that handlers make of each other. */
  handle({ from, method, args }: Call): unknown {
    return this.#module.request(this.#state, from, method, args, this.#context) ?? false;
  }

  #call(peers: readonly Peer[], me: number, to: number, method: string, args: unknown): void {
    const call: Call = { from: me, method, args };
    const peer = peers[to];
    if (peer === undefined) return;
    ask(peer, 'handle', call, (reply) => {
      if (!this.#isKilled) this.#module.reply(this.#state, to, method, args, reply, this.#context);
    });
  }

  #setTimer(environment: LabEnvironment, name: string, min: number, max: number): void {
    this.#clearTimer(name);
    const delay = min + environment.below(Math.max(1, Math.ceil(max - min)));
    const cancel = environment.after(
      delay,
      () => {
        this.#timers.delete(name);
        if (!this.#isKilled) this.#module.timer(this.#state, name, this.#context);
      },
      name,
    );
    this.#timers.set(name, cancel);
  }

  #clearTimer(name: string): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }
}
