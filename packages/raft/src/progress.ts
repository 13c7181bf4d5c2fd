/** A leader's view of one follower, and the window that bounds what is sent ahead of its acknowledgements (§5.3). */
import { invariant } from './invariant.ts';
import type { RaftOptions } from './options.ts';
import type { Leadership, Progress } from './state.ts';
import type { Index, Member, MemberId } from './types.ts';

/** A follower of which nothing is known: probe behind what this log holds (Figure 2: nextIndex starts at last + 1). */
export function newProgress({ id, incarnation }: Member, next: Index): Progress {
  return {
    id,
    incarnation,
    match: 0,
    next,
    state: 'probe',
    probeSent: false,
    probeRound: 0,
    inflight: [],
    inflightBytes: 0,
    matchAtHeartbeat: 0,
    snapshotIndex: 0,
    heartbeatsSinceDelivery: 0,
    loading: 0,
    commitSent: 0,
    awaited: 0,
    reading: null,
    round: 0,
    speaks: 0,
    behind: true,
    active: false,
    wasActive: false,
    lastContact: null,
  };
}

/** Back to one message at a time, from just behind what is known to match. */
export function becomeProbe(progress: Progress): void {
  enter(progress, 'probe');
  progress.next = progress.match + 1;
}

/** Nothing is sent before a heartbeat of a round behind `round` is answered. */
export function holdProbe(progress: Progress, round: number): void {
  progress.probeSent = true;
  progress.probeRound = round;
}

/** The logs are known to agree up to `match`: send ahead. */
export function becomeReplicate(progress: Progress): void {
  enter(progress, 'replicate');
  progress.next = progress.match + 1;
  progress.matchAtHeartbeat = progress.match;
}

export function becomeSnapshot(progress: Progress, index: Index): void {
  enter(progress, 'snapshot');
  progress.snapshotIndex = index;
  progress.behind = true;
}

function enter(progress: Progress, state: Progress['state']): void {
  progress.state = state;
  progress.probeSent = false;
  progress.inflight = [];
  progress.inflightBytes = 0;
  progress.snapshotIndex = 0;
  progress.heartbeatsSinceDelivery = 0;
  progress.loading = 0;
}

/** Whether another AppendEntries may leave ahead of its acknowledgement. */
export function hasWindow(progress: Progress, options: RaftOptions): boolean {
  return progress.inflight.length < options.maxInflightMessages && progress.inflightBytes < options.maxInflightBytes;
}

/** Entries next … lastIndex have left. */
export function noteSent(progress: Progress, lastIndex: Index, bytes: number): void {
  invariant(lastIndex >= progress.next, () => `entries up to ${lastIndex} were sent from ${progress.next}`);
  progress.next = lastIndex + 1;
  progress.inflight.push({ lastIndex, bytes });
  progress.inflightBytes += bytes;
}

/** The follower's clients wait until it has applied `index`. */
export function noteAwaited(leadership: Leadership, follower: MemberId, index: Index): void {
  const progress = leadership.progress.find((it) => it.id === follower);
  if (progress !== undefined) progress.awaited = Math.max(progress.awaited, index);
}

/** The follower's log matches up to `index`. Returns whether that was news. */
export function noteMatch(progress: Progress, index: Index): boolean {
  while ((progress.inflight[0]?.lastIndex ?? Number.POSITIVE_INFINITY) <= index) {
    progress.inflightBytes -= progress.inflight.shift()?.bytes ?? 0;
  }
  if (index <= progress.match) return false;
  progress.match = index;
  progress.next = Math.max(progress.next, index + 1);
  return true;
}
