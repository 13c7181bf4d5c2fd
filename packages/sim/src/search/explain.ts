/** A way that a search found, walked once more before the judges of whole runs: they know more and say it better. */
import type { CoreAction } from '../core-world/action.ts';
import type { CoreWorldOptions } from '../core-world/options.ts';
import type { StepReport } from '../core-world/report.ts';
import type { Broken } from '../core-world/surroundings.ts';
import { CoreWorld } from '../core-world/world.ts';
import { Invariants } from '../invariants/index.ts';
import { Violation } from '../watch.ts';

export interface Explanation {
  /** Every step that was made, the one that broke something last. */
  readonly steps: readonly StepReport[];
  /** What the invariants of whole runs say; null if they are content. They may find fault before the search does. */
  readonly violation: Broken | null;
  /** What the judges of the core world say; null if the way ends before, or they are content. */
  readonly broken: Broken | null;
}

/** Walks the whole way; only the first complaint of each kind of judges is told. */
export function explain(options: CoreWorldOptions, actions: readonly CoreAction[]): Explanation {
  const violation = firstViolation(options, actions);
  const world = new CoreWorld(options);
  const steps = actions.map((action) => world.carryOut(action));
  return { steps, violation, broken: world.broken };
}

function firstViolation(options: CoreWorldOptions, actions: readonly CoreAction[]): Broken | null {
  try {
    const world = new CoreWorld(options, [new Invariants()]);
    for (const action of actions) world.carryOut(action);
    return null;
  } catch (error) {
    if (error instanceof Violation) return { invariant: error.invariant, first: error.first, second: error.second };
    throw error;
  }
}
