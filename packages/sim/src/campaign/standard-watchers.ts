import { Coverage } from '../coverage/index.ts';
import { Invariants } from '../invariants/index.ts';
import type { WatcherFactory } from './run-seed.ts';

/** Who watches every run of a campaign. */
export const standardWatchers: WatcherFactory = ({ damage }) => [
  new Invariants({ isDamageBudgeted: !damage.beyond }),
  new Coverage(),
];
