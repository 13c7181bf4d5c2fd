/**
 * The whole state of one server (Figure 2, "State"), as plain data in one place. Every field says what it means and which
 * file writes it.
 */
import type { Lease } from './lease.ts';
import { forgetCovered, type Log, recoverLog } from './log.ts';
import type { RaftOptions } from './options.ts';
import type { Outbox } from './outbox.ts';
import type { TimerName } from './output.ts';
import type { RecoveredState } from './recovered.ts';
import type {
  Configuration,
  Incarnation,
  Index,
  LogPosition,
  MemberId,
  Micros,
  Role,
  SnapshotMetadata,
  Term,
  Version,
} from './types.ts';

/** What every chapter's functions work on: this server's options and state, and what is to go out. */
export interface Core {
  readonly options: RaftOptions;
  readonly state: RaftState;
  readonly out: Outbox;
}

export interface RaftState {
  // --- Persistent on all servers (Figure 2). Written with `persistence.ts` keeping book of what is durable.

  /** Latest term this server has seen. election.ts. */
  term: Term;
  /** Who got this server's vote in `term`. election.ts. Cleared only with a new term. */
  vote: MemberId | null;
  readonly log: Log;
  /** The newest snapshot, durable or in the batch that makes it so. snapshot.ts. */
  snapshot: SnapshotMetadata;
  /**
   * Every configuration defined in the log behind the base, oldest first, preceded by the one in force at the base; after a
   * restart those from the snapshot's on, since nothing before it can be cut any more. The last one is in force (§6).
   * membership.ts.
   */
  configurations: Configuration[];

  // --- Volatile on all servers.

  /** role.ts. */
  role: Role;
  /** The leader of `term`, once known; may return to null, never change within a term. role.ts. */
  leader: MemberId | null;
  /** Highest index known to be committed. commit.ts. */
  commitIndex: Index;
  /** Highest index that the state machine has applied. apply.ts. */
  appliedIndex: Index;
  /** Highest index handed out to be applied. apply.ts. */
  applyHanded: Index;
  /** Index of the snapshot that the state machine is being restored from; 0 for none. snapshot.ts. */
  restoring: Index;
  /** The clock of the input in hand. raft.ts. */
  now: Micros;

  /** See persistence.ts, which alone writes it. */
  readonly durability: Durability;
  /** The current generation of each timer. timers.ts. */
  readonly timers: Record<TimerName, number>;

  /**
   * True while this server must protect the leader that it heard from (stickiness); with leases also one whose term is past, or that
   * it heard before it restarted. timers.ts, lease.ts.
   */
  sticky: boolean;
  /** The number of the newest PreVote round of this server. election.ts. */
  preVoteRound: number;
  /** Answers of the election in hand, PreVote or real. election.ts. */
  votes: Ballot[];
  /** This server stands because its leader asked it to (TimeoutNow). election.ts. */
  transferCampaign: boolean;

  /** A leadership transfer that this server began and has not answered. transfer.ts. */
  transfer: Transfer | null;

  /** Present exactly while `role` is leader. role.ts creates and drops it. */
  leadership: Leadership | null;
  /** What this server, not being leader, has carried to one. forward.ts. */
  readonly forwarded: Forwarded;

  /** How wide the range of election timeouts is. adaptation.ts. */
  readonly adaptation: Adaptation;
  /** Why this server leaves elections to others, and for how long. standing-back.ts. */
  readonly standingBack: StandingBack;
  /** The leader is gone: election timeouts that are still drawn from the short range. gone.ts, election.ts, role.ts. */
  hurriedAttempts: number;
  /** No other server's attempt has been waited for since a leader was known. giving-way.ts. */
  mayGiveWay: boolean;

  /** How this server's faulty entries are asked for. repair.ts. */
  readonly repair: Repair;
  /** Entries that are being read for servers that asked for them, at most one run a server. lend.ts. */
  loans: Loan[];

  /** The number of the next load request. replication.ts, lend.ts. */
  nextLoad: number;
}

/** A leadership transfer (dissertation §3.10). */
export interface Transfer {
  /** The question it answers; null where the leader hands over by itself. */
  readonly id: number | null;
  readonly target: MemberId;
  readonly term: Term;
  /** TimeoutNow has left; said again with every heartbeat. */
  sent: boolean;
}

/** The state of a server's questions for its faulty entries. */
export interface Repair {
  /** The number of the newest round of questions. */
  round: number;
  /** The last position that was asked for: the next round begins behind it, so that no entry holds up the others. */
  askedTo: Index;
  /** How long to wait before asking again; grows while nothing comes of it. */
  delay: Micros;
  /** The repair timer runs. */
  armed: boolean;
}

