/** Goes on until something is so. */
import type { Host } from './host.ts';
import { describePredicate, holds, type Predicate } from './predicates.ts';
import type { Outcome } from './protocol.ts';
import type { Session } from './session.ts';

/** Steps before it gives up. */
export const maxStepsAhead = 20_000;
const stepsAtOnce = 250;

/** Follows what is recorded, and beyond it what is due. It takes at least one step. */
export async function runUntil(session: Session, predicate: Predicate, host: Host): Promise<Outcome> {
  for (let gone = 1; gone <= maxStepsAhead; gone++) {
    if (!session.forward()) return outcome(session, false, 'Nothing is due any more');
    const why = whyHere(session, predicate);
    if (why !== null) return outcome(session, true, `After ${gone} steps: ${why}`);
    if (gone % stepsAtOnce !== 0) continue;
    host.progress(`${gone} steps`);
    await host.breathe();
    if (host.isCancelled()) return outcome(session, false, `Ended after ${gone} steps`);
  }
  return outcome(session, false, `Not in ${maxStepsAhead} steps: ${describePredicate(predicate)}`);
}

function whyHere(session: Session, predicate: Predicate): string | null {
  if (predicate.kind !== 'violation') return holds(predicate, session.world);
  const { violation } = session.branch;
  return violation !== null && violation.step === session.position.step ? `${violation.invariant} is broken` : null;
}

function outcome(session: Session, isReached: boolean, text: string): Outcome {
  return { isReached, text: `${text}.`, frame: session.frame() };
}
