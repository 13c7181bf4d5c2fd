/**
 * A leader that is gone. Its connection broke, and where it listened nobody listens now: its process is dead, and to wait for an
 * election timeout would only make clients wait. Who notices stops protecting it and asks for PreVotes after a short, random while.
 * It is a guess all the same, and costs nothing if it is wrong: voters that still hear the leader refuse. Never while leases are in use.
 */
import { givingWaySpread, hastyAttempts } from './election-timeout.ts';
import { lastTerm } from './log.ts';
import type { PreVote } from './message.ts';
import { becomeFollower } from './role.ts';
import type { Core } from './state.ts';
import { armElection, armTimer } from './timers.ts';
import type { MemberId } from './types.ts';

export function onPeerGone(core: Core, peer: MemberId): void {
  const { state, options } = core;
  // The lease of a leader is not ended by a broken connection.
  if (options.leaseReads || state.role !== 'follower' || state.leader !== peer) return;
  state.hurriedAttempts = hastyAttempts;
  state.mayYield = true;
  becomeFollower(core, state.term, null, `${peer} led, and nobody listens there any more`);
}

/**
 * A PreVote was granted in haste: let that one try first. Once, or a server that hears no answers could hold up the others. Of two that
 * ask each other, only one gives way: else both would go on to an election, and share the votes.
 */
export function yieldHaste(core: Core, message: PreVote): void {
  const { state } = core;
  if (state.hurriedAttempts === 0 || !state.mayYield) return;
  if (state.role !== 'follower' && !(state.role === 'preCandidate' && isOutranked(core, message))) return;
  state.mayYield = false;
  if (state.role === 'preCandidate') becomeFollower(core, state.term, null, `lets ${message.from} try first`);
  armGivingWay(core);
}

/** The asker's log is at least as good as the own one: it was granted the vote. */
function isOutranked({ state, options }: Core, { from, lastIndex, lastTerm: term }: PreVote): boolean {
  return lastIndex > state.log.lastIndex || term > lastTerm(state.log) || from < options.id;
}

/** A vote was given: in haste, too, whoever has it needs time to win, and a voter that stood meanwhile would only undo the election. */
export function armAfterVote(core: Core): void {
  if (core.state.hurriedAttempts > 0) armGivingWay(core);
  else armElection(core);
}

function armGivingWay(core: Core): void {
  const { min, max } = givingWaySpread(core);
  armTimer(core, 'election', min, max);
}
