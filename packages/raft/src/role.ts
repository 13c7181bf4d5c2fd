/** The roles and the ways between them (Figure 4; pre-candidate: dissertation §9.6). */
import { onLeaderKnown, onLeaderLost } from './adaptation.ts';
import { bindSeen } from './identity.ts';
import { firstFaultyBehind } from './faulty.ts';
import { failForwarded } from './forward.ts';
import { invariant } from './invariant.ts';
import { noLease } from './lease.ts';
import { currentConfiguration } from './membership.ts';
import { setTerm } from './persistence.ts';
import { withdraw } from './outbox.ts';
import { newProgress } from './progress.ts';
import { appendOwn } from './append.ts';
import { failReads } from './reads.ts';
import type { Core, Leadership, RaftState } from './state.ts';
import { armAfterContact, armElection, armTimer, disarmTimer } from './timers.ts';
import { concludeTransfer } from './transfer.ts';
import { cachedBytes } from './log.ts';
import { EntryKind, maxIndex, type MemberId, type Role, type Term } from './types.ts';

const noData = new Uint8Array(0);

/**
 * Follows `leader` (null: nobody yet) in `term`, which is the current one or a later one. Within a term the vote stands: only
 * a new term clears it.
 */
export function becomeFollower(core: Core, term: Term, leader: MemberId | null, reason: string): void {
  const { state } = core;
  // A later term alone is no reason to wait anew: a server whose log is behind and whose clock is fast, or whose timeouts are short, would
  // keep those that can win from ever standing (§5.2: only a vote that is given or a leader that is heard begins the wait again).
  const waitsOn = term > state.term && leader === null && state.role !== 'leader';
  if (term > state.term) {
    // Acknowledgements of the old term that have not left would speak of a log that may now be cut.
    withdraw(core.out, (message, after) => after === state.durability.nextBatch && isAcknowledgement(message.kind));
    setTerm(core, term);
    setLeader(core, null);
  }
  leaveOffice(core);
  state.votes = [];
  state.transferCampaign = false;
  setRole(core, 'follower', reason);
  setLeader(core, leader);
  if (leader !== null) armAfterContact(core);
  else if (!waitsOn) armElection(core);
}

function isAcknowledgement(kind: string): boolean {
  return kind === 'appendEntriesReply' || kind === 'installSnapshotReply' || kind === 'requestVoteReply';
}

/** Asks whether an election could be won, changing nothing that anyone else can see. */
export function becomePreCandidate(core: Core): void {
  const { state } = core;
  setLeader(core, null);
  state.preVoteRound += 1;
  state.votes = [];
  setRole(core, 'preCandidate', 'heard no leader for an election timeout');
  armElection(core);
}

/** Stands for election in the next term (§5.2). The vote for itself counts once it is durable. */
export function becomeCandidate(core: Core, transfer: boolean): void {
  const { state } = core;
  setLeader(core, null);
  setTerm(core, state.term + 1);
  state.votes = [];
  state.transferCampaign = transfer;
  setRole(core, 'candidate', transfer ? 'the leader asked for it' : 'an election can be won');
  armElection(core);
}

/** Takes office: nothing is known of the followers' logs, and an entry of this term must be committed first (§8). */
export function becomeLeader(core: Core): void {
  const { state } = core;
  invariant(state.role === 'candidate', 'only a candidate becomes leader');
  invariant(state.vote === core.options.id, 'a leader voted for itself');
  const lastIndex = state.log.lastIndex;
  const others = currentConfiguration(state).members.filter((member) => member.id !== core.options.id);
  const leadership: Leadership = {
    progress: others.map((member) => newProgress(member, lastIndex + 1)),
    termStart: lastIndex + 1,
    recovering: needsRecovery(state),
    patience: maxPatience,
    seen: new Map([[core.options.id, core.options.incarnation]]),
    catchUpTo: maxIndex,
    catchUpNext: lastIndex,
    heartbeatsToMark: 0,
    uncommittedBytes: 0,
    round: 0,
    confirmedRound: 0,
    lease: noLease(),
    roundDue: true,
    checkedAt: state.now,
    proofRound: 0,
    oldestBatch: 0,
    stalledChecks: 0,
    noticeArmed: false,
    reads: [],
  };
  for (const { voter, incarnation, granted } of state.votes) {
    if (granted && !leadership.seen.has(voter)) leadership.seen.set(voter, incarnation);
  }
  state.votes = [];
  state.leadership = leadership;
  setRole(core, 'leader', 'won the election');
  setLeader(core, core.options.id);
  disarmTimer(core, 'election');
  disarmTimer(core, 'stickiness');
  state.sticky = false;
  armTimer(core, 'heartbeat', core.options.heartbeatInterval, core.options.heartbeatInterval);
  if (core.options.stableLeadership) {
    armTimer(core, 'quorumCheck', core.options.electionTimeoutMin, core.options.electionTimeoutMin);
  }
  if (!leadership.recovering) beginTerm(core, leadership);
}

/** Rounds of questions (repair.ts) after which a leader whose faulty entries are not settled lets another server try. */
export const maxPatience = 10;

/**
 * Entries that the state machine still needs are faulty, so they must be settled first (CTRL, FAST '18, §3.4.1): once this term has
 * an entry of its own, what came before it could not be cut any more. What is applied already is committed, and can wait.
 */
export function needsRecovery(state: RaftState): boolean {
  return firstFaultyBehind(state.log, state.appliedIndex) < Number.POSITIVE_INFINITY;
}

/** The leader's log is whole: from here on it only grows in this term (Leader Append-Only, §5.3). */
export function beginTerm(core: Core, leadership: Leadership): void {
  const { log, commitIndex } = core.state;
  leadership.recovering = false;
  leadership.termStart = log.lastIndex + 1;
  leadership.uncommittedBytes = cachedBytes(log, commitIndex + 1, log.lastIndex);
  for (const progress of leadership.progress) progress.next = log.lastIndex + 1;
  appendOwn(core, EntryKind.noop, noData);
  bindSeen(core);
}

/** Gives up what only a leader has. */
function leaveOffice(core: Core): void {
  const { state } = core;
  if (state.leadership === null) return;
  failReads(core, state.leadership.reads);
  state.leadership = null;
  disarmTimer(core, 'heartbeat');
  disarmTimer(core, 'quorumCheck');
  disarmTimer(core, 'commitNotice');
}

function setRole(core: Core, role: Role, reason: string): void {
  const { state } = core;
  if (role === state.role && role !== 'candidate') return;
  state.role = role;
  core.out.events.push({ kind: 'role', role, term: state.term, reason });
}

function setLeader(core: Core, leader: MemberId | null): void {
  const { state } = core;
  if (leader === state.leader) return;
  // What was carried to the old leader and not answered has an outcome that nobody here can know.
  if (state.leader !== null && state.leader !== core.options.id) failForwarded(core);
  state.leader = leader;
  if (leader === null) {
    onLeaderLost(core);
  } else {
    state.hurriedAttempts = 0;
    state.mayGiveWay = true;
    onLeaderKnown(core);
  }
  concludeTransfer(core);
  // A lease that was granted cannot be taken back: another server's term does not end it.
  if (leader === null && !core.options.leaseReads) state.sticky = false;
  core.out.events.push({ kind: 'leader', leader, term: state.term });
}
