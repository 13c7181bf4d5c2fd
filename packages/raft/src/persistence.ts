/**
 * Persist before promise (Figure 2: "updated on stable storage before responding"; dissertation §10.2.1).
 *
 * Changes to term, vote, log and snapshot gather here until `takeBatch` hands them out as one unit. A message that makes a
 * promise names the batch that carries what it promises, and the driver holds it until that batch is durable.
 */
import { invariant } from './invariant.ts';
import { cached, type FaultyMark, termAt } from './log.ts';
import type { PersistBatch } from './output.ts';
import type { Core, Durability } from './state.ts';
import type { Entry, Index, MemberId, SnapshotMetadata, Term } from './types.ts';

/** Moves to a new term, without a vote in it yet. */
export function setTerm(core: Core, term: Term): void {
  const { state } = core;
  invariant(term > state.term, () => `term ${term} follows ${state.term}`);
  state.term = term;
  state.vote = null;
  state.durability.hardStateDirty = true;
  state.durability.termBatch = state.durability.nextBatch;
}

/** Gives this server's one vote of the term (§5.2). */
export function setVote(core: Core, candidate: MemberId): void {
  const { state } = core;
  invariant(
    state.vote === null || state.vote === candidate,
    () => `one vote a term: ${state.vote} has it, not ${candidate}`,
  );
  if (state.vote === candidate) return;
  state.vote = candidate;
  state.durability.hardStateDirty = true;
}

/** Keeps book of entries dropped from memory: they are no longer durable, whatever batches are still under way. */
export function noteTruncated(durability: Durability, from: Index): void {
  if (from < durability.persistFrom) {
    durability.truncateFrom = durability.truncateFrom === 0 ? from : Math.min(durability.truncateFrom, from);
    durability.persistFrom = from;
  }
  forgetDurableFrom(durability, from);
}

/** Keeps book of a snapshot that replaces the whole log; `valid` is the last index whose entry is still the true one. */
export function noteSnapshot(durability: Durability, snapshot: SnapshotMetadata, valid: Index): void {
  durability.snapshot = snapshot;
  durability.adopt = null;
  durability.truncateFrom = 0;
  durability.persistFrom = snapshot.index + 1;
  forgetDurableFrom(durability, valid + 1);
}

/**
 * A batch under way that carried entries from `from` on must not, when it completes, vouch for the different entries that now
 * stand in their place (the ABA of asynchronous writes).
 */
function forgetDurableFrom(durability: Durability, from: Index): void {
  durability.durableIndex = Math.min(durability.durableIndex, from - 1);
  for (const batch of durability.outstanding) batch.lastIndex = Math.min(batch.lastIndex, from - 1);
}

/** The batch that a message of the current term must wait for: no word of a term before the term is durable. */
export function termBarrier(core: Core): number {
  const { termBatch, durableBatch } = core.state.durability;
  return termBatch > durableBatch ? termBatch : 0;
}

/** The batch after which everything that memory holds now is durable: what grants and acknowledgements wait for. */
export function fullBarrier(core: Core): number {
  const { durability } = core.state;
  if (hasUnsaved(core)) return durability.nextBatch;
  return durability.outstanding.at(-1)?.id ?? 0;
}

function hasUnsaved(core: Core): boolean {
  const { durability, log } = core.state;
  return (
    durability.hardStateDirty ||
    durability.truncateFrom !== 0 ||
    durability.snapshot !== null ||
    durability.adopt !== null ||
    log.faulty.some(isUnwritten) ||
    durability.persistFrom <= log.lastIndex
  );
}

/** A faulty entry whose content is known and that no batch carries yet. */
function isUnwritten(mark: FaultyMark): boolean {
  return mark.entry !== null && mark.batch === 0;
}

/** Everything unsaved as one batch, or null if there is nothing. */
export function takeBatch(core: Core): PersistBatch | null {
  if (!hasUnsaved(core)) return null;
  const { state } = core;
  const { durability, log } = state;
  const entries = cached(log, durability.persistFrom, log.lastIndex, Number.MAX_SAFE_INTEGER);
  invariant(entries.length === log.lastIndex + 1 - durability.persistFrom, 'entries not yet durable are in memory');
  const batch: PersistBatch = {
    id: durability.nextBatch,
    hardState: durability.hardStateDirty ? { term: state.term, vote: state.vote } : null,
    truncateFrom: durability.truncateFrom,
    entries,
    snapshot: durability.snapshot,
    adopt: durability.adopt,
    repairs: takeRepairs(core),
  };
  durability.outstanding.push({ id: batch.id, lastIndex: log.lastIndex });
  durability.nextBatch += 1;
  durability.hardStateDirty = false;
  durability.truncateFrom = 0;
  durability.persistFrom = log.lastIndex + 1;
  durability.snapshot = null;
  durability.adopt = null;
  return batch;
}

const none: readonly Entry[] = [];

function takeRepairs(core: Core): readonly Entry[] {
  const { durability, log } = core.state;
  if (log.faulty.length === 0) return none;
  const repairs: Entry[] = [];
  for (const mark of log.faulty) {
    if (mark.entry === null || mark.batch !== 0) continue;
    mark.batch = durability.nextBatch;
    repairs.push(mark.entry);
  }
  return repairs;
}

/** Batches up to `id` are durable. Returns false for a completion that was reported before. */
export function markDurable(core: Core, id: number): boolean {
  const { durability, log } = core.state;
  invariant(id < durability.nextBatch, () => `batch ${id} is durable before it was handed out`);
  if (id <= durability.durableBatch) return false;
  durability.durableBatch = id;
  while ((durability.outstanding[0]?.id ?? Number.POSITIVE_INFINITY) <= id) {
    const batch = durability.outstanding.shift();
    if (batch !== undefined) durability.durableIndex = Math.max(durability.durableIndex, batch.lastIndex);
  }
  invariant(
    durability.durableIndex <= log.lastIndex,
    () => `entry ${durability.durableIndex} is durable but not in the log`,
  );
  invariant(
    termAt(log, durability.durableIndex) !== null || durability.durableIndex <= log.base.index,
    'durable has a term',
  );
  return true;
}
