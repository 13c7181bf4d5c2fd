/**
 * What servers say to each other: one type a message, each with its reply. All carry the envelope; the rest follows
 * Figure 2 and Figure 13 of the paper, chapters 3 to 6 and 9 of the dissertation.
 */
import type { ChangeProblem, MemberChange } from './change.ts';
import type { Entry, Incarnation, Index, LogPosition, MemberId, SnapshotMetadata, Term, Version } from './types.ts';

/** Carried by every message. */
export interface Envelope {
  /** The consensus group; 0 while a process hosts only one. */
  readonly group: number;
  readonly from: MemberId;
  readonly to: MemberId;
  /** The sender's incarnation: votes and acknowledgements of any other than the member's bound one do not count. */
  readonly incarnation: Incarnation;
  /** The sender's current term, durable before the message leaves. */
  readonly term: Term;
}

/**
 * "Would you vote for me in term + 1?" (dissertation §9.6). Changes nothing at the receiver. `term` is the asker's
 * current term, so no message ever bears a term that its sender has not reached.
 */
export interface PreVote extends Envelope {
  readonly kind: 'preVote';
  /** Minted by the asker for each round; the reply repeats it, so a late answer cannot start a second campaign. */
  readonly round: number;
  readonly lastIndex: Index;
  readonly lastTerm: Term;
}
export interface PreVoteReply extends Envelope {
  readonly kind: 'preVoteReply';
  readonly round: number;
  readonly granted: boolean;
}

/** §5.2, §5.4.1. */
export interface RequestVote extends Envelope {
  readonly kind: 'requestVote';
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  /** The leader itself asked for this election (TimeoutNow), so that voters need not protect it (§4.2.3 of the dissertation). */
  readonly transfer: boolean;
}
export interface RequestVoteReply extends Envelope {
  readonly kind: 'requestVoteReply';
  readonly granted: boolean;
}

/** §5.3. Never used as a heartbeat. */
export interface AppendEntries extends Envelope {
  readonly kind: 'appendEntries';
  readonly prevIndex: Index;
  readonly prevTerm: Term;
  readonly entries: readonly Entry[];
  /** The leader's commit index; the follower bounds it by the last entry that this very message validated. */
  readonly commit: Index;
}
export interface AppendEntriesReply extends Envelope {
  readonly kind: 'appendEntriesReply';
  readonly accepted: boolean;
  /** Accepted: the last index known to match the leader's log, durable here. Refused: the prevIndex that was refused. */
  readonly index: Index;
  /** Refused: where the follower suggests to look next, and the term of its entry there (back-up by whole terms). */
  readonly hintIndex: Index;
  readonly hintTerm: Term;
}

/** Proof of leadership, commit index and read round; says nothing about the log and is answered without the disk. */
export interface Heartbeat extends Envelope {
  readonly kind: 'heartbeat';
  /** min(matchIndex of the receiver, commitIndex), so that it never speaks of entries the receiver may lack. */
  readonly commit: Index;
  /** The read round that the answer confirms (dissertation §6.4). Minted by the leader, grows by one a round. */
  readonly round: number;
}
export interface HeartbeatReply extends Envelope {
  readonly kind: 'heartbeatReply';
  readonly round: number;
  /** The newest version of the protocol that the sender speaks. */
  readonly speaks: Version;
  /** Its state machine lacks so much of what is committed that its clients would have to wait (`isBehind`). */
  readonly behind: boolean;
}

/**
 * §7. The core sends metadata. The runtime streams the bytes apart and steps this message into the receiving core only
 * when all of them have arrived and proved intact.
 */
export interface InstallSnapshot extends Envelope {
  readonly kind: 'installSnapshot';
  readonly snapshot: SnapshotMetadata;
}
export interface InstallSnapshotReply extends Envelope {
  readonly kind: 'installSnapshotReply';
  /** The snapshot's index that is answered. */
  readonly snapshotIndex: Index;
  /** The last index known to match the leader's log, durable here. */
  readonly index: Index;
}

/** A follower asks the leader for a read index on behalf of its own clients (dissertation §6.4). */
export interface ReadIndex extends Envelope {
  readonly kind: 'readIndex';
  /** The asker's number for this request; returned unchanged and used for nothing else. */
  readonly id: number;
}
export interface ReadIndexReply extends Envelope {
  readonly kind: 'readIndexReply';
  readonly id: number;
  /** The index that must be applied before the read is served, or 0 when refused. */
  readonly index: Index;
  /** Why, when refused. */
  readonly refused: RefusalReason | null;
}

/**
 * A follower carries proposals to the leader, once. They are numbered id, id + 1, …; all are appended or none. The transport must
 * not deliver one twice: the core would take it for another (every other message may come twice, late, or never).
 */
