import { EventQueue, QueuedEvent, type RandomStream } from '@quorate/sim';
import { BusyLoopError, OverdueError, type Scheduler, StuckError } from './scheduler.ts';

/** Events within one millisecond of virtual time, before that counts as a loop without end. */
const MAX_EVENTS_AT_ONCE = 1_000_000;
/** Labels that are kept of what has happened: where two runs part stands at the beginning, or far enough from it. */
const KEPT_ORDER = 200_000;

/** Taken before anything of a test runs: the globals may be replaced by then (sandbox). */
const { setImmediate: afterMicrotasks } = globalThis;

class Call extends QueuedEvent {
  readonly #run: () => void;

  constructor(run: () => void) {
    super();
    this.#run = run;
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
  readonly #queue = new EventQueue();
  /** Of events that are due at one moment, any may come first: null takes them as they were added. */
  readonly #shuffle: RandomStream | null;
  readonly #onBeat: (() => void) | undefined;
  #now = 0;
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

  after(milliseconds: number, run: () => void, label = 'a timer'): () => void {
    const shuffle = this.#shuffle;
    const jitter = shuffle === null ? 0 : shuffle.below(1000) / 1e7;
    const noted = (): void => {
      if (this.order.length < KEPT_ORDER) this.order.push(`${this.#now.toFixed(1)} ms ${label}`);
      run();
    };
    const event = new Call(shuffle === null ? run : noted);
    this.#queue.add(this.#now + Math.max(0, milliseconds) + jitter, event);
    return () => {
      event.isOver = true;
    };
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
      if (this.#failure !== null) throw this.#failure.error;
      if (isOver) return result;
      this.#step();
      if (this.#now > limit) throw new OverdueError(limit);
    }
  }

  #step(): void {
    const event = this.#queue.take();
    if (event === null) {
      throw new StuckError('The test waits, and nothing is left to happen: something is awaited that never comes.');
    }
    if (event.isOver) return;
    this.#now = event.at;
    this.#onBeat?.();
    this.#countAt(Math.floor(event.at));
    event.isOver = true;
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
