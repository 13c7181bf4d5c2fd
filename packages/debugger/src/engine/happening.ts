/** A step under the glass: what the server was handed, what it said, and what changed in it. */
import type { MemberId } from '@quorate/raft';

export interface Happening {
  readonly step: number;
  readonly title: string;
  readonly server: MemberId | null;
  /** What was handed to the core, one line each. */
  readonly inputs: readonly string[];
  /** What the core asked for, one line each, in the order in which it is carried out. */
  readonly outputs: readonly OutputLine[];
  readonly diff: readonly DiffLine[];
}

export interface OutputLine {
  readonly kind: 'persist' | 'send' | 'wait' | 'arm' | 'apply' | 'restore' | 'load' | 'answer' | 'event';
  readonly text: string;
}

export interface DiffLine {
  readonly field: string;
  readonly before: string;
  readonly after: string;
}
