/**
 * Everything the core asks of its driver. A driver carries out one output in this order: hand `persist` to the disk,
 * send what need not wait, arm timers, then apply and answer. Whatever names a batch (`after`, `restore`) waits for it.
 */
import type { ChangeRefusal, Message, RefusalReason } from './message.ts';
import type {
  Configuration,
  Entry,
  HardState,
  Incarnation,
  Index,
  MemberId,
  Micros,
  Role,
  SnapshotMetadata,
  Term,
} from './types.ts';

/**
 * The named timers.
 *
 * - `election`: no word from a leader, or no decision, for too long (§5.2).
 * - `heartbeat`: a leader's rhythm.
 * - `quorumCheck`: a leader counts who answered since the last check, and steps down without a majority (dissertation §6.2).
 * - `stickiness`: a voter protects the leader that it heard from until this runs out (dissertation §4.2.3).
 * - `commitNotice`: followers that got no entries since are told what is committed.
 * - `transfer`: a leadership transfer has taken too long (dissertation §3.10).
 * - `quiet`: the leader has lasted (adaptation.ts).
 * - `repair`: entries are faulty here, and it is time to ask the others for them (again).
 */
export type TimerName =
  | 'election'
  | 'heartbeat'
  | 'quorumCheck'
  | 'stickiness'
  | 'commitNotice'
  | 'transfer'
  | 'repair'
  | 'quiet';

/**
 * Arm (or arm anew) a timer: the driver draws the delay from [min, max] each time. `max` = 0 disarms it. When two timers
 * of a server are due at once, stickiness fires before election.
 */
export interface TimerCommand {
  readonly name: TimerName;
  readonly generation: number;
  readonly min: Micros;
  readonly max: Micros;
}

/**
 * What must become durable as one unit, in this order: faulty entries are repaired, the snapshot replaces log and state, the log
 * is cut, entries are appended, term and vote are recorded. Ids grow by one; batches become durable in order, and a later completion speaks for
 * all earlier ones, so a driver may write several as one.
 */
export interface PersistBatch {
  readonly id: number;
  readonly hardState: HardState | null;
  /** Drop every entry from this index on, before appending; 0 for none. */
  readonly truncateFrom: Index;
  readonly entries: readonly Entry[];
  /** Make this received snapshot the current one: the whole log before `entries` is void. */
  readonly snapshot: SnapshotMetadata | null;
  /**
   * Make this received snapshot the current one and keep the log, which holds all that the snapshot does: the state machine
   * needs it, because entries that it covers are faulty. Never together with `snapshot`.
   */
  readonly adopt: SnapshotMetadata | null;
  /**
   * The true content of entries that were faulty, ascending. Once the batch is durable they can be read from their old place;
   * those that are compacted since, or that the same batch cuts, need not be written.
   */
  readonly repairs: readonly Entry[];
}

/** A message to send, once batch `after` is durable (0: at once). */
export interface Outgoing {
  readonly message: Message;
  readonly after: number;
}

/** Entries to read from storage for another server: a follower that is behind what memory holds, or one with faulty entries. */
export interface LoadRequest {
  readonly id: number;
  readonly from: Index;
  readonly to: Index;
  readonly maxBytes: number;
}

/** Apply the committed entries of [from, to], in order, then step `applied`. */
export interface ApplyRange {
  readonly from: Index;
  readonly to: Index;
}

/** Replace the state machine's state by this snapshot once batch `after` is durable, then step `applied` with its index. */
export interface Restore {
  readonly snapshot: SnapshotMetadata;
  readonly after: number;
}

/** What became of proposals id … id + count - 1. Appended is not committed: compare (index, term) on apply. */
export interface ProposalResult {
  readonly id: number;
  readonly count: number;
  /** Where the first was appended; 0 when refused. */
  readonly index: Index;
  readonly term: Term;
  readonly refused: RefusalReason | null;
  /** True when the outcome cannot be known: carried to a leader that was lost before it answered. */
  readonly unknown: boolean;
}

/** A read may be served when `index` is applied here; or it was refused, and may be asked again. */
export interface ReadResult {
  readonly id: number;
  readonly index: Index;
  readonly refused: RefusalReason | null;
}

/** What became of a change of membership. Appended is not committed: the change is over when its target is reached. */
export interface ChangeResult {
  readonly id: number;
  /** Where its first step was appended; 0 when refused. */
  readonly index: Index;
  readonly term: Term;
  readonly refused: ChangeRefusal | null;
  /** True when the outcome cannot be known: carried to a leader that was lost before it answered. */
  readonly unknown: boolean;
}

/** How a leadership transfer ended (dissertation §3.10). */
export interface TransferResult {
  readonly id: number;
  readonly outcome: /** The target leads. */
    | 'done'
    /** This server does not lead: ask the one that does. */
    | 'noLeader'
    /** No such voter answers. */
    | 'noTarget'
    /** Not every member understands it yet: the version in use is too old. */
    | 'versionTooOld'
    /** Another transfer is under way. */
    | 'busy'
    /** The target did not catch up in time. This server leads on. */
    | 'behind'
    /** The target was told to stand and has not been elected in time. */
    | 'timedOut'
    /** Another server leads, or nobody known to this one. */
    | 'leadershipLost';
}

/** What observers may want to know. Reports, never instructions. */
export type RaftEvent =
  | { readonly kind: 'role'; readonly role: Role; readonly term: Term; readonly reason: string }
  | { readonly kind: 'leader'; readonly leader: MemberId | null; readonly term: Term }
  | {
      readonly kind: 'vote';
      readonly candidate: MemberId;
      readonly granted: boolean;
      readonly pre: boolean;
      readonly term: Term;
      readonly reason: string;
    }
  /** A PreVote was answered when this server had asked anew: the answer took longer than the election timeout, and counts for nothing. */
  | { readonly kind: 'lateAnswer'; readonly voter: MemberId }
  | { readonly kind: 'configuration'; readonly configuration: Configuration }
  | { readonly kind: 'truncated'; readonly from: Index; readonly to: Index }
  | { readonly kind: 'faulty'; readonly index: Index; readonly term: Term }
  | { readonly kind: 'repaired'; readonly index: Index; readonly term: Term }
  | { readonly kind: 'violation'; readonly peer: MemberId; readonly reason: string }
  | {
      readonly kind: 'foreignIncarnation';
      readonly member: MemberId;
      /** The life that counts; null where none does, and the one seen has left the cluster. */
      readonly bound: Incarnation | null;
      readonly seen: Incarnation;
    };

export interface Output {
  readonly persist: PersistBatch | null;
  readonly send: readonly Outgoing[];
  readonly arm: readonly TimerCommand[];
  readonly restore: Restore | null;
  readonly apply: ApplyRange | null;
  readonly load: readonly LoadRequest[];
  /**
   * Take a snapshot of the state machine soon, however short the log is: it holds what is damaged in the log, and other servers
   * have that no more than as a snapshot. Said again for as long as it helps.
   */
  readonly takeSnapshot: boolean;
  readonly proposals: readonly ProposalResult[];
  readonly reads: readonly ReadResult[];
  readonly changes: readonly ChangeResult[];
  readonly transfers: readonly TransferResult[];
  readonly events: readonly RaftEvent[];
}
