/**
 * Heartbeats (§5.2): a leader's rhythm. They prove leadership, spread the commit index and number the rounds that reads wait for
 * (reads.ts); of the log they claim nothing, so they are answered without the disk.
 */
import { isBoundHere } from './identity.ts';
import { commitTo, isBehind } from './commit.ts';
import { onHeartbeatHeard } from './forward.ts';
import { commitToTell } from './leaving.ts';
import type { Heartbeat } from './message.ts';
import { envelope, send } from './send.ts';
import type { Core, Leadership, Progress } from './state.ts';
import { armTimer } from './timers.ts';
import { repeatTransfer } from './transfer.ts';

export function onHeartbeatTimeout(core: Core): void {
  const { leadership } = core.state;
  if (leadership === null) return;
  leadership.roundDue = true;
  markLog(core, leadership);
  repeatTransfer(core);
  armTimer(core, 'heartbeat', core.options.heartbeatInterval, core.options.heartbeatInterval);
}

/**
 * A newcomer is to hold what the log held at the last mark but one. While clients write, one that is a round trip away never holds what the
 * log held less than that ago: so from one mark to the next it is a quarter of an election timeout, which has to exceed round trips.
 */
function markLog({ state, options }: Core, leadership: Leadership): void {
  if (leadership.heartbeatsToMark > 0) {
    leadership.heartbeatsToMark -= 1;
    return;
  }
  leadership.heartbeatsToMark = Math.ceil(options.electionTimeoutMin / (4 * options.heartbeatInterval)) - 1;
  leadership.catchUpTo = leadership.catchUpNext;
  leadership.catchUpNext = state.log.lastIndex;
}

/** Round 0 asks for no answer: it only spreads the commit index. Of the log it claims nothing the follower may lack. */
export function sendHeartbeat(core: Core, progress: Progress, round: number): void {
  const commit = Math.min(progress.match, commitToTell(core));
  progress.commitSent = Math.max(progress.commitSent, commit);
  // Here and where entries are sent and answered, fields are written out: a spread takes longer than all the rest of a message.
  const { group, from, to, incarnation, term } = envelope(core, progress.id);
  send(core, { kind: 'heartbeat', group, from, to, incarnation, term, commit, round });
}

/**
 * The next entries will tell the follower what is committed; where none come, a message of its own must, and at once if its
 * clients wait for it.
 */
export function noticeCommit(core: Core, leadership: Leadership, progress: Progress): void {
  if (!lacksNotice(core, progress)) return;
  if (progress.awaited > progress.commitSent || core.options.commitNoticeDelay === 0) {
    sendHeartbeat(core, progress, 0);
  } else if (!leadership.noticeArmed) {
    leadership.noticeArmed = true;
    armTimer(core, 'commitNotice', core.options.commitNoticeDelay, core.options.commitNoticeDelay);
  }
}

export function onCommitNoticeTimeout(core: Core): void {
  const { leadership } = core.state;
  if (leadership === null) return;
  leadership.noticeArmed = false;
  for (const progress of leadership.progress) {
    if (lacksNotice(core, progress)) sendHeartbeat(core, progress, 0);
  }
}

function lacksNotice(core: Core, progress: Progress): boolean {
  return progress.state === 'replicate' && Math.min(progress.match, commitToTell(core)) > progress.commitSent;
}

/** A follower hears its leader. The disk is not asked. */
export function onHeartbeat(core: Core, message: Heartbeat): void {
  const { state } = core;
  if (message.commit <= state.log.lastIndex) {
    commitTo(core, message.commit);
  } else if (isBoundHere(core)) {
    // To any other life of this member the leader speaks of what the one before it acknowledged: that is no fault of the leader's.
    const reason = `speaks of entry ${message.commit} as acknowledged here, but the log ends at ${state.log.lastIndex}`;
    core.out.events.push({ kind: 'violation', peer: message.from, reason });
  }
  if (message.round === 0) return;
  onHeartbeatHeard(core);
  const { group, from, to, incarnation, term } = envelope(core, message.from);
  const { round } = message;
  const speaks = core.options.release.max;
  send(core, { kind: 'heartbeatReply', group, from, to, incarnation, term, round, speaks, behind: isBehind(state) });
}
