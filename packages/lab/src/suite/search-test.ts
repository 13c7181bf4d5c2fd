import type { Invariant, Stage } from '@quorate/sim';
import type { LabAction } from '../search/action.ts';
import type { Allowance } from '../search/allowance.ts';
import type { LabView } from '../search/view.ts';
import type { ListedTest } from './lab-test.ts';

/** A stage of a search, in words that hold for either style. */
export type SearchStage = Stage<LabView, LabAction, Allowance>;
export type LabInvariant = Invariant<LabView>;

/** A scenario in which every order of events is tried, or as many as there is time for, in place of one that chance has drawn. */
export interface SearchTest extends ListedTest {
  readonly isSearch: true;
  /** What an implementation must offer for it. */
  readonly needs?: 'snapshot' | 'change';
  /** Configurations that a change may ask for. */
  readonly offers?: readonly (readonly number[])[];
  readonly stages: readonly SearchStage[];
}
