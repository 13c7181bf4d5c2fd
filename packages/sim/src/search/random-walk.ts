/**
 * Walks from the beginning, each step drawn from one seed. They remember nothing but which states there were, reach depths that no other
 * engine does, and prove nothing. Each finding lowers the bound, so that what is found at last is short.
 */
import type { CoreAction } from '../core-world/action.ts';
import type { Lanes } from '../core-world/lanes.ts';
import type { Broken } from '../core-world/surroundings.ts';
import type { CoreWorld } from '../core-world/world.ts';
import { RandomStream } from '../random.ts';
import { FingerprintSet } from './fingerprint-set.ts';
import {
  brokenIn,
  type Limits,
  limitsOf,
  Nearest,
  type Progress,
  type Searching,
  type SearchOptions,
  type SearchResult,
  Tally,
} from './search.ts';

const defaultDepth = 60;

interface Finding {
  readonly end: 'violation' | 'goal';
  readonly actions: readonly CoreAction[];
  readonly broken: Broken | null;
}

export class RandomWalk implements Searching {
  readonly #start: CoreWorld;
  readonly #limits: Limits;
  readonly #met: FingerprintSet;
  readonly #tally: Tally;
  readonly #nearest: Nearest;
  readonly #random: RandomStream;
  readonly #lanes: Lanes = { a: 0, b: 0 };
  readonly #levels: number[] = [];
  #bound: number;
  #walks = 0;
  #finding: Finding | null = null;

  /** Throws RangeError for options that cannot be. */
  constructor(start: CoreWorld, options: SearchOptions = {}) {
    this.#start = start.clone();
    this.#limits = limitsOf(options, defaultDepth);
    this.#met = new FingerprintSet(this.#limits.maxStates);
    this.#tally = new Tally(this.#limits.repeatEvery);
    this.#nearest = new Nearest(this.#limits.goal);
    this.#random = new RandomStream(this.#limits.seed ?? 0);
    this.#bound = this.#limits.maxDepth ?? defaultDepth;
  }

  get progress(): Progress {
    return {
      states: this.#met.size,
      successors: this.#tally.successors,
      depth: Math.max(0, this.#levels.length - 1),
      frontier: 0,
    };
  }

  get #isOver(): boolean {
    return this.#walks >= this.#limits.walks || this.#bound < 0;
  }

  advance(steps: number): boolean {
    const enough = this.#tally.successors + steps;
    while (!this.#isOver && this.#tally.successors < enough) this.#walk();
    return this.#isOver;
  }

  #walk(): void {
    this.#walks += 1;
    const world = this.#start.clone();
    const way: number[] = [];
    const actions: CoreAction[] = [];
    while (!this.#look(world, way, actions) && way.length < this.#bound) {
      const enabled = world.enabled();
      if (enabled.length === 0 || this.#tally.prune(world, this.#limits.prunes) !== null) return;
      const at = this.#random.below(enabled.length);
      const action = enabled[at] as CoreAction;
      const wrong = this.#tally.step(world, action);
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
  #look(world: CoreWorld, way: readonly number[], actions: readonly CoreAction[]): boolean {
    const depth = way.length;
    world.fingerprintInto(this.#lanes);
    const isNews = this.#met.isFull ? false : this.#met.add(this.#lanes, 0);
    this.#levels[depth] = (this.#levels[depth] ?? 0) + (isNews ? 1 : 0);
    const broken = brokenIn(world, this.#limits.invariants);
    if (broken !== null) this.#find({ end: 'violation', actions, broken });
    else if (this.#nearest.look(world, depth, () => [...way])) this.#find({ end: 'goal', actions, broken: null });
    else return false;
    return true;
  }

  #find(finding: Finding): void {
    this.#finding = { ...finding, actions: [...finding.actions] };
    this.#bound = finding.actions.length - 1;
  }

  result(): SearchResult {
    return {
      ...this.progress,
      end: this.#finding?.end ?? (this.#isOver ? 'walks' : 'stopped'),
      levels: [...this.#levels],
      actions: this.#finding?.actions ?? null,
      broken: this.#finding?.broken ?? null,
      taken: this.#tally.taken,
      pruned: this.#tally.pruned,
      cut: [`${this.#walks} walks were made: what no walk came by was not looked at`],
      nearest: this.#nearest.found(this.#start),
      repeated: this.#tally.repeated,
    };
  }
}
