/**
 * The vocabulary that every file of the core shares. Names are the paper's (Figure 2) unless it has none.
 */

/** Names a server for ever. Opaque, 1 to 64 characters; an address is not an identity and may change. */
export type MemberId = string;

/**
 * Names one life of a member's data directory. Drawn when the directory is created, so a server that lost its disk is
 * a different incarnation of the same member, and nothing that it promised before is attributed to it now.
 */
export type Incarnation = string;

/** An election term (§5.1). 0 before the first election. A safe integer. */
export type Term = number;

/** A position in the log. The first entry has index 1; index 0 is the empty prefix. A safe integer. */
export type Index = number;

/**
 * The largest term and index that a server takes from a peer. Far beyond any that a cluster reaches, and so far below the
 * largest safe integer that counting on from it stays exact.
 */
export const maxTerm: Term = 2 ** 52;
export const maxIndex: Index = 2 ** 52;

/** A version of the protocol, of what servers say to each other and write for each other (versions.ts). From 1 to `maxVersion`. */
export type Version = number;
export const maxVersion: Version = 255;

/** A time or a duration in whole microseconds, monotonic. Only differences mean anything. */
export type Micros = number;

/** What a server is at this moment (§5.1; pre-candidate: dissertation §9.6). */
export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';

/** What an entry carries. The numbers stand in logs and on the wire: never reuse one. */
export const EntryKind = {
  /** Appended by a new leader, so that it can commit what earlier terms left (§8). Carries no data. */
  noop: 0,
  /** A command for the state machine. */
  command: 1,
  /** A cluster configuration; `data` holds it encoded (configuration-codec.ts). */
  configuration: 2,
} as const;
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

/** One entry of the replicated log. Never changed after it is made; `data` is shared, not copied. */
export interface Entry {
  readonly index: Index;
  readonly term: Term;
  readonly kind: EntryKind;
  readonly data: Uint8Array;
}

/** A position together with its term: enough to identify an entry, and by Log Matching everything before it (§5.3). */
export interface LogPosition {
  readonly index: Index;
  readonly term: Term;
}

/** What must survive a crash besides the log (Figure 2, "persistent state on all servers"). */
export interface HardState {
  readonly term: Term;
  /** The candidate that got this server's vote in `term`, or null. */
  readonly vote: MemberId | null;
}

/** What the core knows of a snapshot. The bytes are the runtime's affair (§7). */
export interface SnapshotMetadata {
  /** The last entry that the snapshot replaces. */
  readonly index: Index;
  readonly term: Term;
  /** The configuration in force at `index`, and where it was defined. */
  readonly configuration: Configuration;
}

/** A server of the cluster. */
export interface Member {
  readonly id: MemberId;
  /** The life of this member that counts; null until a leader has bound the first one that it heard from. */
  readonly incarnation: Incarnation | null;
  /** Whatever the embedder keeps with a member (addresses, a name). Opaque to the core, at most 4 KiB. */
  readonly context: string;
}

/** One life of a member. */
export interface Life {
  readonly id: MemberId;
  readonly incarnation: Incarnation;
}

/**
 * How the configuration is to end, while a change of membership is under way. Members not named in `leaving` stay: those that are
 * not among its voters as learners.
 */
export interface Target {
  /** Sorted. Those that are learners yet must first have caught up. */
  readonly voters: readonly MemberId[];
  /** Voters that will belong to the cluster no more. Sorted. */
  readonly leaving: readonly MemberId[];
  /** Lives that take the place of voters' earlier ones, whose disks are lost, once those vote no more. Sorted by id. */
  readonly successors: readonly Life[];
}

/**
 * Who belongs to the cluster and whose agreement counts (§6). In force from the moment it is appended. While `outgoing`
 * is not empty the configuration is joint: every decision needs a majority of `voters` and a majority of `outgoing`.
 */
export interface Configuration {
  /** Index of the entry that defined it; 0 for the one that the cluster was created with. */
  readonly index: Index;
  /** Grows with every change that someone asked for, and with every step of it: what a change is checked against. */
  readonly version: number;
  /** The version of the protocol in use: every member has said that it speaks it. Grows only (versions.ts). */
  readonly protocol: Version;
  /** The voters, or while joint the incoming half. Sorted, without repetition. */
  readonly voters: readonly MemberId[];
  /** The outgoing half while joint, otherwise empty. Sorted, without repetition. */
  readonly outgoing: readonly MemberId[];
  /** Servers that receive the log and count for nothing. Sorted; disjoint from both halves. */
  readonly learners: readonly MemberId[];
  /** Voters of the outgoing half that become learners when the joint phase ends. */
  readonly learnersNext: readonly MemberId[];
  /** Every server named above exactly once, sorted by id. */
  readonly members: readonly Member[];
  /** Where the change under way leads; null if none is. */
  readonly target: Target | null;
  /** Lives that no longer belong to the cluster, oldest first, at most `maxFormer`: they must not come back. */
  readonly former: readonly Life[];
}
