/**
 * Down one way as far as it goes, and back. It needs no frontier, so it gets deep soon; what it finds, it finds by some long way. So each
 * finding lowers the bound: from then on only shorter ways count, until there is none.
 */
import type { CoreAction } from '../core-world/action.ts';
import type { Lanes } from '../core-world/lanes.ts';
import type { Broken } from '../core-world/surroundings.ts';
import type { CoreWorld } from '../core-world/world.ts';
import { RandomStream } from '../random.ts';
import { FingerprintSet } from './fingerprint-set.ts';
import {
  brokenIn,
  follow,
  type Limits,
  limitsOf,
  Nearest,
  type Progress,
  type SearchEnd,
  type Searching,
  type SearchOptions,
  type SearchResult,
  type Successor,
  successorsOf,
  Tally,
} from './search.ts';

/** A state on the way down, and the ways on from it that are left, the next one last. */
interface Open {
  readonly world: CoreWorld;
  readonly left: Successor[];
  /** Which of its parent's actions led here. */
  readonly at: number;
}

interface Finding {
  readonly end: 'violation' | 'goal';
  readonly way: readonly number[];
  readonly broken: Broken | null;
}

const defaultDepth = 60;

export class DepthFirst implements Searching {
  readonly #start: CoreWorld;
  readonly #limits: Limits;
  readonly #met: FingerprintSet;
  readonly #tally: Tally;
  readonly #nearest: Nearest;
  readonly #random: RandomStream | null;
  readonly #lanes: Lanes = { a: 0, b: 0 };
  readonly #stack: Open[] = [];
  readonly #levels: number[] = [];
  #bound: number;
  #cutAtBound = 0;
  #end: SearchEnd | null = null;
  #finding: Finding | null = null;

  /** Throws RangeError for options that cannot be. */
  constructor(start: CoreWorld, options: SearchOptions = {}) {
    this.#start = start.clone();
    this.#limits = limitsOf(options, defaultDepth);
    this.#met = new FingerprintSet(this.#limits.maxStates);
    this.#tally = new Tally(this.#limits.repeatEvery);
    this.#nearest = new Nearest(this.#limits.goal);
    this.#random = this.#limits.seed === null ? null : new RandomStream(this.#limits.seed);
    this.#bound = this.#limits.maxDepth ?? Number.MAX_SAFE_INTEGER;
    this.#meet(this.#start, 0);
  }

  get progress(): Progress {
    return {
      states: this.#met.size,
      successors: this.#tally.successors,
      depth: this.#levels.length - 1,
      frontier: this.#stack.reduce((sum, { left }) => sum + left.length, 0),
    };
  }

  advance(steps: number): boolean {
    const enough = this.#tally.successors + steps;
    while (this.#end === null && this.#tally.successors < enough) {
      const open = this.#stack[this.#stack.length - 1];
      if (open === undefined) this.#finish();
      else this.#goOn(open);
    }
    return this.#end !== null;
  }

  #finish(): void {
    this.#end = this.#finding?.end ?? (this.#cutAtBound > 0 ? 'depth' : 'exhausted');
  }

  #goOn(open: Open): void {
    const next = this.#stack.length > this.#bound ? undefined : open.left.pop();
    if (next === undefined) {
      this.#stack.pop();
      return;
    }
    const wrong = this.#tally.step(open.world, next.action);
    if (wrong === null) this.#meet(next.world, next.at);
    else this.#find({ end: 'violation', way: [...this.#way(), next.at], broken: wrong });
  }

  #way(): number[] {
    return this.#stack.slice(1).map(({ at }) => at);
  }

  /** Takes up a state that was not met before, or only further down. */
  #meet(world: CoreWorld, at: number): void {
    const depth = this.#stack.length;
    world.fingerprintInto(this.#lanes);
    if (!this.#met.add(this.#lanes, depth)) return;
    this.#levels[depth] = (this.#levels[depth] ?? 0) + 1;
    const way = (): readonly number[] => (depth === 0 ? [] : [...this.#way(), at]);
    const broken = brokenIn(world, this.#limits.invariants);
    if (broken !== null) this.#find({ end: 'violation', way: way(), broken });
    else if (this.#nearest.look(world, depth, way)) this.#find({ end: 'goal', way: way(), broken: null });
    else if (this.#met.isFull) this.#end = 'states';
    else if (depth >= this.#bound) this.#cutAtBound += 1;
    else this.#stack.push({ world, left: this.#waysOn(world), at });
  }

  #waysOn(world: CoreWorld): Successor[] {
    if (this.#tally.prune(world, this.#limits.prunes) !== null) return [];
    const left = [...successorsOf(world)].reverse();
    if (this.#random !== null) shuffle(left, this.#random);
    return left;
  }

  /** Only what is found by a shorter way counts from here on. */
  #find(finding: Finding): void {
    this.#finding = finding;
    this.#bound = finding.way.length - 1;
    if (this.#bound < 0) this.#end = finding.end;
  }

  result(): SearchResult {
    const actions: readonly CoreAction[] | null =
      this.#finding === null ? null : follow(this.#start, this.#finding.way).actions;
    return {
      ...this.progress,
      end: this.#end ?? this.#finding?.end ?? 'stopped',
      levels: [...this.#levels],
      actions,
      broken: this.#finding?.broken ?? null,
      taken: this.#tally.taken,
      pruned: this.#tally.pruned,
      cut: this.#cut(),
      nearest: this.#nearest.found(this.#start),
      repeated: this.#tally.repeated,
    };
  }

  #cut(): string[] {
    const { frontier } = this.progress;
    const cut = [...this.#tally.pruned].map(([reason, times]) => `${times} states were not gone on from, ${reason}`);
    if (this.#cutAtBound > 0) cut.push(`${this.#cutAtBound} ways were not followed below the depth bound`);
    if (this.#end === 'states')
      cut.push(`${frontier} ways were left: ${this.#limits.maxStates}, the limit maxStates, are remembered`);
    if (this.#end === null) cut.push(`${frontier} ways were left when the search was stopped`);
    return cut;
  }
}

function shuffle(items: Successor[], random: RandomStream): void {
  for (let at = items.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [items[at], items[other]] = [items[other] as Successor, items[at] as Successor];
  }
}
