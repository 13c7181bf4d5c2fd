/** Level by level: whatever it finds, it finds by a shortest way. */
import type { Broken } from '../core-world/surroundings.ts';
import type { Progress, SearchEnd, Searching, SearchOptions, SearchResult } from './search.ts';
import { follow, successorsOf, type SearchWorld } from './search-world.ts';
import { Survey } from './survey.ts';
import { Trail } from './trail.ts';

/** A state that waits, and its number. */
interface Waiting<World> {
  readonly world: World;
  readonly state: number;
}

/** States that were gone on from are let go of when there are so many. */
const forgottenAt = 1 << 16;

export class BreadthFirst<World extends SearchWorld<World, Action>, Action> implements Searching<Action> {
  readonly #survey: Survey<World, Action>;
  readonly #trail = new Trail();
  #level: Waiting<World>[] = [];
  #nextLevel: Waiting<World>[] = [];
  #at = 0;
  #depth = 0;
  #end: SearchEnd | null = null;
  #found: number | null = null;
  #broken: Broken | null = null;

  /** Throws RangeError for options that cannot be. */
  constructor(start: World & SearchWorld<World, Action>, options: SearchOptions<World> = {}) {
    this.#survey = new Survey<World, Action>(start, options, null);
    this.#meet(this.#survey.start, -1, 0, this.#level);
  }

  get progress(): Progress {
    return {
      states: this.#survey.met.size,
      successors: this.#survey.tally.successors,
      depth: this.#depth,
      frontier: this.#level.length - this.#at + this.#nextLevel.length,
    };
  }

  advance(steps: number): boolean {
    const { tally } = this.#survey;
    const enough = tally.successors + steps;
    while (this.#end === null && tally.successors < enough) {
      const waiting = this.#level[this.#at];
      if (waiting === undefined) this.#descend();
      else {
        this.#at += 1;
        this.#expand(waiting);
      }
    }
    return this.#end !== null;
  }

  #descend(): void {
    if (this.#nextLevel.length === 0) {
      this.#end = 'exhausted';
      return;
    }
    this.#level = this.#nextLevel;
    this.#nextLevel = [];
    this.#at = 0;
    this.#depth += 1;
    if (this.#depth === this.#survey.limits.maxDepth) this.#end = 'depth';
  }

  #expand({ world, state }: Waiting<World>): void {
    const { tally, limits } = this.#survey;
    if (tally.prune(world, limits.prunes) !== null) return;
    for (const { world: next, action, at } of successorsOf<World, Action>(world)) {
      const wrong = tally.step<World, Action>(world, action);
      if (wrong === null) this.#meet(next, state, at, this.#nextLevel);
      else this.#conclude('violation', this.#trail.add(state, at), wrong);
      if (this.#end !== null) return;
    }
    if (this.#nextLevel.length > limits.maxFrontier) this.#end = 'frontier';
    if (this.#at === forgottenAt) this.#forgetExpanded();
  }

  #forgetExpanded(): void {
    this.#level = this.#level.slice(this.#at);
    this.#at = 0;
  }

  /** Takes up a state that was not met before. */
  #meet(world: World, parent: number, at: number, level: Waiting<World>[]): void {
    const depth = parent === -1 ? 0 : this.#depth + 1;
    if (!this.#survey.isNews(world, depth)) return;
    const state = this.#trail.add(parent, at);
    const verdict = this.#survey.judge(world, depth, () => this.#trail.to(state));
    if (verdict !== null) this.#conclude(verdict.end, state, verdict.broken);
    else if (this.#survey.met.isFull) this.#end = 'states';
    else level.push({ world, state });
  }

  #conclude(end: SearchEnd, state: number, broken: Broken | null): void {
    this.#end = end;
    this.#broken = broken;
    this.#found = state;
  }

  result(): SearchResult<Action> {
    const end = this.#end ?? 'stopped';
    const { start, levels } = this.#survey;
    return {
      ...this.#survey.report({ ...this.progress, depth: levels.length - 1 }),
      end,
      actions: this.#found === null ? null : follow<World, Action>(start, this.#trail.to(this.#found)).actions,
      broken: this.#broken,
      cut: this.#cut(end),
    };
  }

  #cut(end: SearchEnd): string[] {
    const { frontier } = this.progress;
    const { maxDepth, maxStates, maxFrontier } = this.#survey.limits;
    const cut = this.#survey.prunedSentences();
    if (end === 'depth') cut.push(`${frontier} states at depth ${maxDepth}, the depth bound, were not gone on from`);
    if (end === 'states')
      cut.push(`${frontier} states were not gone on from: ${maxStates}, the limit maxStates, are remembered`);
    if (end === 'frontier')
      cut.push(`${frontier} states were not gone on from: more than ${maxFrontier}, the limit maxFrontier, wait`);
    if (end === 'stopped') cut.push(`${frontier} states were not gone on from when the search was stopped`);
    return cut;
  }
}
