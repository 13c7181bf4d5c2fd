/**
 * Chance from one number. A seed is split into named streams, so that a kind of fault added to one of them does not shift what the
 * others draw. Integer arithmetic only: every engine draws the same.
 */

/** The streams of a world. */
export const streamNames = ['schedule', 'network', 'disk', 'clock', 'process', 'workload', 'swarm'] as const;
export type StreamName = (typeof streamNames)[number];

export type RandomStreams = Readonly<Record<StreamName, RandomStream>>;

/** `seed` is a safe integer from 0 on. */
export function randomStreams(seed: number): RandomStreams {
  const of = (name: StreamName): RandomStream => randomStream(seed, name);
  return {
    schedule: of('schedule'),
    network: of('network'),
    disk: of('disk'),
    clock: of('clock'),
    process: of('process'),
    workload: of('workload'),
    swarm: of('swarm'),
  };
}

/** A stream of its own for (seed, name): e.g. one server's. */
export function randomStream(seed: number, name: string): RandomStream {
  // FNV-1a; the constructor spreads it over the whole state.
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(`${name}/${seed}`)) hash = Math.imul(hash ^ byte, 0x01000193);
  return new RandomStream(hash >>> 0);
}

/** xoshiro128**. */
export class RandomStream {
  #a: number;
  #b: number;
  #c: number;
  #d: number;
  /** Numbers drawn so far: two runs that part show it here first. */
  draws = 0;

  constructor(seed: number) {
    let state = seed >>> 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return (mixed ^ (mixed >>> 15)) >>> 0;
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next() | 1;
  }

  /** A uniform unsigned 32-bit integer. */
  uint32(): number {
    this.draws++;
    const scrambled = Math.imul(this.#b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** An integer from [0, bound), `bound` from 1 to 2^32. The bias of the remainder is below 2^-12 for bounds up to 2^20. */
  below(bound: number): number {
    return this.uint32() % bound;
  }

  /** An integer from [min, max], both included. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  /** True in `permille` of a thousand cases; draws nothing at 0. */
  chance(permille: number): boolean {
    return permille > 0 && this.below(1000) < permille;
  }

  /** One of them; the list must not be empty. */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('There is nothing to pick from.');
    return item;
  }

  /** Another stream, seeded from this one. */
  fork(): RandomStream {
    return new RandomStream(this.uint32());
  }
}
