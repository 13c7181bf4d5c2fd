/**
 * The time of one server that is searched: it passes when the search says so, and for every server by itself, as clocks that differ do.
 */

/** Taken before the globals are replaced. Whatever was resolved has gone on by then. */
const { setImmediate: afterMicrotasks } = globalThis;

/** The names under which time passes: with the timers running out, or being late. */
export const clockNames = ['clock', 'idle'] as const;

/** Milliseconds that pass at most before something is to come of it. */
const LONGEST = 10_000;
/** Timers that run out at most meanwhile. */
const MOST_TIMERS = 5_000;
/** Milliseconds in which nothing runs: longer than anybody waits for a leader. */
const IDLE = 2_000;

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly run: () => void;
}

export class LocalClock {
  now = 0;
  #timers: Timer[] = [];
  #order = 0;

  get isRunning(): boolean {
    return this.#timers.length > 0;
  }

  after(milliseconds: number, run: () => void): () => void {
    const timer = { due: this.now + Math.max(0, milliseconds), order: this.#order++, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /**
   * Runs timers, one after the other, until `isEnough` and there is no more at that moment; `settle` lets what they have resolved go on.
   */
  async pass(isEnough: () => boolean, settle: () => Promise<void>): Promise<void> {
    const until = this.now + LONGEST;
    for (let run = 0; run < MOST_TIMERS; run++) {
      const next = this.#next();
      if (next === null || next.due > until || (next.due > this.now && isEnough())) return;
      this.#timers = this.#timers.filter((each) => each !== next);
      // A timer that is late runs at once.
      this.now = Math.max(this.now, next.due);
      next.run();
      await settle();
    }
  }

  /** Time passes, and timers are late: the process had something else to do. */
  idle(): void {
    this.now += IDLE;
  }

  stop(): void {
    this.#timers = [];
  }

  /** How long each timer has to run, in order: equal for clocks that differ in nothing else. */
  get left(): readonly number[] {
    return this.#timers
      .toSorted((a, b) => a.due - b.due || a.order - b.order)
      .map(({ due }) => Math.max(0, due - this.now));
  }

  #next(): Timer | null {
    let next: Timer | null = null;
    for (const timer of this.#timers) {
      if (next === null || timer.due < next.due || (timer.due === next.due && timer.order < next.order)) next = timer;
    }
    return next;
  }
}

/** Numbers that are spread over all there are, the same in every run. */
export class Chance {
  draws = 0;

  uint32(): number {
    this.draws += 1;
    return Math.imul(this.draws, 0x9e3779b1) >>> 0;
  }
}

/** Whatever was resolved has gone on behind it. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    afterMicrotasks(resolve);
  });
}
