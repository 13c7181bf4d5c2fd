/** What all engines of the search share: what is asked of them, how states follow one another, and what they tell at the end. */
import type { CoreAction } from '../core-world/action.ts';
import { type BudgetName, budgetNames } from '../core-world/options.ts';
import type { Broken } from '../core-world/surroundings.ts';
import type { CoreWorld } from '../core-world/world.ts';
import { type Goal, type Invariant, type Miss, missesOf, type Prune } from './predicates.ts';

export interface SearchOptions {
  readonly invariants?: readonly Invariant[];
  /** The search ends where it is reached. */
  readonly goal?: Goal | null;
  readonly prunes?: readonly Prune[];
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
  /** One step of so many is made twice, to see that the same comes of it; 0 for none. Default: 1024. */
  readonly repeatEvery?: number;
}

export type Limits = Required<SearchOptions>;

export function limitsOf(options: SearchOptions, maxDepth: number | null): Limits {
  const limits: Limits = {
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
export interface NearMiss {
  readonly depth: number;
  readonly misses: readonly Miss[];
  readonly actions: readonly CoreAction[];
}

export interface SearchResult extends Progress {
  readonly end: SearchEnd;
  /** States first met at each depth, from 0. */
  readonly levels: readonly number[];
  /** The way to the violation or the goal; null for none. */
  readonly actions: readonly CoreAction[] | null;
  readonly broken: Broken | null;
  /** How often each kind of action was taken. */
  readonly taken: ReadonlyMap<string, number>;
  /** How often each reason turned the search back. */
  readonly pruned: ReadonlyMap<string, number>;
  /** What was not looked at, a sentence each. Empty only if nothing was cut but by the budgets. */
  readonly cut: readonly string[];
  /** Of a goal that was missed: the states that came nearest. */
  readonly nearest: readonly NearMiss[];
  /** Steps that were made twice. */
  readonly repeated: number;
}

/** An engine: run a little at a time, so that whoever runs it can look at a clock, draw a line or stop. */
export interface Searching {
  /** Tries about so many steps more. Returns whether the search is over. */
  advance(steps: number): boolean;
  readonly progress: Progress;
  /** What came of it; `stopped` if it is not over. */
  result(): SearchResult;
}

/** One way on from a state. */
export interface Successor {
  readonly world: CoreWorld;
  readonly action: CoreAction;
  /** Its place among the parent's actions. */
  readonly at: number;
}

/**
 * The ways on from a state. Left out are messages that are the same as one before, and deliveries that change nothing: without that
 * message the same servers can do nothing that they cannot do with it, which need never be delivered.
 */
export function* successorsOf(world: CoreWorld): Generator<Successor, void, undefined> {
  const seen = new Set<unknown>();
  for (const [at, action] of world.enabled().entries()) {
    if (action.kind === 'deliver') {
      const letter = world.flight(action.message)?.letter;
      if (seen.has(letter)) continue;
      seen.add(letter);
    }
    const next = world.clone();
    const { sent } = next.perform(action);
    if (action.kind === 'deliver' && sent.length === 0 && next.hasSameServers(world)) continue;
    yield { world: next, action, at };
  }
}

/** What breaks in a state: what the judges saw, or one of the search's own invariants. */
export function brokenIn(world: CoreWorld, invariants: readonly Invariant[]): Broken | null {
  if (world.broken !== null) return world.broken;
  for (const { name, broken } of invariants) {
    const how = broken(world);
    if (how !== null) return { invariant: name, first: how, second: '' };
  }
  return null;
}

/** What is counted along the way. */
export class Tally {
  readonly taken = new Map<string, number>();
  readonly pruned = new Map<string, number>();
  successors = 0;
  repeated = 0;
  readonly #repeatEvery: number;

  constructor(repeatEvery: number) {
    this.#repeatEvery = repeatEvery;
  }

  /** A step was tried. Makes some of them twice; returns what is wrong with the core then, or null. */
  step(parent: CoreWorld, action: CoreAction): Broken | null {
    this.successors += 1;
    count(this.taken, action.kind === 'timeout' ? `${action.timer} timeout` : action.kind);
    if (this.#repeatEvery === 0 || this.successors % this.#repeatEvery !== 0) return null;
    this.repeated += 1;
    const difference = parent.repeat(action);
    if (difference === null) return null;
    return { invariant: 'M', first: 'a step is a function of the state and the input', second: difference };
  }

  /** Why this state is not gone on from, or null. */
  prune(world: CoreWorld, prunes: readonly Prune[]): string | null {
    for (const { name, reason } of prunes) {
      const why = reason(world);
      if (why === null) continue;
      count(this.pruned, `${name}: ${why}`);
      return why;
    }
    return null;
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** Makes the steps of a way again. */
export function follow(start: CoreWorld, ways: readonly number[]): { world: CoreWorld; actions: CoreAction[] } {
  const world = start.clone();
  const actions: CoreAction[] = [];
  for (const at of ways) {
    const action = world.enabled()[at];
    if (action === undefined)
      throw new Error(`There is no action ${at} at step ${actions.length}: steps do not repeat.`);
    world.perform(action);
    actions.push(action);
  }
  return { world, actions };
}

/** The states that came nearest to a goal. */
export class Nearest {
  readonly #goal: Goal | null;
  readonly #found: (Omit<NearMiss, 'actions'> & { readonly total: number; readonly way: readonly number[] })[] = [];

  constructor(goal: Goal | null) {
    this.#goal = goal;
  }

  /** Returns whether the goal is reached. `way` is asked for where a state is kept. */
  look(world: CoreWorld, depth: number, way: () => readonly number[]): boolean {
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

  found(start: CoreWorld): NearMiss[] {
    return this.#found.map(({ depth, misses, way }) => ({ depth, misses, actions: follow(start, way).actions }));
  }
}

const mostNear = 3;

/** What draws on each budget, as it is counted; nothing is counted for terms. */
const drawsOn: Readonly<Record<BudgetName, readonly string[]>> = {
  terms: [],
  elections: ['election timeout'],
  stickiness: ['stickiness timeout'],
  heartbeats: ['heartbeat timeout', 'commitNotice timeout'],
  requests: ['propose'],
  reads: ['read'],
  changes: ['change'],
  transfers: ['transfer'],
  snapshots: ['compact'],
  crashes: ['crash', 'crashAtDisk'],
  pauses: ['pause'],
  damage: ['damage'],
  cuts: ['cut'],
  drops: ['drop'],
  duplicates: ['duplicate'],
};

/** Budgets that allowed something which could never be done: the search says nothing about it, and a goal may be missed for it. */
export function untouched({ setting }: CoreWorld, { taken }: SearchResult): readonly BudgetName[] {
  return budgetNames.filter(
    (name) => name !== 'terms' && setting.budgets[name] !== 0 && !drawsOn[name].some((kind) => taken.has(kind)),
  );
}

/** The budgets that a search is bounded by, in words. */
export function boundsOf({ setting }: CoreWorld): string {
  const { budgets, lost } = setting;
  const some = budgetNames.filter((name) => budgets[name] !== null && budgets[name] !== 0);
  const no = budgetNames.filter((name) => budgets[name] === 0);
  const limited = some.map((name) => `${name} ${budgets[name]}`).join(', ');
  const absent = no.length === 0 ? '' : `; no ${no.join(', ')}`;
  return `${limited}${absent}${lost.length === 0 ? '' : `; lost: ${lost.join(', ')}`}`;
}
