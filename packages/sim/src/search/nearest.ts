/** The states that came nearest to a goal. */
import { type Goal, type Miss, missesOf } from './predicates.ts';
import type { NearMiss } from './search.ts';
import { follow, type SearchWorld } from './search-world.ts';

interface Near {
  readonly depth: number;
  readonly total: number;
  readonly misses: readonly Miss[];
  readonly way: readonly number[];
}

const mostNear = 3;

export class Nearest<World extends SearchWorld<World, Action>, Action> {
  readonly #goal: Goal<World> | null;
  readonly #found: Near[] = [];

  constructor(goal: Goal<World> | null) {
    this.#goal = goal;
  }

  /** Returns whether the goal is reached. `way` is asked for where a state is kept. */
  look(world: World, depth: number, way: () => readonly number[]): boolean {
    if (this.#goal === null) return false;
    const misses = missesOf(this.#goal, world);
    if (misses.length === 0) return true;
    const total = misses.reduce((sum, { distance }) => sum + distance, 0);
    const worst = this.#found[mostNear - 1]?.total ?? Number.POSITIVE_INFINITY;
    if (total < worst) {
      this.#found.push({ depth, total, misses, way: way() });
      this.#found.sort((a, b) => a.total - b.total || a.depth - b.depth);
      this.#found.length = Math.min(this.#found.length, mostNear);
    }
    return false;
  }

  found(start: World): NearMiss<Action>[] {
    return this.#found.map(({ depth, misses, way }) => ({
      depth,
      misses,
      actions: follow<World, Action>(start, way).actions,
    }));
  }
}
