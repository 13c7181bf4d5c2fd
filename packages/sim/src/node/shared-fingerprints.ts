/**
 * Fingerprints of the states that any thread of a search has met, in memory that all of them share. Beside each stands who took it up: of
 * those that met it at the same depth, the thread with the lowest number. So what each keeps does not depend on who was faster.
 */
import type { Lanes } from '../core-world/lanes.ts';

const stride = 3;
const bytesPerNumber = 4;
/** Above this share of its places the table is full: a free place would be far. */
const fullAt = 0.7;
/** A level is visited whole, so a search may go a little beyond; but never as far as to fill every place. */
const brimmingAt = 0.9;
/** Threads are numbered below this. */
export const maxThreads = 64;

export class SharedFingerprints {
  readonly #places: Int32Array;
  readonly #mask: number;
  readonly #size: number;

  constructor(memory: SharedArrayBuffer) {
    this.#places = new Int32Array(memory);
    // Behind the places stands how many are taken.
    this.#size = this.#places.length - 1;
    this.#mask = this.#size / stride - 1;
  }

  /** Nothing more can be claimed. */
  get isFull(): boolean {
    return Atomics.load(this.#places, this.#size) >= (this.#mask + 1) * brimmingAt;
  }

  /** Memory for so many states. */
  static memoryFor(states: number): SharedArrayBuffer {
    let capacity = 1 << 16;
    while (capacity * fullAt < states) capacity *= 2;
    return new SharedArrayBuffer((capacity * stride + 1) * bytesPerNumber);
  }

  /**
   * Claims a state for `thread`, if nobody met it at a lesser depth, nor a thread of a lower number at this one. Returns its place, or -1
   * where it is known, and wherever the table is full.
   */
  claim({ a, b }: Lanes, depth: number, thread: number): number {
    if (this.isFull) return -1;
    const claim = (depth + 1) * maxThreads + thread;
    const first = a === 0 ? 1 : a;
    for (let at = first & this.#mask; ; at = (at + 1) & this.#mask) {
      const place = at * stride;
      const found = Atomics.compareExchange(this.#places, place, 0, first);
      if (found === 0) {
        Atomics.store(this.#places, place + 1, b);
        // Last: whoever sees the claim may read the second lane.
        Atomics.store(this.#places, place + 2, claim);
        Atomics.add(this.#places, this.#size, 1);
        return place;
      }
      if (found !== first) continue;
      const held = this.#claimAt(place);
      if (Atomics.load(this.#places, place + 1) === b) return this.#lower(place, held, claim) ? place : -1;
    }
  }

  /** Whether the state there is still this thread's to keep. */
  isHeld(place: number, thread: number): boolean {
    return this.#claimAt(place) % maxThreads === thread;
  }

  #claimAt(place: number): number {
    let claim = Atomics.load(this.#places, place + 2);
    // Another thread is between its first store and its last.
    while (claim === 0) claim = Atomics.load(this.#places, place + 2);
    return claim;
  }

  #lower(place: number, held: number, claim: number): boolean {
    let now = held;
    while (claim < now) {
      const found = Atomics.compareExchange(this.#places, place + 2, now, claim);
      if (found === now) return true;
      now = found;
    }
    return false;
  }
}
