import type { Experiment } from '../experiment.ts';
import { elections } from './elections.ts';

/** In the order in which a report tells them. */
export const experiments: readonly Experiment[] = [elections];
