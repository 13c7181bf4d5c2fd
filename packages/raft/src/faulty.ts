/**
 * Faulty entries (CTRL, FAST '18, §3): the record is damaged on this server's disk, but that it stood there is known, with index
 * and term. To forget that would be to take back a promise. So a faulty entry counts as present in elections and in log
 * matching; it is neither applied nor sent nor denied, and it is acknowledged no more: whoever counts copies counts whole ones.
 */
import { decodeConfiguration } from './configuration-codec.ts';
import { type FaultyMark, forgetCovered, type Log, termAt } from './log.ts';
import { onRepairedConfiguration } from './membership.ts';
import type { Core, RaftState } from './state.ts';
import { type Entry, EntryKind, type Index, type LogPosition, type MemberId } from './types.ts';

/** The mark of the entry at `index`, if it is faulty. */
export function faultyAt(log: Log, index: Index): FaultyMark | undefined {
  const mark = log.faulty[position(log, index)];
  return mark?.index === index ? mark : undefined;
}

/** The first faulty entry behind `index`; infinity if there is none. */
export function firstFaultyBehind(log: Log, index: Index): Index {
  return log.faulty[position(log, index + 1)]?.index ?? Number.POSITIVE_INFINITY;
}

/** Where the first mark at or behind `index` stands; marks are ascending. */
function position(log: Log, index: Index): number {
  let low = 0;
  let high = log.faulty.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((log.faulty[middle]?.index ?? 0) < index) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * How far up to `index` this server's copy counts towards a commit. A faulty entry that is committed has been counted where it was
 * whole; one that is not must not make up a majority, or too few whole copies would stand behind a commit.
 */
export function intactTo(core: Core, index: Index): Index {
  const { log, commitIndex } = core.state;
  return log.faulty.length === 0 ? index : Math.min(index, firstFaultyBehind(log, commitIndex) - 1);
}

/**
 * Whether the configuration in force at `to` may stand in a faulty entry, behind the newest that is known. Of the newest of all this
 * means that the server cannot know whose votes it would need.
 */
export function hidesConfiguration(state: RaftState, to: Index): boolean {
  const known = state.configurations.findLast((configuration) => configuration.index <= to)?.index ?? 0;
  const hides = (mark: FaultyMark): boolean => mark.hidesConfiguration && mark.entry === null;
  return state.log.faulty.some((mark) => mark.index > known && mark.index <= to && hides(mark));
}

/**
 * Whether this server's own snapshot is damaged: nobody can make its state from the log, which begins behind it. The log and all that
 * was promised about it stand, so the server votes and acknowledges as any other; it applies nothing and leads nobody, since only a
 * leader sends snapshots.
 */
export function lacksSnapshot({ restoring, appliedIndex, snapshot }: RaftState): boolean {
  return restoring === 0 && appliedIndex < snapshot.index;
}

/** Storage found the record at `index` damaged. */
export function noteFaulty(core: Core, index: Index): void {
  const { state } = core;
  const { log } = state;
  const term = termAt(log, index);
  // Compacted, cut or written anew since it was read.
  if (term === null || index <= log.base.index || index >= log.cacheFirst || faultyAt(log, index) !== undefined) return;
  core.out.events.push({ kind: 'faulty', index, term });
  // The configurations in the log are in memory since the start, but for those that were faulty then.
  const known = state.configurations.some((configuration) => configuration.index === index);
  const kind = known ? EntryKind.configuration : null;
  const mark = { index, term, kind, hidesConfiguration: false, entry: null, batch: 0, lackedBy: [] };
  log.faulty.splice(position(log, index), 0, mark);
  forgetCovered(log, state.snapshot.index);
}

/**
 * Takes `entry`, which `from` holds, for the content of the faulty entry of the same index and term: by Log Matching it is the
 * same entry (§5.3). It counts as whole when it is on disk again. Returns whether it was wanted.
 */
export function takeRepair(core: Core, from: MemberId, entry: Entry): boolean {
  const mark = faultyAt(core.state.log, entry.index);
  if (mark === undefined || mark.entry !== null || mark.term !== entry.term) return false;
  const problem = whyNot(mark, entry);
  if (problem !== null) {
    core.out.events.push({ kind: 'violation', peer: from, reason: problem });
    return false;
  }
  mark.entry = entry;
  if (mark.hidesConfiguration && entry.kind === EntryKind.configuration) onRepairedConfiguration(core, entry);
  return true;
}

/** What cannot be the content of that entry, or null. A peer can be wrong without this server being so. */
function whyNot(mark: FaultyMark, entry: Entry): string | null {
  if (entry.kind > EntryKind.configuration) return `sends entry ${entry.index} of the unknown kind ${entry.kind}`;
  if (mark.kind !== null && mark.kind !== entry.kind)
    return `sends entry ${entry.index} of kind ${entry.kind}, not ${mark.kind}`;
  if (entry.kind === EntryKind.configuration && decodeConfiguration(entry.data, entry.index) === null) {
    return `sends a malformed configuration in entry ${entry.index}`;
  }
  return null;
}

/** At most `count` faulty entries whose content is unknown, in order, beginning behind `index` and, at the end, from the start. */
export function missingBehind(log: Log, index: Index, count: number): readonly LogPosition[] {
  const found: LogPosition[] = [];
  const { faulty } = log;
  const start = position(log, index + 1);
  for (let step = 0; step < faulty.length && found.length < count; step++) {
    const mark = faulty[(start + step) % faulty.length];
    if (mark?.entry === null) found.push({ index: mark.index, term: mark.term });
  }
  return found.sort((a, b) => a.index - b.index);
}

/** Entries whose repair is durable are whole again. Returns whether there were any. */
export function noteRepaired(core: Core): boolean {
  const { log, durability } = core.state;
  if (log.faulty.length === 0) return false;
  const isWhole = (mark: FaultyMark): boolean => mark.batch > 0 && mark.batch <= durability.durableBatch;
  const repaired = log.faulty.filter(isWhole);
  if (repaired.length === 0) return false;
  for (const { index, term } of repaired) core.out.events.push({ kind: 'repaired', index, term });
  log.faulty = log.faulty.filter((mark) => !isWhole(mark));
  return true;
}
