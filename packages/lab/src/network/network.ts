/**
 * The network of the classic suite: calls with an answer, over one-way ends that a test switches on and off. A call always ends: with
 * the answer, or with null when the request or the answer was lost, or nobody is there. The delays and probabilities are the suite's.
 */
import type { RandomStream } from '@quorate/sim';
import type { PlainData } from '../interface.ts';
import { type Copied, handOn } from '../plain-data.ts';
import type { SharedValues } from '../race/shared-values.ts';
import type { Scheduler } from '../time/scheduler.ts';
import { CallCounts } from './call-counts.ts';

/** Runs a call in a server; `answer` may come later, or never. */
export type Dispatch = (method: string, args: PlainData, answer: (reply: unknown) => void) => void;

/** Milliseconds and permille. */
const UNRELIABLE_DELAY = 27;
const LOSS_PERMILLE = 100;
/** How often a caller looks whether the server it waits for is still there. */
const LIVENESS_CHECK = 100;
const REORDERED_OF_900 = 600;
const REORDER_MIN = 200;
const REORDER_MAX = 2000;
const DEAD_DELAY = 100;
const DEAD_LONG_DELAY = 7000;

/** Values that changed hands and are still compared: whoever handed them over may yet change them. */
const KEPT_SHARED = 50;

/** What one side of a call promises, so that less need be done about it. */
export interface Traits {
  /** It wakes nobody by what it does when it is told something: see Scheduler.quietly. */
  readonly isQuiet: boolean;
  /** What it hands over or is handed is not changed by it afterwards: between two such sides nothing is copied. */
  readonly isSharing: boolean;
}

/** Nothing is known of it. */
export const noTraits: Traits = { isQuiet: false, isSharing: false };

interface Server {
  readonly dispatch: Dispatch;
  readonly traits: Traits;
}

interface Call {
  /** What the observer calls it. */
  readonly id: number;
  readonly method: string;
  readonly args: PlainData;
  readonly isSharing: boolean;
}

/** A way to one server, bound to it for life. A new one is off. */
export interface End {
  readonly from: string;
  readonly server: string;
  isOn: boolean;
}

export interface NetworkOptions {
  /** Milliseconds that a message takes where nothing else delays it; more than none in virtual time, or whole tests would take none. */
  readonly hop: number;
  /** Told of whatever changes hands: looks for races. */
  readonly shared?: SharedValues | undefined;
  /** Told of every call; null: nobody is. */
  readonly observer?: NetworkObserver | null;
}

/** Sees calls on their way, each by the number that it gave it. */
export interface NetworkObserver {
  called(from: string, to: string, method: string, args: PlainData): number;
  arrived(call: number): void;
  answered(call: number, reply: PlainData): void;
  /** Null: the caller is told that there is no answer. */
  ended(call: number, reply: PlainData): void;
}

export class LabNetwork {
  isReliable = true;
  /** Calls to whom nobody answers take up to seven seconds to fail, instead of a tenth. */
  hasLongDelays = false;
  /** Two of three answers come up to two seconds late. */
  hasLongReordering = false;
  readonly counts = new CallCounts();
  readonly #scheduler: Scheduler;
  readonly #random: RandomStream;
  readonly #options: NetworkOptions;
  readonly #servers = new Map<string, Server>();
  /** The present ways of each caller, by whom they lead to. */
  readonly #ends = new Map<string, Map<string, End>>();
  /** Milliseconds more that whatever a server says or is told takes. */
  readonly #slowness = new Map<string, number>();

  /** Whether anybody reads what events are called: who looks for races does. */
  readonly #isNaming: boolean;

