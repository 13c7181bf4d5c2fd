/**
 * One at a time. Where answers take long, or many servers notice at the same moment that they have no leader, several ask before they hear of
 * each other: all are granted their PreVotes, and share the votes. So whoever grants a PreVote lets the asker try first.
 */
import { givingWaySpread } from './election-timeout.ts';
import { lastTerm } from './log.ts';
import type { PreVote } from './message.ts';
import { becomeFollower } from './role.ts';
import type { Core } from './state.ts';
import { armTimer } from './timers.ts';

/**
 * A PreVote was granted. Only once until a leader is known: a server that hears no answers could hold up the others for good. Of two that ask
 * each other, one gives way and one goes on.
 */
export function giveWay(core: Core, message: PreVote): void {
  const { state } = core;
  if (!state.mayGiveWay) return;
  if (state.role !== 'follower' && !(state.role === 'preCandidate' && isOutranked(core, message))) return;
  state.mayGiveWay = false;
  if (state.role === 'preCandidate') becomeFollower(core, state.term, null, `lets ${message.from} try first`);
  waitForOther(core);
}

/** The asker's log is at least as good as the own one: it was granted the vote. */
function isOutranked({ state, options }: Core, { from, lastIndex, lastTerm: term }: PreVote): boolean {
  return lastIndex > state.log.lastIndex || term > lastTerm(state.log) || from < options.id;
}

/** Another server stands: whoever stood meanwhile would only undo its election. */
export function waitForOther(core: Core): void {
  const { min, max } = givingWaySpread(core);
  armTimer(core, 'election', min, max);
}
