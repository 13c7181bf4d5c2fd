/** Every tour, in the order in which one would take them. */
import { disturbance, preVote } from './disturbance.ts';
import { election } from './election.ts';
import { figureEight } from './figure-eight.ts';
import { lostVote } from './lost-vote.ts';
import { replication } from './replication.ts';
import type { Tour } from './tour.ts';

export const tours: readonly Tour[] = [election, replication, figureEight, disturbance, preVote, lostVote];
