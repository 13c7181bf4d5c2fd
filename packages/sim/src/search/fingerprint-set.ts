/** The states that a search has met, as 64-bit fingerprints in one typed array: open addressing, no object a state. */
import type { Lanes } from '../core-world/lanes.ts';

const firstCapacity = 1 << 16;
/** Above this share the next place is no longer near. */
const fullAt = 0.6;
const bytesPerPlace = 8;

export class FingerprintSet {
  readonly #limit: number;
  #places: Int32Array;
  #mask: number;
  #size = 0;

  /** `limit`: the most fingerprints that it takes. */
  constructor(limit: number) {
    this.#limit = limit;
    this.#places = new Int32Array(2 * firstCapacity);
    this.#mask = firstCapacity - 1;
  }

  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size >= this.#limit;
  }

  get bytes(): number {
    return (this.#mask + 1) * bytesPerPlace;
  }

  /** Returns whether it was not there before. Two states out of n are taken for one with a probability of about n² / 2^65. */
  add({ a, b }: Lanes): boolean {
    if (this.#size >= (this.#mask + 1) * fullAt) this.#grow();
    if (!this.#put(this.#places, this.#mask, a, b)) return false;
    this.#size += 1;
    return true;
  }

  has({ a, b }: Lanes): boolean {
    const places = this.#places;
    const low = (a | b) === 0 ? 1 : a;
    for (let at = low & this.#mask; ; at = (at + 1) & this.#mask) {
      const first = places[2 * at] as number;
      const second = places[2 * at + 1] as number;
      if ((first | second) === 0) return false;
      if (first === low && second === b) return true;
    }
  }

  /** An empty place holds two zeros, so a fingerprint of two zeros is given another value. */
  #put(places: Int32Array, mask: number, a: number, b: number): boolean {
    const low = (a | b) === 0 ? 1 : a;
    for (let at = low & mask; ; at = (at + 1) & mask) {
      const first = places[2 * at] as number;
      const second = places[2 * at + 1] as number;
      if ((first | second) === 0) {
        places[2 * at] = low;
        places[2 * at + 1] = b;
        return true;
      }
      if (first === low && second === b) return false;
    }
  }

  #grow(): void {
    const before = this.#places;
    const mask = 2 * (this.#mask + 1) - 1;
    const places = new Int32Array(2 * (mask + 1));
    for (let at = 0; at < before.length; at += 2) {
      const [a, b] = [before[at] as number, before[at + 1] as number];
      if ((a | b) !== 0) this.#put(places, mask, a, b);
    }
    this.#places = places;
    this.#mask = mask;
  }
}
