/**
 * The log as memory holds it (§5.3; design "The log in memory is bounded"): the term of every entry, as runs, and payloads
 * only for the newest entries. Everything older is loaded from storage when someone needs it.
 */
import { invariant } from './invariant.ts';
import type { FaultyEntry, RecoveredState, TermRun } from './recovered.ts';
import { type Entry, EntryKind, type Index, type LogPosition, type MemberId, type Term } from './types.ts';
import { totalWeight, weightOf } from './weight.ts';

export interface Log {
  /** The log begins behind this position. Everything up to it is in a snapshot. */
  base: LogPosition;
  lastIndex: Index;
  /** The terms of base.index + 1 … lastIndex; ascending in both fields. */
  runs: TermRun[];
  /** Payloads of cacheFirst … lastIndex, at `cache[cacheHead]` and on. */
  cache: Entry[];
  cacheHead: number;
  cacheFirst: Index;
  /** What the cache weighs (weight.ts). */
  cacheBytes: number;
  /** Entries whose record on disk is damaged, ascending; none of them is in the cache. faulty.ts. */
  faulty: FaultyMark[];
}

/** A faulty entry, from its discovery until its record is whole again. */
export interface FaultyMark extends LogPosition {
  readonly kind: EntryKind | null;
  /** It may define a configuration that this server does not know. */
  readonly hidesConfiguration: boolean;
  /** Its content, once another server has sent it. */
  entry: Entry | null;
  /** The batch that writes `entry` back; 0 before it is handed out. */
  batch: number;
  /** Servers that have said, in the term of this leader, that they do not have it. repair.ts. */
  lackedBy: MemberId[];
}

export function recoverLog(recovered: RecoveredState): Log {
  const { base, lastIndex, termRuns, tail, faulty } = recovered;
  invariant(tail.length === 0 || tail.at(-1)?.index === lastIndex, 'the recovered tail ends at the last entry');
  const firstCached = lastIndex + 1 - tail.length;
  invariant(
    faulty.every(({ index }) => index > base.index && index < firstCached),
    'faulty entries lie in the recovered log, and not in its tail',
  );
  return {
    base,
    lastIndex,
    runs: [...termRuns],
    cache: [...tail],
    cacheHead: 0,
    cacheFirst: firstCached,
    cacheBytes: totalWeight(tail.map((entry) => entry.data)),
    faulty: faulty.map(newFaultyMark),
  };
}

function newFaultyMark({ index, term, kind }: FaultyEntry): FaultyMark {
  const hidesConfiguration = kind === null || kind === EntryKind.configuration;
  return { index, term, kind, hidesConfiguration, entry: null, batch: 0, lackedBy: [] };
}

export function lastTerm(log: Log): Term {
  return log.runs.at(-1)?.term ?? log.base.term;
}

/** The term of the entry at `index`; null if it lies before the base or behind the end. */
export function termAt(log: Log, index: Index): Term | null {
  if (index > log.lastIndex || index < log.base.index) return null;
  const run = runAt(log, index);
  return run === undefined ? log.base.term : run.term;
}

/** The run that holds `index`; undefined for the base itself. */
function runAt(log: Log, index: Index): TermRun | undefined {
  // From the end: nearly every question is about the newest entries, and runs are few.
  for (let i = log.runs.length - 1; i >= 0; i--) {
    const run = log.runs[i];
    if (run !== undefined && run.first <= index) return run;
  }
  return undefined;
}

/**
 * The largest position at or below `index` whose term is at most `term`: where two logs may agree at best, skipping whole
 * terms at a time (§5.3, the optimisation of back-up). Never below the base.
 */
export function lastPositionWithTermAtMost(log: Log, index: Index, term: Term): LogPosition {
  let at = Math.min(index, log.lastIndex);
  for (let i = log.runs.length - 1; i >= 0; i--) {
    const run = log.runs[i];
    if (run === undefined || run.first > at) continue;
    if (run.term <= term) return { index: at, term: run.term };
    at = run.first - 1;
  }
  return log.base;
}

/** Whether a log that ends at (lastIndex, lastTerm) is at least as up-to-date as this one (§5.4.1). */
export function isUpToDate(log: Log, index: Index, term: Term): boolean {
  const ours = lastTerm(log);
  return term > ours || (term === ours && index >= log.lastIndex);
}

/** Appends behind the last entry. */
export function append(log: Log, entry: Entry): void {
  invariant(entry.index === log.lastIndex + 1, () => `entry ${entry.index} is appended behind ${log.lastIndex}`);
  const newest = lastTerm(log);
  invariant(entry.term >= newest, () => `entry ${entry.index} of term ${entry.term} is appended behind term ${newest}`);
  if (entry.term !== newest || log.runs.length === 0) log.runs.push({ first: entry.index, term: entry.term });
  log.cache.push(entry);
  log.cacheBytes += weightOf(entry.data);
  log.lastIndex = entry.index;
}