export interface Adaptation {
  /** The longest election timeout is doubled this often. */
  level: number;
}

export interface StandingBack {
  /** Election timeouts that are left to others. */
  left: number;
  /** It is for the sake of faulty entries: void once they are whole. */
  forRepair: boolean;
  /** How often, in succession, this server was deposed or gave up because of its disk; bounded. */
  falls: number;
}

/** A run of entries that is being loaded for a server whose own are faulty. */
export interface Loan {
  readonly load: number;
  readonly peer: MemberId;
  readonly round: number;
  /** What was asked for of that run. */
  readonly wanted: readonly LogPosition[];
}

/** One server's answer in an election. */
export interface Ballot {
  readonly voter: MemberId;
  readonly incarnation: Incarnation;
  readonly granted: boolean;
}

/** Which of the changes in memory are on disk. */
export interface Durability {
  /** The id that the next batch will bear. */
  nextBatch: number;
  /** Batches up to this one are durable. */
  durableBatch: number;
  /** Batches handed out and not yet durable, oldest first, with the last log index each makes durable. */
  outstanding: { readonly id: number; lastIndex: Index }[];
  /** The batch with which the current term becomes durable. */
  termBatch: number;
  /** Term or vote changed since the last batch. */
  hardStateDirty: boolean;
  /** A cut that the next batch must make on disk; 0 for none. */
  truncateFrom: Index;
  /** First entry that no batch carries yet. */
  persistFrom: Index;
  /** A received snapshot that the next batch must install. */
  snapshot: SnapshotMetadata | null;
  /** A received snapshot that the next batch must make the current one without touching the log. */
  adopt: SnapshotMetadata | null;
  /** Entries up to here, as they stand in memory now, are durable. */
  durableIndex: Index;
}

/** Volatile on leaders (Figure 2), created at election. */
export interface Leadership {
  /** Every other member. membership.ts keeps it in step with the configuration. */
  readonly progress: Progress[];
  /** Index of the first entry of this term: nothing is committed by counting below it (§5.4.2). */
  termStart: Index;
  /**
   * Faulty entries have to be settled first: it appends nothing and sends no entries. role.ts, repair.ts.
   */
  recovering: boolean;
  /** Rounds of questions without progress after which it steps down; 0: at the next. repair.ts. */
  patience: number;
  /** Incarnation seen of members that the configuration has not bound yet, this server included. identity.ts. */
  readonly seen: Map<MemberId, Incarnation>;
  /** Where the log ended at the last mark but one: a newcomer that has all up to there has caught up (dissertation §4.2.1). heartbeat.ts. */
  catchUpTo: Index;
  /** Where it ended at the last one. */
  catchUpNext: Index;
  /** Heartbeats before the one that makes the next mark. */
  heartbeatsToMark: number;
  /** Payload bytes appended and not committed. propose.ts, commit.ts. */
  uncommittedBytes: number;
  /** The newest heartbeat round sent. reads.ts. */
  round: number;
  /** The newest round that a quorum has answered. reads.ts. */
  confirmedRound: number;
  /** Until when reads need no round. lease.ts. */
  readonly lease: Lease;
  /** A round is due in the next output, whatever else happens. heartbeat timer or reads.ts. */
  roundDue: boolean;
  /** When the last quorum check was, or the election. quorum-check.ts. */
  checkedAt: Micros;
  /** The process slept: this round must be confirmed by the next check; 0 for none. quorum-check.ts. */
  proofRound: number;
  /** The oldest batch under way at the last check, and for how many checks it has not changed. quorum-check.ts. */
  oldestBatch: number;
  stalledChecks: number;
  /** The commitNotice timer runs. heartbeat.ts. */
  noticeArmed: boolean;
  /** Reads that wait, oldest first. reads.ts. */
  reads: PendingRead[];
}

