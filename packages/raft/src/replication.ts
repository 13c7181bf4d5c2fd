/**
 * Log replication, the leader's side (§5.3): what to send to each follower, and what its answers mean. Entries leave when an
 * output is taken, so whatever was proposed since the last one travels together.
 */
import { advanceCommit } from './commit.ts';
import { firstFaultyBehind } from './faulty.ts';
import { invariant } from './invariant.ts';
import { commitToTell } from './leaving.ts';
import { cached, lastPositionWithTermAtMost, termAt } from './log.ts';
import type { AppendEntriesReply } from './message.ts';
import { becomeProbe, becomeReplicate, hasWindow, holdProbe, noteMatch, noteSent } from './progress.ts';
import { noticeCommit } from './heartbeat.ts';
import { envelope, send } from './send.ts';
import { sendSnapshot } from './snapshot.ts';
import type { Core, Leadership, Progress } from './state.ts';
import type { Entry, Index, Term } from './types.ts';
import { weightOf } from './weight.ts';

/** Sends every follower what its state and window allow, and what is committed to those that get nothing else. */
export function flushAppends(core: Core, leadership: Leadership): void {
  if (leadership.recovering) return;
  const shared: SharedRun = { entries: [] };
  for (const progress of leadership.progress) {
    sendAppends(core, leadership, progress, shared);
    noticeCommit(core, leadership, progress);
  }
}

/** The run of entries that was cut last. Followers mostly want the same one, and a driver then encodes it once. */
interface SharedRun {
  entries: readonly Entry[];
}

/** Entries from `next` on, as many as one message may carry and memory holds. */
function cutRun(core: Core, shared: SharedRun, next: Index): readonly Entry[] {
  const { log } = core.state;
  if (shared.entries[0]?.index !== next) shared.entries = cached(log, next, log.lastIndex, core.options.maxAppendBytes);
  return shared.entries;
}

function sendAppends(core: Core, leadership: Leadership, progress: Progress, shared: SharedRun): void {
  const { lastIndex } = core.state.log;
  if (progress.state === 'probe' && !progress.probeSent) sendProbe(core, leadership, progress, shared);
  while (progress.state === 'replicate' && progress.next <= lastIndex && hasWindow(progress, core.options)) {
    if (!sendNext(core, progress, shared)) return;
  }
}

/** One message to find where the logs agree, with entries if memory has them: the guess is usually right. */
function sendProbe(core: Core, leadership: Leadership, progress: Progress, shared: SharedRun): void {
  const { log } = core.state;
  const prevTerm = termAt(log, progress.next - 1);
  if (prevTerm === null) {
    sendSnapshot(core, progress);
    return;
  }
  holdProbe(progress, leadership.round);
  sendEntries(core, progress, prevTerm, cutRun(core, shared, progress.next));
}

/** The next run of entries, ahead of acknowledgements. Returns false when there is nothing to send for now. */
function sendNext(core: Core, progress: Progress, shared: SharedRun): boolean {
  const { log } = core.state;
  const prevTerm = termAt(log, progress.next - 1);
  if (prevTerm === null) {
    sendSnapshot(core, progress);
    return false;
  }
  const entries = cutRun(core, shared, progress.next);
  if (entries.length === 0) {
    requestLoad(core, progress);
    return false;
  }
  sendAhead(core, progress, prevTerm, entries);
  return true;
}

function sendAhead(core: Core, progress: Progress, prevTerm: Term, entries: readonly Entry[]): void {
  let bytes = 0;
  for (const entry of entries) bytes += weightOf(entry.data);
  sendEntries(core, progress, prevTerm, entries);
  noteSent(progress, progress.next + entries.length - 1, bytes);
}

function sendEntries(core: Core, progress: Progress, prevTerm: Term, entries: readonly Entry[]): void {
  const commit = commitToTell(core);
  const prevIndex = progress.next - 1;
  progress.commitSent = Math.max(progress.commitSent, Math.min(commit, prevIndex + entries.length));
  const { group, from, to, incarnation, term } = envelope(core, progress.id);
  send(core, { kind: 'appendEntries', group, from, to, incarnation, term, prevIndex, prevTerm, entries, commit });
}

/** What memory no longer holds is read from storage, one request a follower at a time. A faulty entry has to be repaired first. */
function requestLoad(core: Core, progress: Progress): void {
  const { state, options, out } = core;
  const to = Math.min(state.log.cacheFirst, firstFaultyBehind(state.log, progress.next - 1)) - 1;
  if (progress.loading !== 0 || to < progress.next) return;
  progress.loading = state.nextLoad;
  state.nextLoad += 1;
  out.load.push({ id: progress.loading, from: progress.next, to, maxBytes: options.maxAppendBytes });
}

export function onLoaded(core: Core, id: number, entries: readonly Entry[]): void {
  const progress = takeLoading(core, id);
  if (progress === undefined || progress.state !== 'replicate' || entries[0]?.index !== progress.next) return;
  const { log } = core.state;
  for (const [i, entry] of entries.entries()) {
    const isOurs = entry.index === progress.next + i && termAt(log, entry.index) === entry.term;
    invariant(isOurs, () => `storage returned entry ${entry.index} of term ${entry.term} as this log's`);
  }
  const prevTerm = termAt(log, progress.next - 1);
  // Compacted since then: the next output will send the snapshot.
  if (prevTerm !== null) sendAhead(core, progress, prevTerm, entries);
}

