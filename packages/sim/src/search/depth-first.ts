/**
 * Down one way as far as it goes, and back. It needs no frontier, so it gets deep soon; what it finds, it finds by some long way. So each
 * finding lowers the bound: from then on only shorter ways count, until there is none.
 */
import type { Broken } from '../core-world/surroundings.ts';
import { RandomStream } from '../random.ts';
import type { Progress, SearchEnd, Searching, SearchOptions, SearchResult } from './search.ts';
import { follow, type SearchWorld, type Successor, successorsOf } from './search-world.ts';
import { Survey } from './survey.ts';

/** A state on the way down, and the ways on from it that are left, the next one last. */
interface Open<World, Action> {
  readonly world: World;
  readonly left: Successor<World, Action>[];
  /** Which of its parent's actions led here. */
  readonly at: number;
}

interface Finding {
  readonly end: 'violation' | 'goal';
  readonly way: readonly number[];
  readonly broken: Broken | null;
}

const defaultDepth = 60;

export class DepthFirst<World extends SearchWorld<World, Action>, Action> implements Searching<Action> {
  readonly #survey: Survey<World, Action>;
  readonly #random: RandomStream | null;
  readonly #stack: Open<World, Action>[] = [];
  #bound: number;
  #cutAtBound = 0;
  #end: SearchEnd | null = null;
  #finding: Finding | null = null;

  /** Throws RangeError for options that cannot be. */
  constructor(start: World & SearchWorld<World, Action>, options: SearchOptions<World> = {}) {
    this.#survey = new Survey<World, Action>(start, options, defaultDepth);
    const { seed, maxDepth } = this.#survey.limits;
    this.#random = seed === null ? null : new RandomStream(seed);
    this.#bound = maxDepth ?? Number.MAX_SAFE_INTEGER;
    this.#meet(this.#survey.start, 0);
  }

  get progress(): Progress {
    return {
      states: this.#survey.met.size,
      successors: this.#survey.tally.successors,
      depth: this.#survey.levels.length - 1,
      frontier: this.#stack.reduce((sum, { left }) => sum + left.length, 0),
    };
  }

  advance(steps: number): boolean {
    const { tally } = this.#survey;
    const enough = tally.successors + steps;
    while (this.#end === null && tally.successors < enough) {
      const open = this.#stack[this.#stack.length - 1];
      if (open === undefined) this.#finish();
      else this.#goOn(open);
    }
    return this.#end !== null;
  }

  #finish(): void {
    this.#end = this.#finding?.end ?? (this.#cutAtBound > 0 ? 'depth' : 'exhausted');
  }

  #goOn(open: Open<World, Action>): void {
    const next = this.#stack.length > this.#bound ? undefined : open.left.pop();
    if (next === undefined) {
      this.#stack.pop();
      return;
    }
    const wrong = this.#survey.tally.step<World, Action>(open.world, next.action);
    if (wrong === null) this.#meet(next.world, next.at);
    else this.#find({ end: 'violation', way: [...this.#way(), next.at], broken: wrong });
  }

  #way(): number[] {
    return this.#stack.slice(1).map(({ at }) => at);
  }

  /** Takes up a state that was not met before, or only further down. */
  #meet(world: World, at: number): void {
    const depth = this.#stack.length;
    if (!this.#survey.isNews(world, depth)) return;
    const way = (): readonly number[] => (depth === 0 ? [] : [...this.#way(), at]);
    const verdict = this.#survey.judge(world, depth, way);
    if (verdict !== null) this.#find({ ...verdict, way: way() });
    else if (this.#survey.met.isFull) this.#end = 'states';
    else if (depth >= this.#bound) this.#cutAtBound += 1;
    else this.#stack.push({ world, left: this.#waysOn(world), at });
  }

  #waysOn(world: World): Successor<World, Action>[] {
    const { tally, limits } = this.#survey;
    if (tally.prune(world, limits.prunes) !== null) return [];
    const left = [...successorsOf<World, Action>(world)].reverse();
    if (this.#random !== null) shuffle(left, this.#random);
    return left;
  }

  /** Only what is found by a shorter way counts from here on. */
  #find(finding: Finding): void {
    this.#finding = finding;
    this.#bound = finding.way.length - 1;
    if (this.#bound < 0) this.#end = finding.end;
  }

  result(): SearchResult<Action> {
    const finding = this.#finding;
    return {
      ...this.#survey.report(this.progress),
      end: this.#end ?? finding?.end ?? 'stopped',
      actions: finding === null ? null : follow<World, Action>(this.#survey.start, finding.way).actions,
      broken: finding?.broken ?? null,
      cut: this.#cut(),
    };
  }

  #cut(): string[] {
    const { frontier } = this.progress;
    const cut = this.#survey.prunedSentences();
    if (this.#cutAtBound > 0) cut.push(`${this.#cutAtBound} ways were not followed below the depth bound`);
    if (this.#end === 'states')
      cut.push(`${frontier} ways were left: ${this.#survey.limits.maxStates}, the limit maxStates, are remembered`);
    if (this.#end === null) cut.push(`${frontier} ways were left when the search was stopped`);
    return cut;
  }
}

function shuffle(items: unknown[], random: RandomStream): void {
  for (let at = items.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [items[at], items[other]] = [items[other], items[at]];
  }
}
