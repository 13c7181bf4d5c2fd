/** What every engine keeps of its search: where it began, which states it has met, and what it has counted and judged. */
import type { Lanes } from '../core-world/lanes.ts';
import type { Broken } from '../core-world/surroundings.ts';
import { FingerprintSet } from './fingerprint-set.ts';
import { Nearest } from './nearest.ts';
import type { Invariant } from './predicates.ts';
import { type Limits, limitsOf, type Progress, type SearchOptions, type SearchResult } from './search.ts';
import type { SearchWorld } from './search-world.ts';
import { Tally } from './tally.ts';

/** A state that ends a search, or bounds it from here on. */
export type Verdict =
  | { readonly end: 'violation'; readonly broken: Broken }
  | { readonly end: 'goal'; readonly broken: null };

export class Survey<World extends SearchWorld<World, Action>, Action> {
  readonly start: World;
  readonly limits: Limits<World>;
  readonly met: FingerprintSet;
  readonly tally: Tally;
  /** States first met at each depth, from 0. */
  readonly levels: number[] = [];
  readonly #nearest: Nearest<World, Action>;
  readonly #lanes: Lanes = { a: 0, b: 0 };

  /** Throws RangeError for options that cannot be. */
  constructor(start: World, options: SearchOptions<World>, maxDepth: number | null) {
    this.start = start.clone();
    this.limits = limitsOf(options, maxDepth);
    this.met = new FingerprintSet(this.limits.maxStates);
    this.tally = new Tally(this.limits.repeatEvery);
    this.#nearest = new Nearest<World, Action>(this.limits.goal);
  }

  /** Whether the state was not met before, or only by ways longer than `depth`; then it counts, on the level `level`. */
  isNews(world: World, depth: number, level = depth): boolean {
    world.fingerprintInto(this.#lanes);
    if (!this.met.add(this.#lanes, depth)) return false;
    this.levels[level] = (this.levels[level] ?? 0) + 1;
    return true;
  }

  /** Null for a state to go on from. `way` is asked for where it may be told of. */
  judge(world: World, depth: number, way: () => readonly number[]): Verdict | null {
    const broken = brokenIn(world, this.limits.invariants);
    if (broken !== null) return { end: 'violation', broken };
    return this.#nearest.look(world, depth, way) ? { end: 'goal', broken: null } : null;
  }

  /** What is told at the end, whatever the engine. */
  report(progress: Progress): Omit<SearchResult<Action>, 'end' | 'actions' | 'broken' | 'cut'> {
    return {
      ...progress,
      levels: [...this.levels],
      taken: this.tally.taken,
      pruned: this.tally.pruned,
      nearest: this.#nearest.found(this.start),
      repeated: this.tally.repeated,
    };
  }

  /** A sentence for each reason to turn back. */
  prunedSentences(): string[] {
    return [...this.tally.pruned].map(([reason, times]) => `${times} states were not gone on from, ${reason}`);
  }
}

/** What breaks in a state: what the judges saw, or one of the search's own invariants. */
export function brokenIn<World extends { readonly broken: Broken | null }>(
  world: World,
  invariants: readonly Invariant<World>[],
): Broken | null {
  if (world.broken !== null) return world.broken;
  for (const { name, broken } of invariants) {
    const how = broken(world);
    if (how !== null) return { invariant: name, first: how, second: '' };
  }
  return null;
}