export function onLoadFailed(core: Core, id: number, reason: 'compacted' | 'faulty'): void {
  const progress = takeLoading(core, id);
  // What is faulty is asked for again when it is repaired.
  if (progress?.state === 'replicate' && reason === 'compacted') sendSnapshot(core, progress);
}

function takeLoading(core: Core, id: number): Progress | undefined {
  const progress = core.state.leadership?.progress.find((it) => it.loading === id);
  if (progress !== undefined) progress.loading = 0;
  return progress;
}

/** Figure 2, "Rules for Servers", Leaders: success moves matchIndex and nextIndex, failure moves nextIndex back. */
export function onAppendEntriesReply(core: Core, progress: Progress, message: AppendEntriesReply): void {
  if (message.accepted) onAccepted(core, progress, message.index);
  else onRefused(core, progress, message);
}

/** The follower holds this log durably up to `index`. Also the answer to an installed snapshot. */
export function onAccepted(core: Core, progress: Progress, index: Index): void {
  const { log } = core.state;
  if (index > log.lastIndex) {
    const reason = `acknowledges entry ${index}, but the log ends at ${log.lastIndex}`;
    core.out.events.push({ kind: 'violation', peer: progress.id, reason });
    return;
  }
  const isNews = noteMatch(progress, index);
  leaveWaiting(core, progress);
  if (isNews && progress.match > core.state.commitIndex) advanceCommit(core);
}

function leaveWaiting(core: Core, progress: Progress): void {
  const { log } = core.state;
  // A probe's answer says where the logs agree; from a snapshot it may come by any message that gets that far.
  if (progress.state === 'probe' && progress.match >= progress.next - 1) becomeReplicate(progress);
  else if (progress.state === 'snapshot' && progress.match >= Math.min(progress.snapshotIndex, log.base.index)) {
    if (progress.match >= log.base.index) becomeReplicate(progress);
    else becomeProbe(progress);
  }
}

function onRefused(core: Core, progress: Progress, message: AppendEntriesReply): void {
  const { index, hintIndex, hintTerm } = message;
  // Late answers to what was sent before: since then more is known. A follower that lost what it acknowledged would answer like
  // this for ever; it says so itself when a heartbeat speaks of those entries (heartbeat.ts).
  if (progress.state === 'snapshot' || (progress.match > 0 && index <= progress.match)) return;
  if (index >= progress.next || (progress.state === 'probe' && index !== progress.next - 1)) return;
  if (progress.state === 'replicate') becomeProbe(progress);
  // Both logs skip whole terms: the follower named its last position of a term no later than ours, now we do the same (§5.3).
  const agree = lastPositionWithTermAtMost(core.state.log, Math.min(hintIndex, index - 1), hintTerm);
  progress.next = Math.max(progress.match, agree.index) + 1;
  progress.probeSent = false;
  // At the base and below it this log has nothing older to offer: what the follower needs instead is in the snapshot.
  const { base } = core.state.log;
  if (index <= base.index || hintIndex < base.index) sendSnapshot(core, progress);
}

/** A heartbeat was answered: the follower is there, so what it owes an answer for may have been lost. */
export function onHeartbeatAnswered(core: Core, progress: Progress): void {
  if (progress.state === 'probe') {
    if (progress.round > progress.probeRound) progress.probeSent = false;
  } else if (progress.state === 'snapshot') {
    awaitInstalled(progress);
  } else if (progress.inflight.length > 0) {
    if (progress.match === progress.matchAtHeartbeat) checkInflight(core, progress);
    progress.matchAtHeartbeat = progress.match;
  }
}

/** The bytes of a snapshot were delivered, but not the word that it is installed: after a while, ask by a probe. */
function awaitInstalled(progress: Progress): void {
  if (progress.heartbeatsSinceDelivery === 0) return;
  progress.heartbeatsSinceDelivery += 1;
  if (progress.heartbeatsSinceDelivery <= 3) return;
  const { snapshotIndex } = progress;
  becomeProbe(progress);
  // Just behind the snapshot: accepted, it is installed; refused, it has to be sent again.
  progress.next = Math.max(progress.next, snapshotIndex + 1);
}

/**
 * Nothing was acknowledged between two heartbeats. A slow disk and a lost message look alike, so nothing is sent twice: an empty
 * message behind all that is in flight is accepted in the one case and refused in the other. Where the log has been compacted past
 * all that is in flight there is nothing left to ask about, and a loss could only be mended by a snapshot.
 */
function checkInflight(core: Core, progress: Progress): void {
  const prevTerm = termAt(core.state.log, progress.next - 1);
  if (prevTerm === null) sendSnapshot(core, progress);
  else sendEntries(core, progress, prevTerm, []);
}

/** Messages to the follower were dropped: nothing in flight can be counted on. */
export function onFollowerUnreachable(leadership: Leadership, progress: Progress): void {
  if (progress.state !== 'replicate') return;
  becomeProbe(progress);
  // The connection is gone; the first heartbeat answered over the next one lets the probe leave.
  holdProbe(progress, leadership.round);
}
