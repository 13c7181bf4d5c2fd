/**
 * Walks from the beginning, each step drawn from one seed. They remember nothing but which states there were, reach depths that no other
 * engine does, and prove nothing. Each finding lowers the bound, so that what is found at last is short.
 */
import type { Broken } from '../core-world/surroundings.ts';
import { RandomStream } from '../random.ts';
import type { Progress, Searching, SearchOptions, SearchResult } from './search.ts';
import type { SearchWorld } from './search-world.ts';
import { Survey } from './survey.ts';

const defaultDepth = 60;

interface Finding<Action> {
  readonly end: 'violation' | 'goal';
  readonly actions: readonly Action[];
  readonly broken: Broken | null;
}

export class RandomWalk<World extends SearchWorld<World, Action>, Action> implements Searching<Action> {
  readonly #survey: Survey<World, Action>;
  readonly #random: RandomStream;
  #bound: number;
  #walks = 0;
  #finding: Finding<Action> | null = null;

  /** Throws RangeError for options that cannot be. */
  constructor(start: World & SearchWorld<World, Action>, options: SearchOptions<World> = {}) {
    this.#survey = new Survey<World, Action>(start, options, defaultDepth);
    const { seed, maxDepth } = this.#survey.limits;
    this.#random = new RandomStream(seed ?? 0);
    this.#bound = maxDepth ?? defaultDepth;
  }

  get progress(): Progress {
    return {
      states: this.#survey.met.size,
      successors: this.#survey.tally.successors,
      depth: Math.max(0, this.#survey.levels.length - 1),
      frontier: 0,
    };
  }

  get #isOver(): boolean {
    return this.#walks >= this.#survey.limits.walks || this.#bound < 0;
  }

  advance(steps: number): boolean {
    const { tally } = this.#survey;
    const enough = tally.successors + steps;
    while (!this.#isOver && tally.successors < enough) this.#walk();
    return this.#isOver;
  }

  #walk(): void {
    this.#walks += 1;
    const { start, tally, limits } = this.#survey;
    const world = start.clone();
    const way: number[] = [];
    const actions: Action[] = [];
    while (!this.#look(world, way, actions) && way.length < this.#bound) {
      const enabled = world.enabled();
      if (enabled.length === 0 || tally.prune(world, limits.prunes) !== null) return;
      const at = this.#random.below(enabled.length);
      const action = enabled[at] as Action;
      const wrong = tally.step<World, Action>(world, action);
      way.push(at);
      actions.push(action);
      if (wrong !== null) {
        this.#find({ end: 'violation', actions, broken: wrong });
        return;
      }
      world.perform(action);
    }
  }

  /** Returns whether the walk is over. */
  #look(world: World, way: readonly number[], actions: readonly Action[]): boolean {
    const depth = way.length;
    const { met, levels } = this.#survey;
    levels[depth] ??= 0;
    // It remembers states to count them, and goes on from those that it knows.
    if (!met.isFull) this.#survey.isNews(world, 0, depth);
    const verdict = this.#survey.judge(world, depth, () => [...way]);
    if (verdict !== null) this.#find({ ...verdict, actions });
    return verdict !== null;
  }

  #find(finding: Finding<Action>): void {
    this.#finding = { ...finding, actions: [...finding.actions] };
    this.#bound = finding.actions.length - 1;
  }

  result(): SearchResult<Action> {
    return {
      ...this.#survey.report(this.progress),
      end: this.#finding?.end ?? (this.#isOver ? 'walks' : 'stopped'),
      actions: this.#finding?.actions ?? null,
      broken: this.#finding?.broken ?? null,
      cut: [`${this.#walks} walks were made: what no walk came by was not looked at`],
    };
  }
}
