import { agreement } from './agreement.ts';
import { beyond } from './beyond.ts';
import { disturbedElections } from './disturbed-elections.ts';
import { election } from './election.ts';
import { keyValue } from './key-value/index.ts';
import type { LabTest } from './lab-test.ts';
import { leaving } from './leaving.ts';
import { persistence } from './persistence.ts';
import { snapshots } from './snapshots.ts';
import { stores } from './stores.ts';

export { type LabTest, type Part, parts } from './lab-test.ts';

/** Every scenario, in the order of the course. */
export const suite: readonly LabTest[] = [
  ...election,
  ...agreement,
  ...persistence,
  ...snapshots,
  ...keyValue,
  ...beyond,
  ...disturbedElections,
  ...leaving,
  ...stores,
];
