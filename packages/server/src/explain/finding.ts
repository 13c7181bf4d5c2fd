/** What an explanation is made of, and from. */
import type { RaftNodeStatus } from '@quorate/runtime';

export type Topic = 'leader' | 'commit' | 'apply' | 'reads' | 'membership' | 'version' | 'disk';

export interface Finding {
  readonly topic: Topic;
  /** One word for programs; stable. */
  readonly code: string;
  /** A sentence: what is so, and why. */
  readonly text: string;
  /** What to do about it; null where waiting is all. */
  readonly advice: string | null;
}

export interface ExplainSources {
  readonly status: RaftNodeStatus;
  /** Monotonic, microseconds. */
  readonly now: number;
  /** A member that has been silent this long does not answer at present. Microseconds. */
  readonly silence: number;
}
