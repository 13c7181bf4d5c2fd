/** What a search test has come to, as plain data. */
import type { SeenRun } from '@quorate/sim';

/**
 * - `exhausted`: every order of events within the budgets of each stage. - `bounded`: in some stage there were more states than may be
 *   remembered. - `rerun`: an implementation in the async style was run again and again; what no run came by was not looked at.
 */
export type SearchVerdict = 'exhausted' | 'bounded' | 'rerun';

export interface SearchSummary {
  readonly verdict: SearchVerdict;
  readonly states: number;
  /** Steps that were tried. */
  readonly steps: number;
  /** Steps of the longest way of all stages together. */
  readonly depth: number;
  /** Times that the cluster was run from the beginning; 0 where it could be branched. */
  readonly runs: number;
  readonly stages: readonly StageSummary[];
  /** Null where nothing was broken. */
  readonly way: WayLengths | null;
}

/** Steps of the way to what is broken, those that the scenario makes included. */
export interface WayLengths {
  /** Of the first that was found. */
  readonly found: number;
  /** Of the one that is told: shortened, or the shortest there is. */
  readonly told: number;
}

export interface StageSummary {
  readonly name: string;
  readonly bounds: string;
  /** How it ended, as the search says it. */
  readonly end: string;
  readonly states: number;
  readonly steps: number;
  readonly depth: number;
}

export interface SearchFailure {
  /** What was expected, and what was found. */
  readonly message: string;
  /** The shortest way there, a sentence a step, and what comes behind it: the state at the end. */
  readonly lines: readonly string[];
  /** The same way, for the debugger. */
  readonly way: SeenRun;
}

export interface SearchReport {
  readonly summary: SearchSummary;
  /** Null if it passed. */
  readonly failure: SearchFailure | null;
}
