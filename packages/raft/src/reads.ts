/**
 * Linearizable reads (dissertation §6.4). The leader notes its commit index, proves by one heartbeat round, sent after the read
 * arrived, that it still leads, and answers with that index; the reader waits until it is applied. Rounds are numbered by the
 * leader, and all reads that wait share one.
 */
import { quorumValue } from './configuration.ts';
import { failForwarded, forwardRead } from './forward.ts';
import { currentConfiguration } from './membership.ts';
import type { Heartbeat, HeartbeatReply, ReadIndex, RefusalReason } from './message.ts';
import { onHeartbeatAnswered } from './replication.ts';
import { isForeign } from './identity.ts';
import { commitTo } from './commit.ts';
import { onHeartbeatHeard } from './forward.ts';
import { envelope, send } from './send.ts';
import type { Core, Leadership, PendingRead, Progress } from './state.ts';
import { armTimer } from './timers.ts';
import type { MemberId } from './types.ts';

/** This server's own client wants to read. */
export function onRead(core: Core, id: number): void {
  const { state, options } = core;
  const waiting =
    state.leadership?.reads.length ?? state.forwarded.readsWaiting.length + state.forwarded.readsSent.length;
  if (isForeign(core)) refuseRead(core, null, id, 'foreignIncarnation');
  else if (waiting >= options.maxPendingReads) refuseRead(core, null, id, 'busy');
  else if (state.leadership !== null) addRead(core, state.leadership, null, id);
  else if (state.leader !== null) forwardRead(core, id);
  else refuseRead(core, null, id, 'noLeader');
}

/** A follower asks on behalf of its clients. */
export function onReadIndex(core: Core, message: ReadIndex): void {
  const { leadership } = core.state;
  const full = (leadership?.reads.length ?? 0) >= core.options.maxPendingReads;
  if (leadership === null || full) refuseRead(core, message.from, message.id, 'noLeader');
  else addRead(core, leadership, message.from, message.id);
}

function addRead(core: Core, leadership: Leadership, from: MemberId | null, id: number): void {
  const { state } = core;
  // Until this leader has committed in its own term it cannot know what is committed (§8): the read waits.
  const index = state.commitIndex >= leadership.termStart ? state.commitIndex : 0;
  leadership.reads.push({ from, id, index, round: 0 });
}

function refuseRead(core: Core, from: MemberId | null, id: number, refused: RefusalReason): void {
  if (from === null) core.out.reads.push({ id, index: 0, refused });
  else send(core, { kind: 'readIndexReply', ...envelope(core, from), id, index: 0 });
}

/** The first entry of the term is committed: reads that waited for it get their index. */
export function onFirstCommit(core: Core, leadership: Leadership): void {
  for (const read of leadership.reads) read.index = core.state.commitIndex;
  answerReads(core, leadership);
}

export function onHeartbeatTimeout(core: Core): void {
  const { leadership } = core.state;
  if (leadership === null) return;
  leadership.roundDue = true;
  armTimer(core, 'heartbeat', core.options.heartbeatInterval, core.options.heartbeatInterval);
}

/**
 * Starts a round if the rhythm wants one, or if reads wait and no round is under way. Called for every output, so that whatever
 * arrived together shares one.
 */
export function flushRound(core: Core, leadership: Leadership): void {
  const underWay = leadership.confirmedRound < leadership.round;
  const readsWait = leadership.reads.length > 0 && leadership.reads[leadership.reads.length - 1]?.round === 0;
  if (!leadership.roundDue && (underWay || !readsWait)) return;
  leadership.roundDue = false;
  leadership.round += 1;
  for (let i = leadership.reads.length - 1; i >= 0; i--) {
    const read = leadership.reads[i];
    if (read === undefined || read.round !== 0) break;
    read.round = leadership.round;
  }
  for (const progress of leadership.progress) sendHeartbeat(core, progress, leadership.round);
  confirmRounds(core, leadership);
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
  if (message.commit > state.log.lastIndex) {
    const reason = `speaks of entry ${message.commit} as acknowledged here, but the log ends at ${state.log.lastIndex}`;
    core.out.events.push({ kind: 'violation', peer: message.from, reason });
  } else {
    commitTo(core, message.commit);
  }
  if (message.round === 0) return;
  onHeartbeatHeard(core);
  send(core, { kind: 'heartbeatReply', ...envelope(core, message.from), round: message.round });
}

export function onHeartbeatReply(
  core: Core,
  leadership: Leadership,
  progress: Progress,
  message: HeartbeatReply,
): void {
  if (message.round > leadership.round) {
    core.out.events.push({ kind: 'violation', peer: message.from, reason: 'answers a heartbeat that was never sent' });
    return;
  }
  const isNews = message.round > progress.round;
  progress.round = Math.max(progress.round, message.round);
  if (isNews) onHeartbeatAnswered(core, progress);
  confirmRounds(core, leadership);
}

/** Finds the newest round that a quorum has answered; it confirms every read that waited for it or for an earlier one. */
function confirmRounds(core: Core, leadership: Leadership): void {
  const answered = (id: MemberId): number =>
    id === core.options.id
      ? leadership.round
      : (leadership.progress.find((progress) => progress.id === id)?.round ?? 0);
  const confirmed = quorumValue(currentConfiguration(core.state), answered);
  if (confirmed <= leadership.confirmedRound) return;
  leadership.confirmedRound = confirmed;
  answerReads(core, leadership);
}

/** Reads are in order of arrival, so of their rounds too: those that can be answered stand in front. */
function answerReads(core: Core, leadership: Leadership): void {
  const { reads, confirmedRound } = leadership;
  let count = 0;
  while (count < reads.length) {
    const read = reads[count];
    if (read === undefined || read.round === 0 || read.round > confirmedRound || read.index === 0) break;
    answerRead(core, read);
    count += 1;
  }
  if (count > 0) leadership.reads = reads.slice(count);
}

function answerRead(core: Core, read: PendingRead): void {
  const { from, id, index } = read;
  if (from === null) core.out.reads.push({ id, index, refused: null });
  else send(core, { kind: 'readIndexReply', ...envelope(core, from), id, index });
}

/** The leader is deposed: nothing it was asked can be answered. */
export function failReads(core: Core, reads: readonly PendingRead[]): void {
  for (const { from, id } of reads) refuseRead(core, from, id, 'leadershipLost');
}

/** Messages to the leader were lost: what was carried to it is in doubt. */
export function onLeaderUnreachable(core: Core): void {
  failForwarded(core);
}
