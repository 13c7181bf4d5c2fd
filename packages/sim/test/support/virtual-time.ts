/** Virtual time driven by hand: what is due happens in order of time, and of request at one moment. */
import type { TimerHandle, Timers } from '@quorate/runtime';
import type { DiskScheduler } from '@quorate/sim';

interface Due {
  readonly at: number;
  run: (() => void) | null;
}

export class VirtualTime implements DiskScheduler {
  #now = 0;
  readonly #due: Due[] = [];
  readonly timers: Timers;

  constructor() {
    this.timers = {
      set: (delay, callback) => this.#add(delay, callback),
      clear: (handle: TimerHandle) => {
        (handle as Due).run = null;
      },
      afterPoll: (callback) => void this.#add(0, callback),
    };
  }

  now(): number {
    return this.#now;
  }

  after(delay: number, callback: () => void): void {
    this.#add(delay, callback);
  }

  /** Lets the next thing happen; false if nothing is due. */
  step(): boolean {
    for (;;) {
      const next = this.#due.shift();
      if (next === undefined) return false;
      this.#now = Math.max(this.#now, next.at);
      if (next.run === null) continue;
      next.run();
      return true;
    }
  }

  /** Lets everything happen that is due until then, or that ever is. */
  run(until = Number.POSITIVE_INFINITY): void {
    while ((this.#due[0]?.at ?? Number.POSITIVE_INFINITY) <= until && this.step());
    if (Number.isFinite(until)) this.#now = Math.max(this.#now, until);
  }

  /** Runs until an answer comes; fails if nothing is left that could bring it. */
  wait<Result>(begin: (done: (result: Result) => void) => void): Result {
    const answers: Result[] = [];
    begin((result) => answers.push(result));
    while (answers.length === 0 && this.step());
    if (answers.length !== 1) throw new Error(`There were ${answers.length} answers.`);
    return answers[0] as Result;
  }

  #add(delay: number, run: () => void): Due {
    const due: Due = { at: this.#now + delay, run };
    let place = this.#due.length;
    while (place > 0 && (this.#due[place - 1]?.at ?? 0) > due.at) place--;
    this.#due.splice(place, 0, due);
    return due;
  }
}
