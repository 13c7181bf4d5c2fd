/**
 * All that the key-value service knows of consensus. The server gives it a Raft; a test may give it a list.
 * Callbacks come from the same event loop, never from inside the call, exactly once each.
 */

export interface Consensus {
  /**
   * Wants `command` in the log, once. `done` comes when it has been applied on this very server (with what `apply`
   * returned), or when it is known that it never will be, or when that cannot be known.
   */
  propose(command: Uint8Array, done: (outcome: ProposeOutcome) => void): void;
  /** Calls back when every write acknowledged before the call is applied here (dissertation §6.4). */
  readBarrier(done: (outcome: BarrierOutcome) => void): void;
  /** The present view of leadership. */
  leadership(): Leadership;
  /** The last applied index and the log's present term, for response headers and Status. */
  progress(): { readonly appliedIndex: number; readonly committedIndex: number; readonly term: number };
  /** Called after each run of applied commands. Returns the way to stop it. */
  onApplied(listener: () => void): () => void;
  onLeadership(listener: (leadership: Leadership) => void): () => void;
}

export type ProposeOutcome =
  | { readonly kind: 'applied'; readonly index: number; readonly result: unknown }
  /** Definite: not in the log and never will be. */
  | {
      readonly kind: 'refused';
      readonly reason:
        | 'noLeader'
        | 'leadershipLost'
        | 'recovering'
        | 'busy'
        | 'tooLarge'
        | 'diskFull'
        | 'leaderDiskFull'
        | 'shuttingDown'
        | 'foreignIncarnation';
      readonly message: string;
    }
  /** It may or may not take effect. Never propose it again. */
  | { readonly kind: 'unknown'; readonly message: string };

export type BarrierOutcome =
  | { readonly kind: 'ready'; readonly index: number }
  | {
      readonly kind: 'refused';
      readonly reason: 'noLeader' | 'leadershipLost' | 'recovering' | 'busy' | 'shuttingDown' | 'foreignIncarnation';
      readonly message: string;
    };

export interface Leadership {
  readonly isLeader: boolean;
  /** Member id of the leader as an exact 64-bit number; 0n when none is known. */
  readonly leader: bigint;
  readonly term: number;
}

/** Clock, chance and timers, injected; the same seam as the runtime's, cut to what the service needs. */
export interface KvEnvironment {
  /** Monotonic, whole microseconds. */
  now(): number;
  /** Uniform unsigned 32 bits. */
  random(): number;
  /** Calls back once, no earlier than `delay` microseconds from now; returns the way to cancel. */
  setTimer(delay: number, callback: () => void): () => void;
  /** Calls back after other waiting events have had their turn: for work that runs in slices. */
  yield(callback: () => void): void;
}
