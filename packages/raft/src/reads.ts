/**
 * Linearizable reads (dissertation §6.4). The leader notes its commit index, proves by one heartbeat round, sent after the read
 * arrived, that it still leads, and answers with that index; the reader waits until it is applied. Rounds are numbered by the
 * leader, and all reads that wait share one. A lease (lease.ts) spares the round.
 */
import { quorumValue } from './configuration.ts';
import { forwardRead } from './forward.ts';
import { sendHeartbeat } from './heartbeat.ts';
import { isForeign } from './identity.ts';
import { holdsLease, noteRoundConfirmed, noteRoundSent } from './lease.ts';
import { currentConfiguration } from './membership.ts';
import type { HeartbeatReply, ReadIndex, RefusalReason } from './message.ts';
import { noteAwaited } from './progress.ts';
import { onHeartbeatAnswered } from './replication.ts';
import { envelope, send } from './send.ts';
import type { Core, Leadership, PendingRead, Progress } from './state.ts';
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
  // Whoever waits asks again, for its question may be lost. One that is known needs no other round, and each round would bring it again.
  if (leadership !== null && askerOf(leadership, message.from)?.reading === message.id) return;
  if (leadership === null) refuseRead(core, message.from, message.id, 'noLeader');
  else if (leadership.reads.length >= core.options.maxPendingReads) refuseRead(core, message.from, message.id, 'busy');
  else addRead(core, leadership, message.from, message.id);
}

function addRead(core: Core, leadership: Leadership, from: MemberId | null, id: number): void {
  const { state } = core;
  // Until this leader has committed in its own term it cannot know what is committed (§8): the read waits.
  const index = state.commitIndex >= leadership.termStart ? state.commitIndex : 0;
  const read = { from, id, index, round: 0 };
  if (index > 0 && holdsLease(core, leadership)) {
    answerRead(core, leadership, read);
    return;
  }
  leadership.reads.push(read);
  const asker = askerOf(leadership, from);
  if (asker !== undefined) asker.reading = id;
}

function askerOf({ progress }: Leadership, from: MemberId | null): Progress | undefined {
  return from === null ? undefined : progress.find(({ id }) => id === from);
}

function refuseRead(core: Core, from: MemberId | null, id: number, refused: RefusalReason): void {
  if (from === null) core.out.reads.push({ id, index: 0, refused });
  else send(core, { kind: 'readIndexReply', ...envelope(core, from), id, index: 0, refused });
}

/**
 * Starts a round if the rhythm wants one, or if reads wait and no round is under way. Called for every output, so that whatever
 * arrived together shares one.
 */
export function flushRound(core: Core, leadership: Leadership): void {
  if (leadership.reads[0]?.index === 0) indexReads(core, leadership);
  const underWay = leadership.confirmedRound < leadership.round;
  const readsWait = leadership.reads.length > 0 && leadership.reads.at(-1)?.round === 0;
  if (!leadership.roundDue && (underWay || !readsWait)) return;
  leadership.roundDue = false;
  leadership.round += 1;
  for (let i = leadership.reads.length - 1; i >= 0; i--) {
    const read = leadership.reads[i];
    if (read === undefined || read.round !== 0) break;
    read.round = leadership.round;
  }
  noteRoundSent(core, leadership);
  for (const progress of leadership.progress) sendHeartbeat(core, progress, leadership.round);
  confirmRounds(core, leadership);
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
  progress.speaks = message.speaks;
  // What is on its way to it, it may not know of yet.
  if (progress.state !== 'snapshot') progress.behind = message.behind;
  const isNews = message.round > progress.round;
  progress.round = Math.max(progress.round, message.round);
  if (isNews) onHeartbeatAnswered(core, progress);
  confirmRounds(core, leadership);
}

/** Once the first entry of the term is committed, reads that came before it get their index. */
function indexReads(core: Core, leadership: Leadership): void {
  if (core.state.commitIndex < leadership.termStart) return;
  for (const read of leadership.reads) read.index = core.state.commitIndex;
  answerReads(core, leadership);
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
  noteRoundConfirmed(leadership);
  answerReads(core, leadership);
}

/** Reads are in order of arrival, so of their rounds too: those that can be answered stand in front. */
function answerReads(core: Core, leadership: Leadership): void {
  const { reads, confirmedRound } = leadership;
  let count = 0;
  while (count < reads.length) {
    const read = reads[count];
    if (read === undefined || read.round === 0 || read.round > confirmedRound || read.index === 0) break;
    answerRead(core, leadership, read);
    count += 1;
  }
  if (count > 0) leadership.reads = reads.slice(count);
}

function answerRead(core: Core, leadership: Leadership, read: PendingRead): void {
  const { from, id, index } = read;
  if (from === null) {
    core.out.reads.push({ id, index, refused: null });
    return;
  }
  const asker = askerOf(leadership, from);
  if (asker?.reading === id) asker.reading = null;
  noteAwaited(leadership, from, index);
  send(core, { kind: 'readIndexReply', ...envelope(core, from), id, index, refused: null });
}

/** The leader is deposed: nothing it was asked can be answered. */
export function failReads(core: Core, reads: readonly PendingRead[]): void {
  for (const { from, id } of reads) refuseRead(core, from, id, 'leadershipLost');
}
