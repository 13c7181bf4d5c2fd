/** What a person walks about in: a run that can still go another way (session.ts), or one that only can be looked at (playback.ts). */
import type { CoreAction, CoreServer } from '@quorate/sim';
import type { Frame, Position, ViolationView } from './protocol.ts';
import type { StepRecord } from './step-record.ts';
import type { LogWindow } from './views.ts';

export interface Walk {
  readonly position: Position;
  /** Of the branch that is looked at. */
  records(): readonly StepRecord[];
  readonly violation: ViolationView | null;
  /** The servers at this moment. */
  readonly servers: readonly CoreServer[];
  seek(position: Position): void;
  /** Steps on, or back if negative. */
  step(by: number): void;
  /** To the last moment at or before a time, in at most so many steps. */
  playTo(at: number, most: number): void;
  /** Decides what happens now. Throws where it cannot be. */
  act(action: CoreAction): void;
  frame(): Frame;
  /** The entries from `from` to `to` of every log. */
  logs(from: number, to: number): readonly LogWindow[];
  /** A server's whole state, as text. */
  raw(server: string): string;
}
