import type { LabAction } from './action.ts';
import type { LabMessage } from './message.ts';
import type { SearchedServer } from './server.ts';
import type { Turned } from './turn.ts';

/** What came of an action. */
export interface LabStep {
  readonly action: LabAction;
  /** The message that arrived, or did not. */
  readonly message: LabMessage | null;
  /** What the server did; null where none was touched. */
  readonly turned: Turned<SearchedServer> | null;
  /** What was to be started. */
  readonly command: string | null;
}
