import type { KvEnvironment } from '../consensus.ts';

/** Something that has to end by a certain time. */
export interface Expiring {
  /** Monotonic time in microseconds. */
  readonly deadline: number;
  expire(): void;
}

/** Timers are not set closer together than this. Microseconds. */
const granularity = 5_000;

/**
 * Ends what has not ended by its deadline, with one timer for all. Nearly everything ends long before, so a newcomer costs an
 * entry in a set and, unless it is due earlier than all others, no timer; when the timer runs out the rest is looked through.
 */
export class Deadlines {
  readonly #environment: KvEnvironment;
  readonly #waiting = new Set<Expiring>();
  #due = Number.POSITIVE_INFINITY;
  #cancelTimer: (() => void) | null = null;

  constructor(environment: KvEnvironment) {
    this.#environment = environment;
  }

  add(item: Expiring): void {
    this.#waiting.add(item);
    if (item.deadline < this.#due) this.#arm(item.deadline);
  }

  remove(item: Expiring): void {
    this.#waiting.delete(item);
  }

  /** Forgets everything without ending it. */
  close(): void {
    this.#waiting.clear();
    this.#cancelTimer?.();
    this.#cancelTimer = null;
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
    const expired: Expiring[] = [];
    for (const item of this.#waiting) {
      if (item.deadline <= now) expired.push(item);
      else next = Math.min(next, item.deadline);
    }
    for (const item of expired) {
      this.#waiting.delete(item);
      item.expire();
    }
    if (next < this.#due) this.#arm(next);
  }
}
