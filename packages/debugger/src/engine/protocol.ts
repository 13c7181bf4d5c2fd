/**
 * What page and worker say to each other. The worker holds worlds; the page gets views of one moment at a time, and of each branch
 * the steps that it has not been told yet.
 */
import type { CoreAction, FlightBytes } from '@quorate/sim';
import type { Comparison } from './compare.ts';
import type { ExplorationView } from './explore.ts';
import type { Happening } from './happening.ts';
import type { HistoryView } from './history.ts';
import type { Predicate } from './predicates.ts';
import type { Deed } from './recording.ts';
import type { Setup } from './setup.ts';
import type { StepRecord } from './step-record.ts';
import type { CutView, EntryStory, LogWindow, MessageView, ServerView } from './views.ts';
import type { Why } from './why.ts';

/** A moment: a branch, and how many of its steps have been taken. */
export interface Position {
  readonly branch: number;
  readonly step: number;
}

export interface BranchView {
  readonly id: number;
  /** The branch that it parts from, and after how many steps. Null for the first one. */
  readonly parent: number | null;
  readonly forkAt: number;
  /** All its steps, those that it shares with its parent included. */
  readonly length: number;
  /** Its first different decision, in words. */
  readonly name: string;
  /** The first invariant that it breaks; null if it breaks none. */
  readonly violation: ViolationView | null;
  /** Another invariant that is broken later, because of it; null for none. */
  readonly consequence: ViolationView | null;
  /** Steps that stand out on the time line. */
  readonly marks: readonly BranchMark[];
}

export interface ViolationView {
  readonly step: number;
  /** Its id in docs/invariants.md; of a Raft in the lab, what broke is the test. */
  readonly invariant: string;
  /** What it says, where it is not in that list. */
  readonly sentence?: string;
  /** The step that made the first fact, where that is known. */
  readonly firstStep?: number;
  /** What was promised, or found, first; and what contradicts it. */
  readonly first: string;
  readonly second: string;
}

export interface BranchMark {
  readonly step: number;
  readonly kind: 'crash' | 'restart' | 'partition' | 'heal' | 'leader' | 'violation';
  readonly text: string;
}

/** Something that can be done next, and the ways to do it. */
export interface PendingItem {
  readonly key: string;
  readonly group: 'message' | 'timer' | 'disk' | 'apply' | 'client' | 'server' | 'link';
  readonly server: string;
  readonly title: string;
  readonly detail: string;
  readonly dueAt: number | null;
  readonly choices: readonly Choice[];
}

/** What a person can decide, in either kind of world. */
export type AnyAction = CoreAction | { readonly kind: 'deed'; readonly deed: Deed };

export interface Choice {
  readonly label: string;
  readonly action: AnyAction;
  /** Why it is not possible now; null if it is. */
  readonly refused: string | null;
}

/** What is looked at: a world of cores, a world of whole nodes, recordings of real servers, or a Raft in the lab, seen from outside. */
export type Source = 'cores' | 'nodes' | 'servers' | 'lab';

/** One moment, whole. */
export interface Frame {
  readonly title: string;
  readonly position: Position;
  readonly now: number;
  /** When the next event is due; null if nothing ever happens by itself. */
  readonly nextAt: number | null;
  /** The decision that the branch goes on with here is recorded already. */
  readonly isAtEnd: boolean;
  readonly source: Source;
  /** It has been, from its beginning to its end: nothing grows at its end. */
  readonly isRecording: boolean;
  /** Why it cannot go another way, in words; null if it can. */
  readonly fixed: string | null;
  /** Why its steps were not judged by the invariants, in words; null if they were. */
  readonly unjudged: string | null;
  readonly servers: readonly ServerView[];
  readonly messages: readonly MessageView[];
  readonly cuts: readonly CutView[];
  readonly pending: readonly PendingItem[];
  readonly happened: Happening | null;
  readonly branches: readonly BranchView[];
  readonly news: readonly BranchNews[];
  /** What must be said about what was opened: where it went another way. */
  readonly remark: string | null;
}

/** Steps of a branch that the page does not know yet: its own, from `from` on. */
export interface BranchNews {
  readonly branch: number;
  readonly from: number;
  readonly records: readonly StepRecord[];
}

export const exportForms = ['trace', 'scenario', 'test', 'mermaid'] as const;
export type ExportForm = (typeof exportForms)[number];

/** How a search or a run came out. */
export interface Outcome {
  readonly isReached: boolean;
  readonly text: string;
  readonly frame: Frame;
}

interface Commands {
  /** Begins a session: everything before it is forgotten. */
  open: { readonly ask: { readonly setup: Setup }; readonly answer: Frame };
  /** A trace file's text. */
  openTrace: { readonly ask: { readonly text: string; readonly name: string }; readonly answer: Frame };
  /** The files of flight recorders. */
  openFlights: {
    readonly ask: { readonly files: readonly FlightBytes[]; readonly name: string };
    readonly answer: Frame;
  };
  openLink: { readonly ask: { readonly link: string }; readonly answer: Frame };
  seek: { readonly ask: Position; readonly answer: Frame };
  /** Steps forward, or back if negative; beyond the end of the branch what is due next happens. */
  step: { readonly ask: { readonly by: number }; readonly answer: Frame };
  /** To the last moment at or before a time, by at most so many steps. */
  playTo: { readonly ask: { readonly at: number; readonly most: number }; readonly answer: Frame };
  /** Does it here and now. Where the branch goes on otherwise, a new one begins. */
  act: { readonly ask: { readonly actions: readonly AnyAction[] }; readonly answer: Frame };
  runUntil: {
    readonly ask: { readonly predicate: Predicate; readonly how: 'continue' | 'search' };
    readonly answer: Outcome;
  };
  shrink: { readonly ask: object; readonly answer: Outcome };
  /** The states ahead of this moment. `depth`: how far the wider search goes. */
  explore: {
    readonly ask: { readonly goal: Predicate | null; readonly depth: number };
    readonly answer: ExplorationView;
  };
  /** A branch to a state that was explored: of the picture, or of those that came near (-1: what the search was for). */
  goToState: {
    readonly ask: { readonly of: 'picture' | 'near'; readonly id: number };
    readonly answer: Frame;
  };
  /** The servers at the end of a branch; the moment stays. */
  glimpse: { readonly ask: { readonly branch: number }; readonly answer: readonly ServerView[] };
  logs: { readonly ask: { readonly from: number; readonly to: number }; readonly answer: readonly LogWindow[] };
  story: { readonly ask: { readonly server: string; readonly index: number }; readonly answer: EntryStory | null };
  raw: { readonly ask: { readonly server: string }; readonly answer: string };
  why: { readonly ask: object; readonly answer: Why | null };
  history: { readonly ask: object; readonly answer: HistoryView };
  compare: { readonly ask: { readonly branch: number }; readonly answer: Comparison };
  export: { readonly ask: { readonly form: ExportForm }; readonly answer: string };
  link: { readonly ask: object; readonly answer: string };
}

export type CommandName = keyof Commands;
export type Ask<Name extends CommandName> = Commands[Name]['ask'];
export type Answer<Name extends CommandName> = Commands[Name]['answer'];

export type Request = {
  [Name in CommandName]: { readonly id: number; readonly name: Name; readonly ask: Ask<Name> };
}[CommandName];

/** To the worker: a request, or the end of whatever takes long. */
export type ToWorker = Request | { readonly cancel: true };

export type FromWorker =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly id: number; readonly progress: string };
