/** What the process that prints and the processes that run tests say to each other. All of it is plain. */
import type { SeenRun } from '@quorate/sim';
import type { Pauses } from '../network/call-counts.ts';
import type { SearchSummary } from '../search/search-report.ts';
import type { Part } from '../suite/index.ts';

/** What to test. */
export interface Subject {
  /** A module of the user's, as an absolute path; null for our own Raft. */
  readonly path: string | null;
}

export interface Job {
  readonly test: string;
  readonly seed: number;
  readonly isRealTime: boolean;
  /** Look for races, in virtual time (race/). */
  readonly isRace: boolean;
  /** Keep all that can be seen of it, for the debugger. */
  readonly isRecorded?: boolean;
  /** Search handlers as the async style is searched: by running again and again. */
  readonly isRerun?: boolean;
}

export interface Moment {
  readonly at: number;
  readonly text: string;
}

export interface FailureNote {
  /** What was expected, and what was found. */
  readonly message: string;
  /** An HTML page that shows more; null if there is none. */
  readonly page: string | null;
  /** Where: of the user's code if it threw, else of the scenario. */
  readonly stack: string;
  /** Of a search: the way there, a sentence a step. */
  readonly way: readonly string[];
  /** The newest steps of the scenario. */
  readonly steps: readonly Moment[];
  /** The newest events of each server. */
  readonly events: readonly { readonly server: number; readonly moments: readonly Moment[] }[];
}

export interface Outcome {
  readonly part: Part | 'door';
  readonly test: string;
  readonly title: string;
  readonly seed: number;
  readonly servers: number;
  readonly failure: FailureNote | null;
  /** All that was seen of it; null where that was not asked for. Of a search that failed: the way there, unasked. */
  readonly recording?: SeenRun | null;
  /** See TestReport. */
  readonly notOffered: string | null;
  /** Milliseconds of the test's time. */
  readonly elapsed: number;
  readonly calls: number;
  readonly bytes: number;
  readonly callsByMethod: readonly (readonly [string, number])[];
  readonly agreed: number;
  readonly remarks: readonly string[];
  /** Milliseconds, see TestReport. */
  readonly calling: number;
  readonly unanswered: number;
  readonly pauses: Pauses;
  readonly computing: number;
  /** What was searched; null of a test that was run. */
  readonly search: SearchSummary | null;
}

/** Of a test that measured nothing. */
export const noFigures = {
  elapsed: 0,
  calls: 0,
  bytes: 0,
  callsByMethod: [],
  agreed: 0,
  remarks: [],
  calling: 0,
  unanswered: 0,
  pauses: { asleep: 0, waiting: 0 },
  computing: 0,
  search: null,
} as const satisfies Partial<Outcome>;

/** From the process that runs tests. */
export type Report =
  | { readonly kind: 'ready' }
  /** The module cannot be loaded. */
  | { readonly kind: 'unfit'; readonly reason: string }
  | { readonly kind: 'outcome'; readonly outcome: Outcome; readonly user: number; readonly system: number };