/** What the leader knows of one follower (§5.3; the three states are flow control). */
export interface Progress {
  readonly id: MemberId;
  /** The life that this speaks of; null while none is bound. membership.ts. */
  incarnation: Incarnation | null;
  /** Highest index known to be replicated there, durably. Grows only. */
  match: Index;
  /** The next entry to send. Always above `match`. */
  next: Index;
  /**
   * - `probe`: where the logs agree is not known. One message at a time.
   * - `replicate`: it is. Entries are sent ahead of their acknowledgements, up to the window.
   * - `snapshot`: it lacks what this log has forgotten. Nothing is sent until the snapshot has arrived.
   */
  state: 'probe' | 'replicate' | 'snapshot';
  /** Probe: one is on its way; the next leaves after its answer, or after a heartbeat's. */
  probeSent: boolean;
  /** Probe: the newest heartbeat round when it left; only the answer to a later one says that it may be lost. */
  probeRound: number;
  /** Replicate: what was sent and not acknowledged, oldest first. */
  inflight: { readonly lastIndex: Index; readonly bytes: number }[];
  inflightBytes: number;
  /** Replicate: `match` when the last heartbeat was answered; no progress since then raises the suspicion of a loss. */
  matchAtHeartbeat: Index;
  /** Snapshot: the index of the one on its way. */
  snapshotIndex: Index;
  /** Snapshot: the bytes were delivered, the acknowledgement is out; heartbeats answered since then. */
  heartbeatsSinceDelivery: number;
  /** The load request that is out for it; 0 for none. */
  loading: number;
  /** The commit index that it was last told. */
  commitSent: Index;
  /** Its clients wait for what it carried here: it is told at once when this index is committed. */
  awaited: Index;
  /** Its question for a read index that waits here; null for none. reads.ts. */
  reading: number | null;
  /** The newest heartbeat round that it answered. */
  round: number;
  /** The newest version of the protocol that it says it speaks; 0 while it has not in this term. reads.ts. */
  speaks: Version;
  /** Its state machine is: true until it has said otherwise in this term, and again when it is sent a snapshot. reads.ts. */
  behind: boolean;
  /** It answered anything since the last quorum check. quorum-check.ts. */
  active: boolean;
  /** It did so between the last two. */
  wasActive: boolean;
  /** When it last answered; null if never in this term. */
  lastContact: Micros | null;
}

/** A read that waits for its proof of leadership (dissertation §6.4). */
export interface PendingRead {
  /** The follower that asked, or null for this server's own client. */
  readonly from: MemberId | null;
  readonly id: number;
  /** The commit index when it arrived; 0 until this term has committed something. */
  index: Index;
  /** The heartbeat round, sent after it arrived, that must be confirmed; 0 until one is sent. */
  round: number;
}

/** Proposals, changes and reads that a follower has carried to the leader. forward.ts. */
export interface Forwarded {
  proposals: { readonly id: number; readonly count: number; readonly bytes: number; readonly leader: MemberId }[];
  proposalBytes: number;
  changes: { readonly id: number; readonly leader: MemberId }[];
  /** Own reads that no request carries yet. */
  readsWaiting: number[];
  /** Own reads that the request in flight speaks for. */
  readsSent: number[];
  /** The number of the request in flight: the id of its first read. Null for none. */
  readRequest: number | null;
  /** Heartbeats heard since it was sent: the second one means that it, or its answer, was lost. */
  heartbeatsSinceRead: number;
}

/** The state in which a server starts: what storage recovered, as a follower that knows no leader. */
export function initialState(recovered: RecoveredState): RaftState {
  const { hardState, snapshot, lastIndex } = recovered;
  return {
    term: hardState.term,
    vote: hardState.vote,
    log: forgetCovered(recoverLog(recovered), snapshot.index),
    snapshot,
    configurations: [snapshot.configuration, ...recovered.configurations],
    role: 'follower',
    leader: null,
    // What a snapshot holds is committed, and so is what a durable state machine has applied. The rest a leader will tell.
    commitIndex: Math.max(snapshot.index, recovered.applied),
    appliedIndex: recovered.applied,
    applyHanded: recovered.applied,
    restoring: 0,
    now: 0,
    durability: {
      nextBatch: 1,
      durableBatch: 0,
      outstanding: [],
      termBatch: 0,
      hardStateDirty: false,
      truncateFrom: 0,
      persistFrom: lastIndex + 1,
      snapshot: null,
      adopt: null,
      durableIndex: lastIndex,
    },
    timers: {
      election: 0,
      heartbeat: 0,
      quorumCheck: 0,
      stickiness: 0,
      commitNotice: 0,
      transfer: 0,
      repair: 0,
      quiet: 0,
    },
    sticky: false,
    preVoteRound: 0,
    votes: [],
    transferCampaign: false,
    transfer: null,
    leadership: null,
    forwarded: {
      proposals: [],
      proposalBytes: 0,
      changes: [],
      readsWaiting: [],
      readsSent: [],
      readRequest: null,
      heartbeatsSinceRead: 0,
    },
    adaptation: { level: 0 },
    standingBack: { left: 0, forRepair: false, falls: 0 },
    hurriedAttempts: 0,
    mayGiveWay: true,
    repair: { round: 0, askedTo: 0, delay: 0, armed: false },
    loans: [],
    nextLoad: 1,
  };
}
