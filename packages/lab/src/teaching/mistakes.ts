/** Every Raft with a mistake that docs/teaching.md speaks of. */
import type { Mistake } from './mistake.ts';
import { mistakesOfElections } from './mistakes-of-elections.ts';
import { mistakesOfTheLog } from './mistakes-of-the-log.ts';

export const mistakes: readonly Mistake[] = [...mistakesOfElections, ...mistakesOfTheLog];
