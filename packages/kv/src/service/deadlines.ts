import { Bag, type Bagged } from '../bag.ts';
import type { KvEnvironment } from '../consensus.ts';

/** Something that has to end by a certain time. */
export interface Expiring extends Bagged {
  /** Monotonic time in microseconds. */
  readonly deadline: number;
  expire(): void;
}

/** Timers are not set closer together than this. Microseconds. */
const granularity = 5_000;

/**
 * What waits, each with a deadline at which it is ended, and one timer for all. Nearly everything ends long before, so a newcomer costs a
 * place in a bag and, unless it is due earlier than all others, no timer; when the timer runs out the rest is looked through.
 */
export class Deadlines<Item extends Expiring> {
  readonly #environment: KvEnvironment;
  readonly #waiting = new Bag<Item>();
  #due = Number.POSITIVE_INFINITY;
  #cancelTimer: (() => void) | null = null;

  constructor(environment: KvEnvironment) {
    this.#environment = environment;
  }

  add(item: Item): void {
    this.#waiting.add(item);
    if (item.deadline < this.#due) this.#arm(item.deadline);
  }

  /** False if it has ended already. */
  remove(item: Item): boolean {
    return this.#waiting.delete(item);
  }

  has(item: Item): boolean {
    return this.#waiting.has(item);
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Forgets everything without ending it, and returns it. */
  close(): readonly Item[] {
    const rest = this.#waiting.values();
    this.#waiting.clear();
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    return rest;
  }

  #arm(due: number): void {
    this.#cancelTimer?.();
    this.#due = due;
    const delay = Math.max(granularity, due - this.#environment.now());
    this.#cancelTimer = this.#environment.setTimer(delay, () => this.#sweep());
  }

  #sweep(): void {
    this.#cancelTimer = null;
    this.#due = Number.POSITIVE_INFINITY;
    const now = this.#environment.now();
    let next = Number.POSITIVE_INFINITY;
    for (const item of this.#waiting.values()) {
      if (item.deadline > now) next = Math.min(next, item.deadline);
      // Ending one may have ended others.
      else if (this.#waiting.delete(item)) item.expire();
    }
    if (next < this.#due) this.#arm(next);
  }
}
