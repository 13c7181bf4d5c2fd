import type { Timers } from '@quorate/runtime';

interface Waiting {
  readonly due: number;
  readonly run: () => void;
}

/** Runs what it is given after a delay that may change, always in the order given. Without a delay it is no detour. */
export class DelayLine {
  readonly #timers: Timers;
  readonly #now: () => number;
  #delay = 0;
  #waiting: Waiting[] = [];
  #armed = false;

  /** `now`: monotonic microseconds. */
  constructor(timers: Timers, now: () => number) {
    this.#timers = timers;
    this.#now = now;
  }

  /** Microseconds, for what comes from now on. */
  set delay(delay: number) {
    this.#delay = delay;
  }

  run(action: () => void): void {
    if (this.#delay === 0 && this.#waiting.length === 0) {
      action();
      return;
    }
    const last = this.#waiting.at(-1)?.due ?? 0;
    this.#waiting.push({ due: Math.max(last, this.#now() + this.#delay), run: action });
    this.#arm();
  }

  #arm(): void {
    const first = this.#waiting[0];
    if (this.#armed || first === undefined) return;
    this.#armed = true;
    this.#timers.set(Math.max(0, first.due - this.#now()), () => this.#runDue());
  }

  #runDue(): void {
    this.#armed = false;
    const now = this.#now();
    const due = this.#waiting.filter((each) => each.due <= now);
    this.#waiting = this.#waiting.slice(due.length);
    for (const { run } of due) run();
    this.#arm();
  }
}
