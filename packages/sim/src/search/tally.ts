/** What is counted along the way of a search. */
import type { Broken } from '../core-world/surroundings.ts';
import type { Prune } from './predicates.ts';
import type { SearchWorld } from './search-world.ts';

export class Tally {
  readonly taken = new Map<string, number>();
  readonly pruned = new Map<string, number>();
  successors = 0;
  repeated = 0;
  readonly #repeatEvery: number;

  constructor(repeatEvery: number) {
    this.#repeatEvery = repeatEvery;
  }

  /** A step was tried. Makes some of each kind twice, the first among them; returns what is wrong with the core then, or null. */
  step<World, Action>(parent: SearchWorld<World, Action>, action: Action): Broken | null {
    this.successors += 1;
    const ofKind = count(this.taken, parent.kindOf(action));
    if (this.#repeatEvery === 0 || (ofKind - 1) % this.#repeatEvery !== 0) return null;
    this.repeated += 1;
    const difference = parent.repeat(action);
    if (difference === null) return null;
    return { invariant: 'M', first: 'a step is a function of the state and the input', second: difference };
  }

  /** Why this state is not gone on from, or null. */
  prune<World>(world: World, prunes: readonly Prune<World>[]): string | null {
    for (const { name, reason } of prunes) {
      const why = reason(world);
      if (why === null) continue;
      count(this.pruned, `${name}: ${why}`);
      return why;
    }
    return null;
  }
}

/** Returns how many there are now. */
function count(counts: Map<string, number>, name: string): number {
  const now = (counts.get(name) ?? 0) + 1;
  counts.set(name, now);
  return now;
}
