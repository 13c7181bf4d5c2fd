/**
 * What a world must be able to do to be searched: say what can happen next, branch, and be told from others. The core world is one
 * (core-world/world.ts); the lab has another, of Rafts that somebody else made.
 */
import type { Lanes } from '../core-world/lanes.ts';
import type { Broken } from '../core-world/surroundings.ts';

/** `World` is the world itself: `class CoreWorld implements SearchWorld<CoreWorld, CoreAction>`. */
export interface SearchWorld<World, Action> {
  /** A world that is the same and goes its own way from here. */
  clone(): World;
  /** Everything that can be done now; the same, in the same order, in an equal world. */
  enabled(): readonly Action[];
  /** Does what `enabled` names. */
  perform(action: Action): unknown;
  /** What comes of an action, which leaves this world as it is; null where nothing does, so that there is nothing to look at. */
  after(action: Action): World | null;
  /** Of actions with the same likeness the first stands for all: the same comes of them. Undefined for what is like nothing else. */
  likeness(action: Action): unknown;
  /** What an action counts as, in a few words. */
  kindOf(action: Action): string;
  /** 64 bits that tell this state from others. */
  fingerprintInto(lanes: Lanes): void;
  /** The first rule that was broken on the way here; null for none. */
  readonly broken: Broken | null;
  /** Makes a step from here twice and compares: null if the same comes of it, or what does not. */
  repeat(action: Action): string | null;
}

/** The action with which a stage begins. */
export interface Restage<Allowance> {
  readonly kind: 'restage';
  readonly stage: string;
  readonly budgets: Partial<Allowance>;
  readonly forget: boolean;
}

/** What a world must be able to do besides to be searched in stages. */
export interface StagedWorld<World, Action, Allowance> extends SearchWorld<World, Action> {
  /** Does what `enabled` need not have named. Throws if it cannot be done now. */
  carryOut(action: Action | Restage<Allowance>): unknown;
}

/** One way on from a state. */
export interface Successor<World, Action> {
  readonly world: World;
  readonly action: Action;
  /** Its place among the parent's actions. */
  readonly at: number;
}

/** The ways on from a state, but for those that are like one before and those from which nothing comes. */
export function* successorsOf<World extends SearchWorld<World, Action>, Action>(
  world: SearchWorld<World, Action>,
): Generator<Successor<World, Action>, void, undefined> {
  const seen = new Set<unknown>();
  for (const [at, action] of world.enabled().entries()) {
    const likeness = world.likeness(action);
    if (likeness !== undefined) {
      if (seen.has(likeness)) continue;
      seen.add(likeness);
    }
    const next = world.after(action);
    if (next !== null) yield { world: next, action, at };
  }
}

/** Makes the steps of a way again. */
export function follow<World extends SearchWorld<World, Action>, Action>(
  start: SearchWorld<World, Action>,
  ways: readonly number[],
): { readonly world: World; readonly actions: Action[] } {
  const world = start.clone();
  const actions: Action[] = [];
  for (const at of ways) {
    const action = world.enabled()[at];
    if (action === undefined)
      throw new Error(`There is no action ${at} at step ${actions.length}: steps do not repeat.`);
    world.perform(action);
    actions.push(action);
  }
  return { world, actions };
}
