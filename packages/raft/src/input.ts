/**
 * Everything that can happen to the core. A driver (runtime, simulator, checker, debugger) turns the world into these;
 * `now` is the only clock; it serves leases and reports, tells a leader that its process slept, and decides nothing else.
 */
import type { MemberChange } from './change.ts';
import type { Message } from './message.ts';
import type { TimerName } from './output.ts';
import type { Entry, Index, MemberId, Micros, SnapshotMetadata } from './types.ts';

interface At {
  readonly now: Micros;
}

/** A timer that the core armed has run out. An old generation is ignored. */
export interface TimeoutInput extends At {
  readonly kind: 'timeout';
  readonly name: TimerName;
  readonly generation: number;
}

/** A message arrived from a peer. Nothing in it can make the core throw. */
export interface MessageInput extends At {
  readonly kind: 'message';
  readonly message: Message;
}

/**
 * Clients of this server want commands in the log. Numbered id, id + 1, …; appended all or none, here or, carried once, at the
 * leader. Ids grow, and never repeat in a later run of the driver either (begin at a random number or at a clock's): an
 * answer that was under way when this server crashed must not pass for the answer to another question.
 */
export interface ProposeInput extends At {
  readonly kind: 'propose';
  readonly id: number;
  readonly commands: readonly Uint8Array[];
}

/**
 * A client of this server wants to read: at which index may it? Answered in `Output.reads` under the same id. Ids never repeat,
 * in later runs neither.
 */
export interface ReadInput extends At {
  readonly kind: 'read';
  readonly id: number;
}

/**
 * A client of this server wants the membership changed. Answered in `Output.changes` under the same id; ids grow and never repeat,
 * as those of proposals.
 */
export interface ChangeInput extends At {
  readonly kind: 'change';
  readonly id: number;
  readonly changes: readonly MemberChange[];
  /** The version of the configuration that the change was made for: under another it is refused. Null: that in force here. */
  readonly version: number | null;
}

/** Leadership is to go to `target`, or to the voter that is closest behind (null). Answered in `Output.transfers`. */
export interface TransferInput extends At {
  readonly kind: 'transfer';
  readonly id: number;
  readonly target: MemberId | null;
}

/** Every batch up to and including `id` is durable. */
export interface PersistedInput extends At {
  readonly kind: 'persisted';
  readonly id: number;
}

/** The state machine has applied everything up to `index` (or was restored from a snapshot at it). */
export interface AppliedInput extends At {
  readonly kind: 'applied';
  readonly index: Index;
}

/** Answer to a load request: entries from its `from` on, contiguous, at least one. */
export interface LoadedInput extends At {
  readonly kind: 'loaded';
  readonly id: number;
  readonly entries: readonly Entry[];
}

/**
 * The load request cannot be answered: its first entry is compacted away, or is faulty. Of a faulty one the input `faulty` has
 * told before.
 */
export interface LoadFailedInput extends At {
  readonly kind: 'loadFailed';
  readonly id: number;
  readonly reason: 'compacted' | 'faulty';
}

/** Reading the entry at `index`, for whatever purpose, storage found its record damaged. It may be reported more than once. */
export interface FaultyInput extends At {
  readonly kind: 'faulty';
  readonly index: Index;
}

/**
 * A snapshot of this server's own state machine is durable, and the log may forget everything up to and including
 * `through` (at most the snapshot's index; less, to keep a tail for slow followers).
 */
export interface CompactedInput extends At {
  readonly kind: 'compacted';
  readonly snapshot: SnapshotMetadata;
  readonly through: Index;
}

/** How the transfer of a snapshot's bytes to `peer` ended. Success is not an acknowledgement: that is a message. */
export interface SnapshotSentInput extends At {
  readonly kind: 'snapshotSent';
  readonly peer: MemberId;
  readonly delivered: boolean;
}

/** Messages to `peer` were dropped, or its connection was lost: what was in flight cannot be counted on. */
export interface UnreachableInput extends At {
  readonly kind: 'unreachable';
  readonly peer: MemberId;
}

/**
 * The connection that this server had opened to `peer` broke, and a new one was refused at once: nobody listens there. Not for
 * timeouts, not for a peer that was never reached.
 */
export interface PeerGoneInput extends At {
  readonly kind: 'peerGone';
  readonly peer: MemberId;
}

export type Input =
  | TimeoutInput
  | MessageInput
  | ProposeInput
  | ReadInput
  | ChangeInput
  | TransferInput
  | PersistedInput
  | AppliedInput
  | LoadedInput
  | LoadFailedInput
  | FaultyInput
  | CompactedInput
  | SnapshotSentInput
  | UnreachableInput
  | PeerGoneInput;
