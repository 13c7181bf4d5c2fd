/** Leader election (§5.2, §5.4.1), PreVote (dissertation §9.6) and voter stickiness (dissertation §4.2.3). */
import { onElectionFailed } from './adaptation.ts';
import { isVoter, tally } from './configuration.ts';
import { hidesConfiguration, lacksSnapshot } from './faulty.ts';
import { giveWay, waitForOther } from './giving-way.ts';
import { isForeign, isImpostor, isStranger } from './identity.ts';
import { isUpToDate, lastTerm } from './log.ts';
import { currentConfiguration, openConfigurations } from './membership.ts';
import type { PreVote, PreVoteReply, RequestVote, RequestVoteReply, TimeoutNow } from './message.ts';
import { fullBarrier, setVote } from './persistence.ts';
import { onElected } from './repair.ts';
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from './role.ts';
import { envelope, send, sendAfter } from './send.ts';
import { makeLessRoom, standsBack } from './standing-back.ts';
import type { Core } from './state.ts';
import type { Incarnation, MemberId } from './types.ts';

/** No leader was heard, or no election was decided, for a whole election timeout. */
export function onElectionTimeout(core: Core): void {
  const { state, options } = core;
  if (state.role === 'candidate') onElectionFailed(core);
  if (state.hurriedAttempts > 0) state.hurriedAttempts -= 1;
  if (standsBack(core)) {
    becomeFollower(core, state.term, null, 'lets another server lead');
    return;
  }
  if (options.priority === 0 || !mayCampaign(core)) {
    // A learner or a stranger waits on; it will hear from a leader, or be let in by one.
    becomeFollower(core, state.term, null, 'heard no leader and may not stand for election');
    return;
  }
  if (options.stableLeadership) startPreVote(core);
  else startElection(core, false);
}

/**
 * A voter stands for election, and so does one that votes no more by a configuration that is not committed: the others may need what
 * is in its log to get that far (dissertation §4.2.2). Not if it lost its disk since it was let in, or if the configuration in force
 * may stand in an entry that is faulty here: it would count the wrong votes; nor if its snapshot is damaged, which only a leader
 * can replace. It still votes, for which it needs neither.
 */
function mayCampaign(core: Core): boolean {
  const { state, options } = core;
  if (hidesConfiguration(state, state.log.lastIndex) || lacksSnapshot(state)) return false;
  return openConfigurations(state).some((configuration) => isVoter(configuration, options.id)) && !isForeign(core);
}

function startPreVote(core: Core): void {
  const { state } = core;
  becomePreCandidate(core);
  for (const to of otherVoters(core)) {
    send(core, {
      kind: 'preVote',
      ...envelope(core, to),
      round: state.preVoteRound,
      lastIndex: state.log.lastIndex,
      lastTerm: lastTerm(state.log),
    });
  }
  // Its own answer promises nothing, so it counts at once.
  countPreVote(core, core.options.id, core.options.incarnation, true);
}

function startElection(core: Core, transfer: boolean): void {
  const { state } = core;
  becomeCandidate(core, transfer);
  setVote(core, core.options.id);
  for (const to of otherVoters(core)) {
    send(core, {
      kind: 'requestVote',
      ...envelope(core, to),
      lastIndex: state.log.lastIndex,
      lastTerm: lastTerm(state.log),
      transfer,
    });
  }
}

function otherVoters(core: Core): readonly MemberId[] {
  const configuration = currentConfiguration(core.state);
  const { id } = core.options;
  return configuration.members
    .map((member) => member.id)
    .filter((member) => member !== id && isVoter(configuration, member));
}

/**
 * "Would you?" Answered from what is, and no contact with a leader: neither term, vote nor log change. But who grants it gives way
 * (giving-way.ts), and a server that leaves elections to others sees how they fare.
 */
export function onPreVote(core: Core, message: PreVote): void {
  const refusal = whyNoPreVote(core, message);
  const granted = refusal === null;
  core.out.events.push({
    kind: 'vote',
    candidate: message.from,
    granted,
    pre: true,
    term: message.term + 1,
    reason: refusal ?? 'up to date',
  });
  send(core, { kind: 'preVoteReply', ...envelope(core, message.from), round: message.round, granted });
  if (granted) giveWay(core, message);
  if (refusal === behind) makeLessRoom(core);
}

const behind = 'its log is behind';

function whyNoPreVote(core: Core, message: PreVote): string | null {
  const { state } = core;
  if (message.term < state.term) return 'its term is past';
  return whyUnfit(core, message) ?? whyProtected(core);
}

/** Reasons that lie with the candidate, for both kinds of vote. A voter never asks its configuration who may stand. */
function whyUnfit(core: Core, message: PreVote | RequestVote): string | null {
  if (isForeign(core)) return 'this incarnation does not vote';
  if (isStranger(core)) return 'no cluster has let this server in yet';
  if (isImpostor(core, message.from, message.incarnation)) return 'another incarnation of that member counts';
  if (!isUpToDate(core.state.log, message.lastIndex, message.lastTerm)) return behind;
  return null;
}

