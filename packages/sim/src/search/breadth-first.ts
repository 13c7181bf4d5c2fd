/** Level by level: whatever it finds, it finds by a shortest way. */
import type { Broken } from '../core-world/surroundings.ts';
import type { Lanes } from '../core-world/lanes.ts';
import type { CoreWorld } from '../core-world/world.ts';
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
  successorsOf,
  Tally,
} from './search.ts';
import { Trail } from './trail.ts';

/** A state that waits, and its number. */
interface Waiting {
  readonly world: CoreWorld;
  readonly state: number;
}

/** States that were gone on from are let go of when there are so many. */
const forgottenAt = 1 << 16;

export class BreadthFirst implements Searching {
  readonly #start: CoreWorld;
  readonly #limits: Limits;
  readonly #met: FingerprintSet;
  readonly #trail = new Trail();
  readonly #tally: Tally;
  readonly #nearest: Nearest;
  readonly #lanes: Lanes = { a: 0, b: 0 };
  #level: Waiting[] = [];
  #nextLevel: Waiting[] = [];
  #at = 0;
  #depth = 0;
  readonly #levels: number[] = [0];
  #end: SearchEnd | null = null;
  #found: number | null = null;
  #broken: Broken | null = null;

  /** Throws RangeError for options that cannot be. */
  constructor(start: CoreWorld, options: SearchOptions = {}) {
    this.#start = start.clone();
    this.#limits = limitsOf(options, null);
    this.#met = new FingerprintSet(this.#limits.maxStates);
    this.#tally = new Tally(this.#limits.repeatEvery);
    this.#nearest = new Nearest(this.#limits.goal);
    this.#meet(this.#start, -1, 0, this.#level);
  }

  get progress(): Progress {
    return {
      states: this.#met.size,
      successors: this.#tally.successors,
      depth: this.#depth,
      frontier: this.#level.length - this.#at + this.#nextLevel.length,
    };
  }

  advance(steps: number): boolean {
    const enough = this.#tally.successors + steps;
    while (this.#end === null && this.#tally.successors < enough) {
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
    if (this.#depth === this.#limits.maxDepth) this.#end = 'depth';
  }

  #expand({ world, state }: Waiting): void {
    if (this.#tally.prune(world, this.#limits.prunes) !== null) return;
    for (const { world: next, action, at } of successorsOf(world)) {
      const wrong = this.#tally.step(world, action);
      if (wrong === null) this.#meet(next, state, at, this.#nextLevel);
      else this.#conclude('violation', this.#trail.add(state, at), wrong);
      if (this.#end !== null) return;
    }
    if (this.#nextLevel.length > this.#limits.maxFrontier) this.#end = 'frontier';
    if (this.#at === forgottenAt) this.#forgetExpanded();
  }

  #forgetExpanded(): void {
    this.#level = this.#level.slice(this.#at);
    this.#at = 0;
  }

  /** Takes up a state that was not met before. */
  #meet(world: CoreWorld, parent: number, at: number, level: Waiting[]): void {
    world.fingerprintInto(this.#lanes);
    const depth = parent === -1 ? 0 : this.#depth + 1;
    if (!this.#met.add(this.#lanes, depth)) return;
    const state = this.#trail.add(parent, at);
    this.#levels[depth] = (this.#levels[depth] ?? 0) + 1;
    const broken = brokenIn(world, this.#limits.invariants);
    if (broken !== null) this.#conclude('violation', state, broken);
    else if (this.#nearest.look(world, depth, () => this.#trail.to(state))) this.#conclude('goal', state);
    else if (this.#met.isFull) this.#end = 'states';
    else level.push({ world, state });
  }

  #conclude(end: SearchEnd, state: number, broken: Broken | null = null): void {
    this.#end = end;
    this.#broken = broken;
    this.#found = state;
  }

  result(): SearchResult {
    const end = this.#end ?? 'stopped';
    return {
      ...this.progress,
      depth: this.#levels.length - 1,
      end,
      levels: [...this.#levels],
      actions: this.#found === null ? null : follow(this.#start, this.#trail.to(this.#found)).actions,
      broken: this.#broken,
      taken: this.#tally.taken,
      pruned: this.#tally.pruned,
      cut: this.#cut(end),
      nearest: this.#nearest.found(this.#start),
      repeated: this.#tally.repeated,
    };
  }

  #cut(end: SearchEnd): string[] {
    const { frontier } = this.progress;
    const { maxDepth, maxStates, maxFrontier } = this.#limits;
    const cut = [...this.#tally.pruned].map(([reason, times]) => `${times} states were not gone on from, ${reason}`);
    if (end === 'depth') cut.push(`${frontier} states at depth ${maxDepth}, the depth bound, were not gone on from`);
    if (end === 'states')
      cut.push(`${frontier} states were not gone on from: ${maxStates}, the limit maxStates, are remembered`);
    if (end === 'frontier')
      cut.push(`${frontier} states were not gone on from: more than ${maxFrontier}, the limit maxFrontier, wait`);
    if (end === 'stopped') cut.push(`${frontier} states were not gone on from when the search was stopped`);
    return cut;
  }
}