export interface Propose extends Envelope {
  readonly kind: 'propose';
  readonly id: number;
  readonly commands: readonly Uint8Array[];
}
export interface ProposeReply extends Envelope {
  readonly kind: 'proposeReply';
  readonly id: number;
  readonly count: number;
  /** Where the first one was appended, in `term`; 0 when refused. */
  readonly index: Index;
  readonly refused: RefusalReason | null;
}

/** A follower carries a change of membership to the leader. Its version lets a copy that comes twice change nothing twice. */
export interface ChangeMembers extends Envelope {
  readonly kind: 'changeMembers';
  readonly id: number;
  readonly version: number;
  readonly changes: readonly MemberChange[];
}
export interface ChangeMembersReply extends Envelope {
  readonly kind: 'changeMembersReply';
  readonly id: number;
  /** Where the first step was appended, in `term`; 0 when refused. */
  readonly index: Index;
  readonly refused: ChangeRefusal | null;
}

/** The leader asks the receiver to stand for election at once (dissertation §3.10). */
export interface TimeoutNow extends Envelope {
  readonly kind: 'timeoutNow';
}

/** "My records of these entries are damaged: what do you know of them?" (CTRL, FAST '18, §3.4). */
export interface FetchEntries extends Envelope {
  readonly kind: 'fetchEntries';
  /** Minted by the asker for each round; the reply repeats it. */
  readonly round: number;
  /** What the asker's state machine has applied: what is compacted behind it can only be made up for by a snapshot. */
  readonly applied: Index;
  /** The asker's own snapshot, of this index, is damaged: the leader's is to take its place, once that reaches as far. 0 for none. */
  readonly snapshot: Index;
  /** At most `maxFetchEntries`, ascending. */
  readonly wanted: readonly LogPosition[];
}

/**
 * Answers to some of the positions of a FetchEntries. Several replies may answer one request; what none answers is asked for
 * again. `dontHave` and `compacted` are statements of the sender in `term`.
 */
export interface FetchEntriesReply extends Envelope {
  readonly kind: 'fetchEntriesReply';
  readonly round: number;
  readonly answers: readonly FetchAnswer[];
}
export type FetchAnswer =
  | { readonly verdict: 'have'; readonly entry: Entry }
  | {
      /**
       * - `dontHave`: this log holds no such entry.
       * - `haveFaulty`: it does, but the record is damaged here too.
       * - `compacted`: a snapshot stands in its place.
       */
      readonly verdict: 'dontHave' | 'haveFaulty' | 'compacted';
      readonly position: LogPosition;
    };

export type Message =
  | PreVote
  | PreVoteReply
  | RequestVote
  | RequestVoteReply
  | AppendEntries
  | AppendEntriesReply
  | Heartbeat
  | HeartbeatReply
  | InstallSnapshot
  | InstallSnapshotReply
  | ReadIndex
  | ReadIndexReply
  | Propose
  | ProposeReply
  | ChangeMembers
  | ChangeMembersReply
  | TimeoutNow
  | FetchEntries
  | FetchEntriesReply;

export type MessageKind = Message['kind'];

/** Why a proposal or a read was refused. Every refusal is definite: nothing was appended. */
export type RefusalReason =
  /** This server is not the leader and knows none to ask. Try another server, or again after an election. */
  | 'noLeader'
  /** The leader is handing over or has just lost its office. Try again. */
  | 'leadershipLost'
  /** The leader has found entries damaged on its disk and settles with the others what they were. Try again later. */
  | 'recovering'
  /** Too many bytes or requests wait already (maxUncommittedBytes, maxPendingReads). Try again later. */
  | 'busy'
  /** The leader's disk is full up to its reserve: the leader's driver says so in its stead. Make room there. */
  | 'leaderDiskFull'
  /** The command is larger than maxCommandBytes. Make it smaller. */
  | 'tooLarge'
  /** This incarnation of the member is not the one that the cluster counts on. */
  | 'foreignIncarnation';

/** Why a change of membership was refused. Every refusal is definite: nothing was appended. */
export type ChangeRefusal =
  | RefusalReason
  | ChangeProblem
  /** It was made for a configuration that is not in force any more. Look again, then decide again. */
  | 'staleView'
  /** Another change is between its first entry and the commit of its last. Try again. */
  | 'changing'
  /** The leader has committed nothing in its term yet, so it cannot know what is committed (§8). Try again. */
  | 'unproven'
  /** Too few of those who would vote answer now: after the change nothing could be decided. */
  | 'quorumWouldBeLost'
  /** Not every member understands it yet: the version in use is too old. Upgrade the servers that hold it back. */
  | 'versionTooOld';
