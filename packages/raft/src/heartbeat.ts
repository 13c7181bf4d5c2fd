/**
 * Heartbeats (§5.2): a leader's rhythm. They prove leadership, spread the commit index and number the rounds that reads wait for
 * (reads.ts); of the log they claim nothing, so they are answered without the disk.
 */
import { isForeign } from './identity.ts';
import { commitTo } from './commit.ts';
import { onHeartbeatHeard } from './forward.ts';
import type { Heartbeat } from './message.ts';
import { envelope, send } from './send.ts';
import type { Core, Progress } from './state.ts';
import { armTimer } from './timers.ts';

export function onHeartbeatTimeout(core: Core): void {
  const { leadership } = core.state;
  if (leadership === null) return;
  leadership.roundDue = true;
  armTimer(core, 'heartbeat', core.options.heartbeatInterval, core.options.heartbeatInterval);
}

/** Round 0 asks for no answer: it only spreads the commit index. Of the log it claims nothing the follower may lack. */
export function sendHeartbeat(core: Core, progress: Progress, round: number): void {
  const commit = Math.min(progress.match, core.state.commitIndex);
  progress.commitSent = Math.max(progress.commitSent, commit);
  send(core, { kind: 'heartbeat', ...envelope(core, progress.id), commit, round });
}

/** A follower hears its leader. The disk is not asked. */
export function onHeartbeat(core: Core, message: Heartbeat): void {
  const { state } = core;
  if (message.commit <= state.log.lastIndex) {
    commitTo(core, message.commit);
  } else if (!isForeign(core)) {
    // To a foreign incarnation the leader speaks of what the one before it acknowledged: that is no fault of the leader's.
    const reason = `speaks of entry ${message.commit} as acknowledged here, but the log ends at ${state.log.lastIndex}`;
    core.out.events.push({ kind: 'violation', peer: message.from, reason });
  }
  if (message.round === 0) return;
  onHeartbeatHeard(core);
  send(core, { kind: 'heartbeatReply', ...envelope(core, message.from), round: message.round });
}