/** Drops every entry from `from` on. */
export function truncate(log: Log, from: Index): void {
  invariant(from > log.base.index, () => `entry ${from} is truncated but the log begins behind ${log.base.index}`);
  while ((log.runs.at(-1)?.first ?? 0) >= from) log.runs.pop();
  while (log.lastIndex >= from && log.lastIndex >= log.cacheFirst) {
    log.cacheBytes -= weightOfEntry(log.cache.pop());
    log.lastIndex -= 1;
  }
  log.lastIndex = from - 1;
  if (log.cacheFirst > from) log.cacheFirst = from;
  log.faulty = log.faulty.filter((mark) => mark.index < from);
}

/** Forgets everything: the log goes on behind `base` (a snapshot was installed over it). */
export function reset(log: Log, base: LogPosition): void {
  log.base = base;
  log.lastIndex = base.index;
  log.runs = [];
  log.cache = [];
  log.cacheHead = 0;
  log.cacheFirst = base.index + 1;
  log.cacheBytes = 0;
  log.faulty = [];
}

/** Forgets entries up to and including `through`, which must be in a durable snapshot. */
export function compact(log: Log, through: Index): void {
  if (through <= log.base.index) return;
  const term = termAt(log, through);
  invariant(term !== null, () => `entry ${through} is compacted but the log ends at ${log.lastIndex}`);
  const kept = log.runs.findIndex((run) => run.first > through);
  const last = log.runs[(kept === -1 ? log.runs.length : kept) - 1];
  log.runs = kept === -1 ? [] : log.runs.slice(kept);
  // The run that `through` cuts in two keeps its second half, unless nothing is left of it.
  const next = log.runs[0]?.first ?? log.lastIndex + 1;
  if (last !== undefined && through + 1 < next) log.runs.unshift({ first: through + 1, term: last.term });
  log.base = { index: through, term };
  log.faulty = log.faulty.filter((mark) => mark.index > through);
  while (log.cacheFirst <= through && log.cacheFirst <= log.lastIndex) dropOldest(log);
  if (log.cacheFirst <= through) log.cacheFirst = through + 1;
}

/**
 * Forgets entries up to the last faulty one that the snapshot at `index` covers: whoever needs it, needs the snapshot instead, so
 * it need not be repaired.
 */
export function forgetCovered(log: Log, index: Index): Log {
  const covered = log.faulty.findLast((mark) => mark.index <= index);
  if (covered !== undefined) compact(log, covered.index);
  return log;
}

/** Payloads from `from` on that the cache holds, to at most `to` and `maxBytes`; at least one if `from` is held. */
export function cached(log: Log, from: Index, to: Index, maxBytes: number): readonly Entry[] {
  if (from < log.cacheFirst || from > log.lastIndex) return [];
  const start = log.cacheHead + from - log.cacheFirst;
  const limit = log.cacheHead + Math.min(to, log.lastIndex) - log.cacheFirst;
  let end = start;
  let bytes = 0;
  while (end <= limit) {
    bytes += weightOfEntry(log.cache[end]);
    if (bytes > maxBytes && end > start) break;
    end += 1;
  }
  return log.cache.slice(start, end);
}

/** What the cached entries in [from, to] weigh. */
export function cachedBytes(log: Log, from: Index, to: Index): number {
  let bytes = 0;
  for (let index = Math.max(from, log.cacheFirst); index <= to; index++) {
    bytes += weightOfEntry(log.cache[log.cacheHead + index - log.cacheFirst]);
  }
  return bytes;
}

/** Lets go of the oldest payloads until at most `maxBytes` are held; keeps everything behind `needed`. */
export function trimCache(log: Log, maxBytes: number, needed: Index): void {
  while (log.cacheBytes > maxBytes && log.cacheFirst <= needed && log.cacheFirst <= log.lastIndex) dropOldest(log);
}

function dropOldest(log: Log): void {
  log.cacheBytes -= weightOfEntry(log.cache[log.cacheHead]);
  log.cacheHead += 1;
  log.cacheFirst += 1;
  // Moving the rest down only when half is dead keeps the cost of a drop constant.
  if (log.cacheHead * 2 > log.cache.length) {
    log.cache = log.cache.slice(log.cacheHead);
    log.cacheHead = 0;
  }
}

function weightOfEntry(entry: Entry | undefined): number {
  return entry === undefined ? 0 : weightOf(entry.data);
}
