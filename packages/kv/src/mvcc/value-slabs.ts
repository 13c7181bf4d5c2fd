/**
 * Values are copied out of the commands that brought them and packed into large byte arrays: a typed array of its own for
 * every value would cost more than a typical value holds, and a view into a network buffer would keep the whole buffer.
 */

/** Bytes in a shared slab. Sixteen of the largest values that it takes fit into one. */
const slabBytes = 256 * 1024;
/** Longer values get an array of exactly their length. */
const largestShared = slabBytes / 16;

export interface Slab {
  readonly bytes: Uint8Array;
  /** Bytes of it that some version still needs. */
  live: number;
}

/** Where a value lies. Versions carry one; the slabs write it. */
export interface ValuePlace {
  slab: Slab;
  offset: number;
  length: number;
}

export const emptySlab: Slab = { bytes: new Uint8Array(0), live: 0 };

export class ValueSlabs {
  #open: Slab = emptySlab;
  #used = 0;
  #live = 0;
  #allocated = 0;

  /** Bytes of values that some version needs. */
  get liveBytes(): number {
    return this.#live;
  }

  /** Bytes of memory that hold them. */
  get allocatedBytes(): number {
    return this.#allocated;
  }

  /** Copies `source[from, from + length)` and notes in `place` where it went. */
  store(source: Uint8Array, from: number, length: number, place: ValuePlace): void {
    if (length === 0) return;
    const slab = length > largestShared ? this.#slabFor(length) : this.#openSlab(length);
    const offset = slab === this.#open ? this.#used : 0;
    copyBytes(source, from, length, slab.bytes, offset);
    if (slab === this.#open) this.#used += length;
    slab.live += length;
    this.#live += length;
    place.slab = slab;
    place.offset = offset;
    place.length = length;
  }

  /** The version at `place` is gone. */
  release(place: ValuePlace): void {
    const { slab, length } = place;
    if (length === 0) return;
    slab.live -= length;
    this.#live -= length;
    if (slab.live === 0 && slab !== this.#open) this.#allocated -= slab.bytes.length;
  }

  /** Moves a value out of a slab that is mostly dead, so that the slab can go. */
  repack(place: ValuePlace): void {
    const { slab, offset, length } = place;
    if (length === 0 || slab === this.#open || slab.live * 2 >= slab.bytes.length) return;
    this.release(place);
    this.store(slab.bytes, offset, length, place);
  }

  #openSlab(length: number): Slab {
    if (this.#used + length > this.#open.bytes.length) {
      const full = this.#open;
      if (full.live === 0) this.#allocated -= full.bytes.length;
      this.#open = this.#slabFor(slabBytes);
      this.#used = 0;
    }
    return this.#open;
  }

  #slabFor(length: number): Slab {
    this.#allocated += length;
    return { bytes: new Uint8Array(length), live: 0 };
  }
}

/** `set` on a subarray makes two objects; short values are copied faster byte by byte. */
export function copyBytes(source: Uint8Array, from: number, length: number, target: Uint8Array, at: number): void {
  if (length <= 64) {
    for (let i = 0; i < length; i++) target[at + i] = source[from + i] as number;
  } else {
    target.set(from === 0 && length === source.length ? source : source.subarray(from, from + length), at);
  }
}
