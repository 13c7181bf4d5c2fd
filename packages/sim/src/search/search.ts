/** What is asked of a search, and what it tells: the same for every engine. */
import type { CoreAction } from '../core-world/action.ts';
import type { Broken } from '../core-world/surroundings.ts';
import type { CoreWorld } from '../core-world/world.ts';
import type { Goal, Invariant, Miss, Prune } from './predicates.ts';

export interface SearchOptions<World = CoreWorld> {
  readonly invariants?: readonly Invariant<World>[];
  /** The search ends where it is reached. */
  readonly goal?: Goal<World> | null;
  readonly prunes?: readonly Prune<World>[];
  /** Steps from the beginning; null for no bound. Default: null, for walks and depth-first search 60. */
  readonly maxDepth?: number | null;
  /** The most states that are remembered. Each takes 30 to 60 bytes. Default: 20,000,000. */
  readonly maxStates?: number;
  /** The most states that wait to be gone on from, breadth first. Each takes about a kilobyte. Default: 1,000,000. */
  readonly maxFrontier?: number;
  /** Whether the ways on are tried in an order drawn from this seed, depth first; walks always are. Default: null, as they come; 0. */
  readonly seed?: number | null;
  /** After so many walks there is an end. Default: 10,000. */
  readonly walks?: number;
  /** Of each kind one step of so many, the first of them, is made twice, to see that the same comes of it; 0 for none. Default: 1024. */
  readonly repeatEvery?: number;
}

export type Limits<World> = Required<SearchOptions<World>>;

export function limitsOf<World>(options: SearchOptions<World>, maxDepth: number | null): Limits<World> {
  const limits: Limits<World> = {
    invariants: [],
    goal: null,
    prunes: [],
    maxDepth,
    maxStates: 20_000_000,
    maxFrontier: 1_000_000,
    seed: null,
    walks: 10_000,
    repeatEvery: 1024,
    ...options,
  };
  for (const name of ['maxStates', 'maxFrontier', 'walks'] as const) {
    const isSound = Number.isInteger(limits[name]) && limits[name] >= 1 && limits[name] <= maxNumbered;
    if (!isSound) throw new RangeError(`${name} is a whole number from 1 to ${maxNumbered}, not ${limits[name]}.`);
  }
  if (limits.maxDepth !== null && !(Number.isInteger(limits.maxDepth) && limits.maxDepth >= 0))
    throw new RangeError(`maxDepth is a whole number or null, not ${limits.maxDepth}.`);
  if (!(Number.isInteger(limits.repeatEvery) && limits.repeatEvery >= 0))
    throw new RangeError(`repeatEvery is a whole number, not ${limits.repeatEvery}.`);
  return limits;
}

const maxNumbered = 1_000_000_000;

/**
 * - `violation`: an invariant is broken. - `goal`: the goal is reached.
 * - `exhausted`: there is no state that was not looked at, within the budgets and but for what prunes turned back from.
 * - `depth`: the same, within the depth as well. - `states`, `frontier`: a limit of memory was reached.
 * - `walks`: all walks were made. - `stopped`: whoever ran it had enough.
 */
export type SearchEnd = 'violation' | 'goal' | 'exhausted' | 'depth' | 'states' | 'frontier' | 'walks' | 'stopped';

/** How far a search has got. */
export interface Progress {
  /** Different states that were met. */
  readonly states: number;
  /** Steps that were tried. */
  readonly successors: number;
  /** The longest way so far. */
  readonly depth: number;
  /** States that wait to be gone on from. */
  readonly frontier: number;
}

/** A state that came near the goal, and what it lacked. */
export interface NearMiss<Action = CoreAction> {
  readonly depth: number;
  readonly misses: readonly Miss[];
  readonly actions: readonly Action[];
}

export interface SearchResult<Action = CoreAction> extends Progress {
  readonly end: SearchEnd;
  /** States first met at each depth, from 0. */
  readonly levels: readonly number[];
  /** The way to the violation or the goal; null for none. */
  readonly actions: readonly Action[] | null;
  readonly broken: Broken | null;
  /** How often each kind of action was taken. */
  readonly taken: ReadonlyMap<string, number>;
  /** How often each reason turned the search back. */
  readonly pruned: ReadonlyMap<string, number>;
  /** What was not looked at, a sentence each. Empty only if nothing was cut but by the budgets. */
  readonly cut: readonly string[];
  /** Of a goal that was missed: the states that came nearest. */
  readonly nearest: readonly NearMiss<Action>[];
  /** Steps that were made twice. */
  readonly repeated: number;
}

/** An engine: run a little at a time, so that whoever runs it can look at a clock, draw a line or stop. */
export interface Searching<Action = CoreAction> {
  /** Tries about so many steps more. Returns whether the search is over. */
  advance(steps: number): boolean;
  readonly progress: Progress;
  /** What came of it; `stopped` if it is not over. */
  result(): SearchResult<Action>;
}
