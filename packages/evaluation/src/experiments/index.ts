import type { Experiment } from '../experiment.ts';
import { adaptation } from './adaptation.ts';
import { elections } from './elections.ts';
import { failures } from './failures.ts';
import { load } from './load.ts';
import { membership } from './membership.ts';
import { mix } from './mix.ts';
import { recovery } from './recovery.ts';
import { scale } from './scale.ts';
import { spreadReads } from './spread-reads.ts';
import { stragglers } from './stragglers.ts';
import { stutter } from './stutter.ts';
import { wideArea } from './wide-area.ts';

/** In the order in which a report tells them. */
export const experiments: readonly Experiment[] = [
  elections,
  stutter,
  adaptation,
  scale,
  mix,
  load,
  failures,
  stragglers,
  membership,
  recovery,
  spreadReads,
  wideArea,
];
