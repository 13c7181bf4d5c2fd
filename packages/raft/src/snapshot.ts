/**
 * Snapshots (§7; dissertation chapter 5). The core sees metadata: the runtime writes, streams and restores the bytes. Whatever
 * ends in `InstallSnapshot` being stepped here has already arrived whole.
 */
import { commitTo } from './commit.ts';
import { invariant } from './invariant.ts';
import { firstFaultyBehind, lacksSnapshot } from './faulty.ts';
import { compact, forgetCovered, reset, termAt } from './log.ts';
import { onAdopted, onCompacted, onReplaced } from './membership.ts';
import type { InstallSnapshot } from './message.ts';
import { fullBarrier, noteSnapshot } from './persistence.ts';
import { becomeProbe, becomeSnapshot, holdProbe } from './progress.ts';
import { envelope, send, sendAfter } from './send.ts';
import type { Core, Leadership, Progress, RaftState } from './state.ts';
import { type Index, maxIndex, type SnapshotMetadata } from './types.ts';

/** The follower lacks what this log has forgotten. Until the transfer ends, nothing else is sent to it. */
export function sendSnapshot(core: Core, progress: Progress): void {
  const { snapshot, log } = core.state;
  invariant(snapshot.index >= log.base.index, 'a snapshot covers all that the log has forgotten');
  becomeSnapshot(progress, snapshot.index);
  send(core, { kind: 'installSnapshot', ...envelope(core, progress.id), snapshot });
}

/** How the transfer of the bytes ended. */
export function onSnapshotSent(leadership: Leadership, progress: Progress, delivered: boolean): void {
  if (progress.state !== 'snapshot') return;
  if (delivered) {
    progress.heartbeatsSinceDelivery = 1;
    return;
  }
  becomeProbe(progress);
  // The next attempt waits for a sign of life, so that a transfer that fails at once is not begun at once.
  holdProbe(progress, leadership.round);
}

/** Figure 13, "Receiver implementation", steps 6 to 8. The message is of the current term and from its leader. */
export function onInstallSnapshot(core: Core, message: InstallSnapshot): void {
  const { state } = core;
  const { snapshot } = message;
  const problem = whyImpossible(core, message);
  if (problem !== null) {
    core.out.events.push({ kind: 'violation', peer: message.from, reason: problem });
    return;
  }
  const isHeld = snapshot.index <= state.commitIndex || termAt(state.log, snapshot.index) === snapshot.term;
  if (!isHeld) {
    install(core, snapshot);
  } else {
    // This log holds all that the snapshot does, and may hold more: keep it. The state machine needs it only in place of what is
    // damaged here.
    commitTo(core, snapshot.index);
    if (mustAdopt(state, snapshot.index)) adopt(core, snapshot);
  }
  const index = state.commitIndex;
  const after = index > state.durability.durableIndex ? fullBarrier(core) : 0;
  sendAfter(
    core,
    { kind: 'installSnapshotReply', ...envelope(core, message.from), snapshotIndex: snapshot.index, index },
    after,
  );
}

/** Whether a snapshot at `index` would change anything here: where not, its bytes need not travel. */
export function needsSnapshot(state: RaftState, index: Index): boolean {
  return index > state.commitIndex || (state.restoring < index && mustAdopt(state, index));
}

/** Whether the state machine has to take a snapshot at `index`, all of which the log holds, in place of what is damaged here. */
function mustAdopt(state: RaftState, index: Index): boolean {
  // What is between an older snapshot and the log's beginning nobody could apply.
  if (lacksSnapshot(state)) return index >= state.snapshot.index;
  return firstFaultyBehind(state.log, state.appliedIndex) <= index;
}

/** What no correct leader sends, or null: terms never fall along the log, and never pass the leader's own (§5.3). */
function whyImpossible(core: Core, message: InstallSnapshot): string | null {
  const { log, commitIndex } = core.state;
  const { index, term, configuration } = message.snapshot;
  if (index > maxIndex) return `sends a snapshot at index ${index}`;
  if (term > message.term) return `sends a snapshot of term ${term} in term ${message.term}`;
  if (configuration.index > index)
    return `sends a snapshot at ${index} with the configuration of ${configuration.index}`;
  const committed = termAt(log, commitIndex) ?? 0;
  if (index > commitIndex && term < committed)
    return `sends a snapshot of term ${term}, but term ${committed} has committed`;
  return null;
}

/** Log and state are void: the log goes on behind the snapshot, and the state machine is restored from it. */
function install(core: Core, snapshot: SnapshotMetadata): void {
  const { state } = core;
  if (state.log.lastIndex > state.commitIndex) {
    core.out.events.push({ kind: 'truncated', from: state.commitIndex + 1, to: state.log.lastIndex });
  }
  noteSnapshot(state.durability, snapshot, Math.min(state.commitIndex, snapshot.index));
  reset(state.log, snapshot);
  state.snapshot = snapshot;
  onReplaced(core, snapshot.configuration);
  state.commitIndex = snapshot.index;
  state.applyHanded = snapshot.index;
  state.restoring = snapshot.index;
  core.out.restore = { snapshot, after: state.durability.nextBatch };
}

/** The state machine takes the snapshot's state in place of faulty entries or of a damaged snapshot; everything behind the snapshot stays as it is. */
function adopt(core: Core, snapshot: SnapshotMetadata): void {
  const { state } = core;
  if (state.restoring >= snapshot.index) return;
  state.durability.adopt = snapshot;
  state.snapshot = snapshot;
  forgetCovered(state.log, snapshot.index);
  onAdopted(core, snapshot);
  state.applyHanded = snapshot.index;
  state.restoring = snapshot.index;
  core.out.restore = { snapshot, after: state.durability.nextBatch };
}

/** This server's own snapshot is durable: the log forgets what it covers, but for a tail that slow followers may still want. */
export function onCompactedInput(core: Core, snapshot: SnapshotMetadata, through: Index): void {
  const { state } = core;
  // A newer one was installed from the leader meanwhile. The same one again lets go of more of the tail.
  if (snapshot.index < state.snapshot.index) return;
  invariant(snapshot.index <= state.appliedIndex, () => `snapshot ${snapshot.index} holds only what was applied`);
  invariant(
    through <= snapshot.index,
    () => `entry ${through} is forgotten but the snapshot ends at ${snapshot.index}`,
  );
  state.snapshot = snapshot;
  forgetCovered(state.log, snapshot.index);
  if (through <= state.log.base.index) return;
  onCompacted(core, through);
  compact(state.log, through);
}
