/** A run that has been, from its beginning to its end: all its steps are known, and every moment of it can be gone to. */
import type { Happening } from './happening.ts';
import type { HistoryView } from './history.ts';
import type { Forking } from './recording.ts';
import type { SeenServer } from './predicates.ts';
import type { BranchMark, Source, ViolationView } from './protocol.ts';
import type { StepRecord } from './step-record.ts';
import type { CutView, LogWindow, MessageView, ServerView } from './views.ts';

export interface Tape {
  readonly source: Source;
  readonly title: string;
  readonly records: readonly StepRecord[];
  readonly marks: readonly BranchMark[];
  readonly violation: ViolationView | null;
  /** Why its steps were not judged, in words; null if they were. */
  readonly unjudged: string | null;
  readonly remark: string | null;
  /** How it goes another way; or in words why it cannot. */
  readonly forking: Forking | string;
  /** To the moment behind so many steps. All below is about that moment. */
  goTo(step: number): void;
  views(): readonly ServerView[];
  messages(): readonly MessageView[];
  cuts(): readonly CutView[];
  happened(): Happening | null;
  history(): HistoryView;
  readonly servers: readonly SeenServer[];
  logs(from: number, to: number): readonly LogWindow[];
  /** A server's whole state, as text. */
  raw(server: string): string;
}
