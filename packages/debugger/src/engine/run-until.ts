/** Goes on until something is so. */
import type { Host } from './host.ts';
import { describePredicate, holds, type Predicate } from './predicates.ts';
import type { Outcome } from './protocol.ts';
import type { Walk } from './walk.ts';

/** Steps before it gives up. */
export const maxStepsAhead = 20_000;
const stepsAtOnce = 250;

/** Follows what is recorded, and beyond it what is due. It takes at least one step. */
export async function runUntil(walk: Walk, predicate: Predicate, host: Host): Promise<Outcome> {
  for (let gone = 1; gone <= maxStepsAhead; gone++) {
    const before = walk.position.step;
    walk.step(1);
    if (walk.position.step === before) return outcome(walk, false, 'Nothing comes any more');
    const why = whyHere(walk, predicate);
    if (why !== null) return outcome(walk, true, `After ${gone} steps: ${why}`);
    if (gone % stepsAtOnce !== 0) continue;
    host.progress(`${gone} steps`);
    await host.breathe();
    if (host.isCancelled()) return outcome(walk, false, `Ended after ${gone} steps`);
  }
  return outcome(walk, false, `Not in ${maxStepsAhead} steps: ${describePredicate(predicate)}`);
}

function whyHere(walk: Walk, predicate: Predicate): string | null {
  const { servers, violation, position } = walk;
  if (predicate.kind !== 'violation') return holds(predicate, { servers, broken: null });
  return violation !== null && violation.step === position.step ? `${violation.invariant} is broken` : null;
}

function outcome(walk: Walk, isReached: boolean, text: string): Outcome {
  return { isReached, text: `${text}.`, frame: walk.frame() };
}
