/** What is committed (§5.3, §5.4.2), and what may be applied. */
import { quorumValue } from './configuration.ts';
import { firstFaultyBehind, intactTo, lacksSnapshot } from './faulty.ts';
import { isBound } from './identity.ts';
import { invariant } from './invariant.ts';
import { cachedBytes, termAt } from './log.ts';
import { currentConfiguration } from './membership.ts';
import type { ApplyRange } from './output.ts';
import type { Core, Leadership, RaftState } from './state.ts';
import type { Index, MemberId } from './types.ts';

/** A leader counts: an index that a quorum holds durably is committed, if its entry is of the leader's own term (Figure 8). */
export function advanceCommit(core: Core): void {
  const { state } = core;
  const { leadership } = state;
  if (leadership === null) return;
  const held = quorumValue(currentConfiguration(state), (id) => durableMatch(core, leadership, id));
  if (held <= state.commitIndex || held < leadership.termStart) return;
  invariant(termAt(state.log, held) === state.term, 'a leader commits by counting only entries of its own term');
  leadership.uncommittedBytes -= cachedBytes(state.log, state.commitIndex + 1, held);
  commitTo(core, held);
}

/** How far `id` holds this log durably, as far as it counts. A leader counts itself like anyone: only what is whole on its disk. */
function durableMatch(core: Core, leadership: Leadership, id: MemberId): Index {
  if (!isBound(core, id)) return 0;
  if (id === core.options.id) return intactTo(core, core.state.durability.durableIndex);
  return leadership.progress.find((progress) => progress.id === id)?.match ?? 0;
}

/** The commit index never moves back and never beyond the log. */
export function commitTo(core: Core, index: Index): void {
  const { state } = core;
  if (index <= state.commitIndex) return;
  invariant(
    index <= state.log.lastIndex,
    () => `commit index ${index} lies within the log, which ends at ${state.log.lastIndex}`,
  );
  state.commitIndex = index;
}

/** What may be applied now and was not handed out before; nothing while a snapshot is being restored or missing, nothing faulty. */
export function takeApplyRange(core: Core): ApplyRange | null {
  const { state, options } = core;
  if (waitsForSnapshot(state)) return null;
  const limit = options.applyDurableOnly
    ? Math.max(state.durability.durableIndex, state.applyHanded)
    : state.commitIndex;
  const to = Math.min(state.commitIndex, limit, firstFaultyBehind(state.log, state.applyHanded) - 1);
  if (to <= state.applyHanded) return null;
  const range = { from: state.applyHanded + 1, to };
  state.applyHanded = to;
  return range;
}

/** The state machine has applied everything up to `index`. */
export function onApplied(core: Core, index: Index): void {
  const { state } = core;
  invariant(index <= state.applyHanded, () => `entry ${index} is applied but only ${state.applyHanded} was handed out`);
  if (state.restoring !== 0 && index >= state.restoring) state.restoring = 0;
  // While a snapshot is being restored, reports of what was applied before it mean nothing any more.
  if (state.restoring === 0) state.appliedIndex = Math.max(state.appliedIndex, index);
}

/** Committed entries that wait to be applied, above which clients would notice. */
const maxBacklog = 4096;

/** Whether the state machine lags behind what is known to be committed: it takes over a snapshot, lacks its own, or has much to apply. */
export function isBehind(state: RaftState): boolean {
  return waitsForSnapshot(state) || state.commitIndex - state.appliedIndex > maxBacklog;
}

/** Nothing can be applied: a snapshot is being restored, or the server's own is damaged. */
function waitsForSnapshot(state: RaftState): boolean {
  return state.restoring !== 0 || lacksSnapshot(state);
}
