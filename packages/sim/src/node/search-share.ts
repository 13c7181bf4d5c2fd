/**
 * One thread's share of a breadth-first search. The states of a level are in the order in which a single thread would meet them, and each
 * thread has a stretch of it; what it meets from there is its stretch of the next level. So the shares together are the whole search.
 */
import type { CoreAction, CoreWorld, SearchResult } from '../index.ts';
import type { Lanes } from '../core-world/lanes.ts';
import { follow, successorsOf } from '../search/search-world.ts';
import { brokenIn } from '../search/survey.ts';
import { Tally } from '../search/tally.ts';
import { Trail } from '../search/trail.ts';
import { SharedFingerprints } from './shared-fingerprints.ts';

interface Waiting {
  readonly world: CoreWorld;
  readonly state: number;
}

interface Candidate extends Waiting {
  readonly place: number;
}

/** What a thread kept of a level. */
export interface Settled {
  /** States of the new level. */
  readonly kept: number;
  /** The first of them that breaks something. */
  readonly violation: Found | null;
}

export interface Found {
  /** How many states of the level this thread met before it. */
  readonly before: number;
  readonly actions: readonly CoreAction[];
  readonly broken: NonNullable<SearchResult['broken']>;
}

export interface ShareOptions {
  readonly thread: number;
  readonly threads: number;
  readonly repeatEvery: number;
}

/** Threads begin to share when a level has so many states for each. */
const enoughEach = 64;
/** States that one thread may meet before they share: some levels beyond `enoughEach` for the most threads. */
const mostAlone = 1 << 20;
/** States between two looks at whether to stop. */
const slice = 64;

export class SearchShare {
  readonly #start: CoreWorld;
  readonly #options: ShareOptions;
  /** What this thread alone has met, while all go the same way. */
  #met = new SharedFingerprints(SharedFingerprints.memoryFor(mostAlone));
  #metAlone: (Lanes & { readonly depth: number })[] = [];
  #tally: Tally;
  readonly #trail = new Trail();
  readonly #lanes: Lanes = { a: 0, b: 0 };
  #level: Waiting[];
  #candidates: Candidate[] = [];
  #at = 0;
  #depth = 0;
  #isSharing = false;

  constructor(start: CoreWorld, options: ShareOptions) {
    this.#start = start;
    this.#options = options;
    this.#tally = new Tally(options.repeatEvery);
    this.#level = [{ world: start, state: this.#trail.add(-1, 0) }];
    start.fingerprintInto(this.#lanes);
    this.#claim(0);
  }

  #claim(depth: number): number {
    const place = this.#met.claim(this.#lanes, depth, this.#options.thread);
    if (place !== -1 && !this.#isSharing) this.#metAlone.push({ ...this.#lanes, depth });
    return place;
  }

  get tally(): Pick<SearchResult, 'taken' | 'successors' | 'repeated'> {
    const { taken, successors, repeated } = this.#tally;
    return { taken, successors, repeated };
  }

  get waiting(): number {
    return this.#level.length;
  }

  /** Goes on from the states of the level, unless `goesOn`, which is told how many steps there were, says that it is enough. */
  expand(goesOn: (successors: number) => boolean): void {
    for (; this.#at < this.#level.length; this.#at++) {
      if (this.#at % slice === 0 && !goesOn(this.#tally.successors)) return;
      const waiting = this.#level[this.#at];
      if (waiting !== undefined) this.#goOn(waiting);
    }
  }

  #goOn({ world, state }: Waiting): void {
    for (const { world: next, action, at } of successorsOf(world)) {
      const wrong = this.#tally.step(world, action);
      if (wrong !== null) throw new Error(`${wrong.first}, but ${wrong.second}.`);
      next.fingerprintInto(this.#lanes);
      const place = this.#claim(this.#depth + 1);
      if (place !== -1) this.#candidates.push({ world: next, state: this.#trail.add(state, at), place });
    }
  }

  /** All threads have expanded: what no thread of a lower number has met is kept, and is the next level. */
  settle(): Settled {
    const { thread } = this.#options;
    this.#level = this.#candidates.filter(({ place }) => this.#met.isHeld(place, thread));
    this.#candidates = [];
    this.#at = 0;
    this.#depth += 1;
    for (const [before, { world, state }] of this.#level.entries()) {
      const broken = brokenIn(world, []);
      if (broken === null) continue;
      const { actions } = follow(this.#start, this.#trail.to(state));
      return { kept: this.#level.length, violation: { before, actions, broken } };
    }
    return { kept: this.#level.length, violation: null };
  }

  /**
   * Goes the first levels, as every thread does, until there is enough to share out or it is over. Returns what there was at each depth
   * behind the first.
   */
  begin(): Settled[] {
    const settled: Settled[] = [];
    while (this.#level.length > 0 && this.#level.length < enoughEach * this.#options.threads) {
      this.expand(() => true);
      const level = this.settle();
      settled.push(level);
      if (level.violation !== null) break;
    }
    return settled;
  }

  /** From here on each thread has its stretch. What was met until now, the first thread counts. */
  shareOut(met: SharedFingerprints): void {
    const { thread, threads, repeatEvery } = this.#options;
    this.#met = met;
    this.#isSharing = true;
    if (thread === 0) for (const { depth, ...lanes } of this.#metAlone) met.claim(lanes, depth, 0);
    else this.#tally = new Tally(repeatEvery);
    this.#metAlone = [];
    const from = Math.floor((this.#level.length * thread) / threads);
    const to = Math.floor((this.#level.length * (thread + 1)) / threads);
    this.#level = this.#level.slice(from, to);
  }
}
