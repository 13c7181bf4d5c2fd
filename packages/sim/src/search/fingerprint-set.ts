/**
 * The states that a search has met, as 64-bit fingerprints in one typed array: open addressing, no object a state. Beside each stands
 * the least depth at which it was met.
 */
import type { Lanes } from '../core-world/lanes.ts';

const firstCapacity = 1 << 16;
/** Above this share the next place is no longer near. */
const fullAt = 0.6;
const stride = 3;
const bytesPerNumber = 4;

export class FingerprintSet {
  readonly #limit: number;
  #places = new Int32Array(stride * firstCapacity);
  #mask = firstCapacity - 1;
  #size = 0;

  /** `limit`: the most fingerprints that it takes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size >= this.#limit;
  }

  get bytes(): number {
    return this.#places.length * bytesPerNumber;
  }

  /**
   * Returns whether the state is news: not met before, or only by longer ways. Two states out of n are taken for one with a probability
   * of about n² / 2^65.
   */
  add({ a, b }: Lanes, depth: number): boolean {
    if (this.#size >= (this.#mask + 1) * fullAt) this.#grow();
    const at = this.#find(a, b);
    const places = this.#places;
    if (isEmpty(places, at)) {
      this.#write(at, a, b, depth);
      this.#size += 1;
      return true;
    }
    if ((places[at + 2] as number) <= depth) return false;
    places[at + 2] = depth;
    return true;
  }

  /** Where it stands, or the empty place where it would. */
  #find(a: number, b: number): number {
    const places = this.#places;
    const first = named(a, b);
    for (let at = first & this.#mask; ; at = (at + 1) & this.#mask) {
      const place = at * stride;
      if (isEmpty(places, place) || (places[place] === first && places[place + 1] === b)) return place;
    }
  }

  #write(at: number, a: number, b: number, depth: number): void {
    this.#places[at] = named(a, b);
    this.#places[at + 1] = b;
    this.#places[at + 2] = depth;
  }

  #grow(): void {
    const before = this.#places;
    const capacity = 2 * (this.#mask + 1);
    this.#places = new Int32Array(stride * capacity);
    this.#mask = capacity - 1;
    for (let at = 0; at < before.length; at += stride) {
      if (isEmpty(before, at)) continue;
      const [a, b, depth] = [before[at] as number, before[at + 1] as number, before[at + 2] as number];
      this.#write(this.#find(a, b), a, b, depth);
    }
  }
}

/** An empty place holds two zeros, so a fingerprint of two zeros is given another name. */
function named(a: number, b: number): number {
  return (a | b) === 0 ? 1 : a;
}

function isEmpty(places: Int32Array, at: number): boolean {
  return ((places[at] as number) | (places[at + 1] as number)) === 0;
}
