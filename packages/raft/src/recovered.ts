/** What storage hands to the core at start: everything that was promised before, and nothing else. */
import { decodeConfiguration } from './configuration-codec.ts';
import {
  type Configuration,
  type Entry,
  EntryKind,
  type HardState,
  type Index,
  type SnapshotMetadata,
  type Term,
} from './types.ts';

/** Entries first … the next run's first - 1 all have this term. */
export interface TermRun {
  readonly first: Index;
  readonly term: Term;
}

/**
 * An entry whose record is damaged on disk. It was promised, so it stands in the log with index and term as any other; its data
 * is not known here and must come from another server (repair.ts).
 */
export interface FaultyEntry {
  readonly index: Index;
  readonly term: Term;
  /** Null when even this is lost. */
  readonly kind: EntryKind | null;
}

export interface RecoveredState {
  readonly hardState: HardState;
  /** The newest snapshot. A cluster's creation is one at index 0, term 0, with the first configuration. */
  readonly snapshot: SnapshotMetadata;
  /** The log begins behind this position (at most the snapshot's index). */
  readonly base: { readonly index: Index; readonly term: Term };
  /** The last durable entry's index; base.index when the log is empty. */
  readonly lastIndex: Index;
  /** The terms of base.index + 1 … lastIndex, ascending. */
  readonly termRuns: readonly TermRun[];
  /** Every intact configuration entry behind the snapshot, decoded, in log order (committed or not). */
  readonly configurations: readonly Configuration[];
  /** Damaged entries, ascending. They are counted in lastIndex and termRuns. */
  readonly faulty: readonly FaultyEntry[];
  /** The newest entries, contiguous up to lastIndex, for the cache. Holds no faulty one. May be empty. */
  readonly tail: readonly Entry[];
  /**
   * What the state machine has already applied: the snapshot's index, or more when it is durable in itself. Less when the snapshot
   * cannot be read: then another server's has to take its place before anything is applied (faulty.ts).
   */
  readonly applied: Index;
}

/** The recovered state of a server that has never run, as a member of `configuration`. */
export function freshState(configuration: Configuration): RecoveredState {
  return {
    hardState: { term: 0, vote: null },
    snapshot: { index: 0, term: 0, configuration },
    base: { index: 0, term: 0 },
    lastIndex: 0,
    termRuns: [],
    configurations: [],
    faulty: [],
    tail: [],
    applied: 0,
  };
}

/** The terms of these entries, which follow one another, as runs: for drivers that have the whole log at hand. */
export function termRunsOf(entries: readonly Entry[]): TermRun[] {
  const runs: TermRun[] = [];
  for (const { index, term } of entries) if (runs.at(-1)?.term !== term) runs.push({ first: index, term });
  return runs;
}

/** The configurations that these entries define, in log order; without those that cannot be decoded. */
export function configurationsIn(entries: readonly Entry[]): Configuration[] {
  return entries.flatMap(({ index, kind, data }) =>
    kind === EntryKind.configuration ? (decodeConfiguration(data, index) ?? []) : [],
  );
}
