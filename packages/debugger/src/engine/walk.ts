/** What a person walks about in: a run that is made as it goes (session.ts), or one that has been (playback.ts). */
import type { HistoryView } from './history.ts';
import type { SeenServer } from './predicates.ts';
import type { AnyAction, Frame, Position, ViolationView } from './protocol.ts';
import type { StepRecord } from './step-record.ts';
import type { LogWindow, ServerView } from './views.ts';

export interface Walk {
  readonly position: Position;
  /** Of the branch that is looked at. */
  records(): readonly StepRecord[];
  readonly violation: ViolationView | null;
  /** The servers at this moment. */
  readonly servers: readonly SeenServer[];
  /** Steps of a branch. Throws where there is none of that number. */
  lengthOf(branch: number): number;
  seek(position: Position): void;
  /** Steps on, or back if negative. */
  step(by: number): void;
  /** To the last moment at or before a time, in at most so many steps. */
  playTo(at: number, most: number): void;
  /** Decides what happens now, one after the other. Throws where it cannot be. */
  act(actions: readonly AnyAction[]): void;
  /** What clients asked and were told up to this moment. */
  history(): HistoryView;
  frame(): Frame;
  /** The servers at this moment, as they are shown. */
  views(): readonly ServerView[];
  /** The entries from `from` to `to` of every log. */
  logs(from: number, to: number): readonly LogWindow[];
  /** A server's whole state, as text. */
  raw(server: string): string;
}
