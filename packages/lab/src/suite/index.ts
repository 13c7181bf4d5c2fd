import { agreement } from './agreement.ts';
import { beyond } from './beyond.ts';
import { disturbedElections } from './disturbed-elections.ts';
import { election } from './election.ts';
import { keyValue } from './key-value/index.ts';
import { type LabTest, type ListedTest, parts } from './lab-test.ts';
import { leaving } from './leaving.ts';
import { persistence } from './persistence.ts';
import { snapshots } from './snapshots.ts';
import { searchesOfElections } from './searches-of-elections.ts';
import { searchesOfLateMessages } from './searches-of-late-messages.ts';
import { searchesOfTheLog } from './searches-of-the-log.ts';
import type { SearchTest } from './search-test.ts';
import { stores } from './stores.ts';

export { type LabTest, type ListedTest, type Part, parts } from './lab-test.ts';
export type { SearchTest } from './search-test.ts';

/** Every scenario that is run, in the order of the course. */
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

/** Every scenario that is searched. */
export const searches: readonly SearchTest[] = [...searchesOfElections, ...searchesOfTheLog, ...searchesOfLateMessages];

/** All of them, part by part; the searches of a part behind what is run. */
export const allTests: readonly ListedTest[] = parts.flatMap((part) =>
  [...suite, ...searches].filter((test) => test.part === part),
);