/** A voter protects a leader that it heard from within the shortest election timeout; a leader protects itself. */
function whyProtected(core: Core): string | null {
  const { state, options } = core;
  if (!options.stableLeadership) return null;
  if (state.role === 'leader') return 'this server leads';
  // A lease may outlast what this server knows of its leader.
  return state.sticky && (state.leader !== null || options.leaseReads) ? 'a leader was heard from' : null;
}

/** Whether a request of a later term is refused without taking on its term. */
export function isProtectedFrom(core: Core, message: RequestVote): boolean {
  return !message.transfer && whyProtected(core) !== null;
}

export function onPreVoteReply(core: Core, message: PreVoteReply): void {
  const { state } = core;
  if (message.round !== state.preVoteRound) {
    // In haste timeouts are shorter than answers take, on purpose.
    const isLate = state.role === 'preCandidate' && state.hurriedAttempts === 0;
    if (isLate) core.out.events.push({ kind: 'lateAnswer', voter: message.from });
    return;
  }
  countPreVote(core, message.from, message.incarnation, message.granted);
}

function countPreVote(core: Core, voter: MemberId, incarnation: Incarnation, granted: boolean): void {
  const result = countBallot(core, voter, incarnation, granted);
  if (result === 'won') startElection(core, false);
  // Asking again before the timeout would bring the same answers.
  if (result === 'lost') becomeFollower(core, core.state.term, null, 'an election could not be won now');
}

/** Figure 2, RequestVote RPC, "Receiver implementation". The request is of the current term. */
export function onRequestVote(core: Core, message: RequestVote): void {
  const refusal = whyNoVote(core, message);
  const granted = refusal === null;
  core.out.events.push({
    kind: 'vote',
    candidate: message.from,
    granted,
    pre: false,
    term: message.term,
    reason: refusal ?? 'up to date',
  });
  if (granted) {
    setVote(core, message.from);
    waitForOther(core);
  }
  const reply: RequestVoteReply = { kind: 'requestVoteReply', ...envelope(core, message.from), granted };
  // The vote may stand in a batch that is still under way from an earlier copy of the request.
  if (granted) sendAfter(core, reply, fullBarrier(core));
  else send(core, reply);
}

function whyNoVote(core: Core, message: RequestVote): string | null {
  const { state } = core;
  if (state.vote !== null && state.vote !== message.from) return `${state.vote} has the vote of this term`;
  if (state.leader !== null) return 'this term has a leader';
  return whyUnfit(core, message) ?? (message.transfer ? null : whyProtected(core));
}

/** Refuses a vote to a request that this server will not even take the term of. */
export function refuseVote(core: Core, message: RequestVote, reason: string): void {
  core.out.events.push({
    kind: 'vote',
    candidate: message.from,
    granted: false,
    pre: false,
    term: message.term,
    reason,
  });
  send(core, { kind: 'requestVoteReply', ...envelope(core, message.from), granted: false });
}

export function onRequestVoteReply(core: Core, message: RequestVoteReply): void {
  countVote(core, message.from, message.incarnation, message.granted);
}

/** A candidate's own vote is on disk: only now does it count. */
export function onOwnVoteDurable(core: Core): void {
  const { state } = core;
  if (state.role !== 'candidate' || state.durability.durableBatch < state.durability.termBatch) return;
  if (state.votes.some((ballot) => ballot.voter === core.options.id)) return;
  countVote(core, core.options.id, core.options.incarnation, true);
}

function countVote(core: Core, voter: MemberId, incarnation: Incarnation, granted: boolean): void {
  const result = countBallot(core, voter, incarnation, granted);
  if (result === 'won') {
    becomeLeader(core);
    onElected(core);
  }
  // The vote stays given: this is the same term.
  if (result === 'lost') {
    onElectionFailed(core);
    becomeFollower(core, core.state.term, null, 'lost the election');
  }
}

function countBallot(
  core: Core,
  voter: MemberId,
  incarnation: Incarnation,
  granted: boolean,
): 'won' | 'lost' | 'pending' {
  const { state } = core;
  const configuration = currentConfiguration(state);
  if (isImpostor(core, voter, incarnation)) return 'pending';
  // The first answer of a server stands, and copies of it change nothing; but a refusal may have been meant for a request of an
  // earlier term, while a vote that is granted is granted.
  const at = state.votes.findIndex((ballot) => ballot.voter === voter);
  if (at === -1) state.votes.push({ voter, incarnation, granted });
  else if (granted) state.votes[at] = { voter, incarnation, granted };
  return tally(configuration, (id) => state.votes.find((ballot) => ballot.voter === id)?.granted);
}

/** The leader hands over (dissertation §3.10): stand at once, past PreVote and stickiness. */
export function onTimeoutNow(core: Core, message: TimeoutNow): void {
  if (message.from !== core.state.leader || !mayCampaign(core)) return;
  startElection(core, true);
}
