/**
 * What the page is shown: plain data, made anew for each moment, with nothing of a core in it. Times are virtual microseconds.
 */
import type { MemberId, Role, TimerName } from '@quorate/raft';

/** What a server is by the newest configuration in its own log; none: it waits to be let in, or has left. */
export type Seat = 'voter' | 'learner' | 'none';

export interface ServerView {
  readonly id: MemberId;
  readonly condition: 'running' | 'paused' | 'down';
  readonly role: Role;
  readonly term: number;
  readonly vote: MemberId | null;
  readonly leader: MemberId | null;
  /** It believes that it leads, and another server leads a later term. */
  readonly isStaleLeader: boolean;
  readonly isSticky: boolean;
  readonly seat: Seat;
  /** Crashes when it next hands something to its disk. */
  readonly isDoomed: boolean;
  readonly votes: readonly { readonly voter: MemberId; readonly granted: boolean }[];
  readonly log: LogBounds;
  /** The newest entries, oldest first, at most `tailLength`. */
  readonly tail: readonly EntryView[];
  readonly timers: readonly TimerView[];
  /** Until when this leader answers reads without asking; null where there are no leases, or it has none. It may have run out. */
  readonly lease: LeaseView | null;
  readonly followers: readonly FollowerView[];
  /** Batches handed to the disk and not durable yet. */
  readonly pendingBatches: number;
  /** Why the server stopped by itself; null if it did not. */
  readonly broken: string | null;
}

/** Marks on the ruler of one server's log. */
export interface LogBounds {
  /** The log begins behind this index: what is before is in the snapshot. */
  readonly base: number;
  readonly snapshot: number;
  readonly last: number;
  readonly durable: number;
  readonly commit: number;
  readonly applied: number;
}

/** Virtual microseconds, in the time of the run. */
export interface LeaseView {
  readonly from: number;
  readonly until: number;
}

export interface TimerView {
  readonly name: TimerName;
  readonly armedAt: number;
  readonly dueAt: number;
}

/** What a leader knows of a follower. */
export interface FollowerView {
  readonly id: MemberId;
  readonly match: number;
  readonly next: number;
  readonly state: 'probe' | 'replicate' | 'snapshot';
}

export interface MessageView {
  readonly id: number;
  readonly from: MemberId;
  readonly to: MemberId;
  /** A kind of the core's messages, or what a Raft of the lab calls it. */
  readonly kind: string;
  readonly term: number;
  readonly summary: string;
  readonly sentAt: number;
  readonly dueAt: number;
}

/** A cut of one direction of a link. */
export interface CutView {
  readonly from: MemberId;
  readonly to: MemberId;
}

export type Durability = 'volatile' | 'written' | 'durable' | 'faulty';

export interface EntryView {
  readonly index: number;
  readonly term: number;
  readonly kind: 'noop' | 'command' | 'configuration';
  readonly text: string;
  readonly durability: Durability;
}

/** A window of one server's log. */
export interface LogWindow {
  readonly server: MemberId;
  readonly entries: readonly EntryView[];
}

/** Who made an entry, and who holds it durably. Steps are of the branch that is looked at. */
export interface EntryStory {
  readonly index: number;
  readonly term: number;
  readonly createdBy: MemberId;
  readonly createdAt: number;
  readonly durableAt: readonly { readonly server: MemberId; readonly step: number }[];
  readonly acknowledgedAt: readonly { readonly server: MemberId; readonly step: number }[];
  /** The step in which a leader first counted it committed; null if none has. */
  readonly committedAt: number | null;
}
