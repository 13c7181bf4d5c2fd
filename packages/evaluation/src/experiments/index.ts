import type { Experiment } from '../experiment.ts';
import { elections } from './elections.ts';
import { load } from './load.ts';
import { mix } from './mix.ts';
import { scale } from './scale.ts';
import { stutter } from './stutter.ts';

/** In the order in which a report tells them. */
export const experiments: readonly Experiment[] = [elections, stutter, scale, mix, load];
