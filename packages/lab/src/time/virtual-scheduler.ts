import { EventQueue, QueuedEvent, type RandomStream } from '@quorate/sim';
import { BusyLoopError, OverdueError, type Scheduler, StuckError } from './scheduler.ts';

/** Events within one millisecond of virtual time, before that counts as a loop without end. */
const MAX_EVENTS_AT_ONCE = 1_000_000;
/** Labels that are kept of what has happened: where two runs part stands at the beginning, or far enough from it. */
const KEPT_ORDER = 200_000;

/** Taken before anything of a test runs: the globals may be replaced by then (sandbox). */
const { setImmediate: afterMicrotasks } = globalThis;

/** Cancelled events that wait in the queue until they are taken out, where they are more than those that will happen. */
const MAX_CANCELLED = 200;

class Call extends QueuedEvent {
  readonly isQuiet: boolean;
  readonly #run: () => void;

  constructor(run: () => void, isQuiet: boolean) {
    super();
    this.#run = run;
    this.isQuiet = isQuiet;
  }

  override happen(): void {
    this.#run();
  }
}

/**
 * Virtual time: a clock that jumps to whatever is next. Between two events all that was resolved runs until it waits again, so a test
 * is a function of its seed, whatever it awaits.
 */
export class VirtualScheduler implements Scheduler {
  readonly order: string[] = [];
  readonly #queue = new EventQueue<Call>();
  /** Of events that are due at one moment, any may come first: null takes them as they were added. */
  readonly #shuffle: RandomStream | null;
  readonly #onBeat: (() => void) | undefined;
  #now = 0;
  /** Somebody may be ready to go on, who waited for a promise. */
  #isWaking = false;
  /** In the queue. */
  #cancelled = 0;
  #failure: { readonly error: unknown } | null = null;
  #millisecond = 0;
  #eventsInIt = 0;

  constructor(shuffle: RandomStream | null = null, onBeat?: () => void) {
    this.#shuffle = shuffle;
    this.#onBeat = onBeat;
  }

  get now(): number {
    return this.#now;
  }

  after(milliseconds: number, run: () => void, label?: string): () => void {
    return this.#cancelling(this.#add(milliseconds, run, false, label));
  }

  afterQuietly(milliseconds: number, run: () => void): () => void {
    return this.#cancelling(this.#add(milliseconds, run, true));
  }

  quietly(milliseconds: number, run: () => void, label?: string): void {
    this.#add(milliseconds, run, true, label);
  }

  wakes(): void {
    this.#isWaking = true;
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(milliseconds, resolve);
    });
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  async run<Result>(main: () => Promise<Result>, limit = Number.POSITIVE_INFINITY): Promise<Result> {
    let isOver = false;
    const result = main().finally(() => {
      isOver = true;
    });
    // Looked at below; until then nobody handles it.
    result.catch(() => undefined);
    for (;;) {
      await new Promise<void>((resolve) => {
        afterMicrotasks(resolve);
      });
      this.#isWaking = false;
      if (this.#failure !== null) throw this.#failure.error;
      if (isOver) return result;
      while (!this.#isWaking && this.#failure === null) {
        this.#step();
        if (this.#now > limit) throw new OverdueError(limit);
      }
    }
  }

  #add(milliseconds: number, run: () => void, isQuiet: boolean, label = 'a timer'): Call {
    const shuffle = this.#shuffle;
    const event = new Call(shuffle === null ? run : this.#noted(run, label), isQuiet);
    const jitter = shuffle === null ? 0 : shuffle.below(1000) / 1e7;
    this.#queue.add(this.#now + Math.max(0, milliseconds) + jitter, event);
    return event;
  }

  #cancelling(event: Call): () => void {
    return () => this.#cancel(event);
  }

  #noted(run: () => void, label: string): () => void {
    return () => {
      if (this.order.length < KEPT_ORDER) this.order.push(`${this.#now.toFixed(1)} ms ${label}`);
      run();
    };
  }

  /** Timers that are set anew over and over would fill the queue. */
  #cancel(event: Call): void {
    if (event.isOver) return;
    event.isOver = true;
    this.#cancelled += 1;
    if (this.#cancelled <= MAX_CANCELLED || this.#cancelled <= this.#queue.size / 2) return;
    this.#cancelled -= this.#queue.sweep();
  }

  #step(): void {
    const event = this.#queue.take();
    if (event === null) {
      throw new StuckError('The test waits, and nothing is left to happen: something is awaited that never comes.');
    }
    if (event.isOver) {
      this.#cancelled -= 1;
      return;
    }
    this.#now = event.at;
    this.#onBeat?.();
    this.#countAt(Math.floor(event.at));
    event.isOver = true;
    if (!event.isQuiet) this.#isWaking = true;
    try {
      event.happen();
    } catch (error) {
      this.fail(error);
    }
  }

  #countAt(millisecond: number): void {
    if (millisecond !== this.#millisecond) this.#eventsInIt = 0;
    this.#millisecond = millisecond;
    this.#eventsInIt += 1;
    if (this.#eventsInIt <= MAX_EVENTS_AT_ONCE) return;
    throw new BusyLoopError(
      `${MAX_EVENTS_AT_ONCE} things happened within one millisecond: somebody repeats at once what should wait a while.`,
    );
  }
}