  constructor(scheduler: Scheduler, random: RandomStream, options: NetworkOptions) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#options = options;
    this.#isNaming = options.shared !== undefined;
  }

  /** Replaces whoever had the name: calls to that one fail from here on. */
  addServer(name: string, dispatch: Dispatch, traits = noTraits): void {
    this.#servers.set(name, { dispatch, traits });
    this.counts.forget(name);
  }

  deleteServer(name: string): void {
    this.#servers.delete(name);
  }

  /** A straggler: whatever it says or is told takes so many milliseconds more. 0: no more. */
  slow(name: string, milliseconds: number): void {
    this.#slowness.set(name, milliseconds);
  }

  makeEnd(from: string, server: string): End {
    const end = { from, server, isOn: false };
    const ends = this.#ends.get(from) ?? new Map<string, End>();
    this.#ends.set(from, ends.set(server, end));
    return end;
  }

  /** `done` is called once, and never from inside. `traits` are the caller's. */
  call(end: End, method: string, args: unknown, done: (reply: PlainData) => void, traits = noTraits): void {
    const server = this.#servers.get(end.server);
    const isSharing = traits.isSharing && server?.traits.isSharing === true;
    const request = handOn(args, isSharing);
    this.#options.shared?.handOver(args, `the arguments of ${method}`);
    const isCutOff = this.#isCutOff(end.from);
    this.counts.sent(method, request.bytes, this.#scheduler.now, isCutOff);
    const { observer } = this.#options;
    const id = observer?.called(end.from, end.server, method, request.value) ?? 0;
    const finish = (reply: PlainData): void => {
      observer?.ended(id, reply);
      this.counts.ended(this.#scheduler.now, isCutOff);
      if (reply === null) this.counts.unanswered += 1;
      this.#options.shared?.checkAndForget(KEPT_SHARED);
      if (!traits.isQuiet) this.#scheduler.wakes();
      done(reply);
    };
    if (!end.isOn || server === undefined) {
      const bound = this.hasLongDelays ? DEAD_LONG_DELAY : DEAD_DELAY;
      this.#scheduler.quietly(
        this.#random.below(bound),
        () => finish(null),
        this.#isNaming ? `nobody answers ${method}` : '',
      );
      return;
    }
    const delay = this.isReliable ? 0 : this.#random.below(UNRELIABLE_DELAY);
    this.#scheduler.quietly(
      delay + this.#hop(end),
      () => {
        if (!this.isReliable && this.#random.chance(LOSS_PERMILLE)) return finish(null);
        this.#deliver(end, server, { id, method, args: request.value, isSharing }, finish);
      },
      this.#isNaming ? `${method} reaches server ${end.server}` : '',
    );
  }

  /** From all others. */
  #isCutOff(from: string): boolean {
    for (const { server, isOn } of this.#ends.get(from)?.values() ?? []) if (isOn && server !== from) return false;
    return true;
  }

  #deliver(end: End, server: Server, { id, method, args, isSharing }: Call, finish: (reply: PlainData) => void): void {
    let isOver = false;
    const isGone = (): boolean => !end.isOn || this.#servers.get(end.server) !== server;
    const check = (): void => {
      if (isOver) return;
      if (!isGone()) {
        this.#scheduler.quietly(LIVENESS_CHECK, check);
        return;
      }
      isOver = true;
      finish(null);
    };
    this.counts.arrived(end.server);
    this.#options.observer?.arrived(id);
    if (!server.traits.isQuiet) this.#scheduler.wakes();
    server.dispatch(method, args, (reply) => {
      if (isOver) return;
      isOver = true;
      this.#options.shared?.handOver(reply, `the answer to ${method}`);
      const { value, bytes } = handOn(reply, isSharing);
      this.#options.observer?.answered(id, value);
      this.#answer(
        end,
        { value, bytes },
        isGone,
        finish,
        this.#isNaming ? `the answer of server ${end.server} to ${method} arrives` : '',
      );
    });
    if (!isOver) this.#scheduler.quietly(LIVENESS_CHECK, check);
  }

  /** A server that is gone by now gives no answer, even though its method ran: what it promised may not outlive it. */
  #answer(
    end: End,
    { value, bytes }: Copied,
    isGone: () => boolean,
    finish: (reply: PlainData) => void,
    label: string,
  ): void {
    if (isGone() || (!this.isReliable && this.#random.chance(LOSS_PERMILLE))) {
      this.#scheduler.quietly(0, () => finish(null));
      return;
    }
    this.#scheduler.quietly(
      this.#answerDelay() + this.#hop(end),
      () => {
        this.counts.answered(bytes, this.#scheduler.now);
        finish(value);
      },
      label,
    );
  }

  #hop({ from, server }: End): number {
    return this.#options.hop + (this.#slowness.get(from) ?? 0) + (this.#slowness.get(server) ?? 0);
  }

  #answerDelay(): number {
    if (!this.hasLongReordering || this.#random.below(900) >= REORDERED_OF_900) return 0;
    return REORDER_MIN + this.#random.below(1 + this.#random.below(REORDER_MAX));
  }
}
