/** One server's disk in a core world: what a crash at this moment leaves behind. Plain data, never changed after it is made. */
import {
  type Configuration,
  configurationsIn,
  type Entry,
  EntryKind,
  freshState,
  type HardState,
  type Index,
  type LogPosition,
  type PersistBatch,
  type RecoveredState,
  type SnapshotMetadata,
  type Term,
  termRunsOf,
} from '@quorate/raft';

/** The state machine: a chain over all commands. */
export interface Machine {
  /** The last entry that went into it. */
  readonly index: Index;
  readonly term: Term;
  /** How many commands did. */
  readonly commands: number;
  /** Of all that it was given, in order; an unsigned 32-bit number. */
  readonly digest: number;
}

/** Metadata for the core, with the bytes that a runtime would stream beside it. */
export interface CoreSnapshot extends SnapshotMetadata {
  readonly machine: Machine;
}

export interface DiskImage {
  readonly hardState: HardState;
  readonly snapshot: CoreSnapshot;
  /** The log begins behind this position. */
  readonly base: LogPosition;
  readonly entries: readonly Entry[];
  /** Entries whose records are damaged, ascending. Nobody notices before the server starts. */
  readonly faulty: readonly Index[];
}

export const emptyMachine: Machine = { index: 0, term: 0, commands: 0, digest: 0x811c9dc5 };

/** The disk of a server that has never run. */
export function freshDisk(configuration: Configuration): DiskImage {
  const { hardState, snapshot, base } = freshState(configuration);
  return { hardState, snapshot: { ...snapshot, machine: emptyMachine }, base, entries: [], faulty: [] };
}

export function lastIndexOf({ base, entries }: DiskImage): Index {
  return base.index + entries.length;
}

export function entryOn({ base, entries }: DiskImage, index: Index): Entry | undefined {
  return entries[index - base.index - 1];
}

/** The term of the entry at `index`, or null where the disk has none. */
export function termOn(disk: DiskImage, index: Index): Term | null {
  return index === disk.base.index ? disk.base.term : (entryOn(disk, index)?.term ?? null);
}

/** The snapshot with its bytes: whatever a core is handed here has them. */
export function withBytes(snapshot: SnapshotMetadata): CoreSnapshot {
  if (!hasBytes(snapshot)) throw new TypeError(`The bytes of the snapshot at ${snapshot.index} are nowhere.`);
  return snapshot;
}

function hasBytes(snapshot: SnapshotMetadata): snapshot is CoreSnapshot {
  return 'machine' in snapshot;
}

/** Carries out one batch, in the order that output.ts of the core prescribes: repairs, snapshot, cut, entries, term and vote. */
export function written(disk: DiskImage, batch: PersistBatch): DiskImage {
  let { base, entries, faulty, snapshot } = disk;
  if (batch.repairs.length > 0) faulty = faulty.filter((index) => !batch.repairs.some((each) => each.index === index));
  if (batch.adopt !== null && batch.adopt.index > snapshot.index) snapshot = withBytes(batch.adopt);
  if (batch.snapshot !== null) {
    snapshot = withBytes(batch.snapshot);
    base = { index: snapshot.index, term: snapshot.term };
    entries = [];
    faulty = [];
  }
  const { truncateFrom } = batch;
  if (truncateFrom > 0 && truncateFrom <= base.index + entries.length) {
    entries = entries.slice(0, truncateFrom - base.index - 1);
    faulty = faulty.filter((index) => index < truncateFrom);
  }
  if (batch.entries.length > 0) entries = [...entries, ...batch.entries];
  return { hardState: batch.hardState ?? disk.hardState, snapshot, base, entries, faulty };
}

/** A snapshot of the server's own machine is durable, and the log forgets what lies up to `through`. */
export function compacted(disk: DiskImage, snapshot: CoreSnapshot, through: Index): DiskImage {
  const term = termOn(disk, through);
  const kept = { ...disk, snapshot: snapshot.index > disk.snapshot.index ? snapshot : disk.snapshot };
  if (term === null || through <= disk.base.index) return kept;
  return {
    ...kept,
    base: { index: through, term },
    entries: disk.entries.slice(through - disk.base.index),
    faulty: disk.faulty.filter((index) => index > through),
  };
}

/** What storage hands to a core that starts from this disk. */
export function recovered({ hardState, snapshot, base, entries, faulty }: DiskImage): RecoveredState {
  const isWhole = (entry: Entry): boolean => !faulty.includes(entry.index);
  const lastFaulty = faulty[faulty.length - 1] ?? 0;
  return {
    hardState,
    snapshot,
    base,
    lastIndex: base.index + entries.length,
    termRuns: termRunsOf(entries),
    configurations: configurationsIn(entries.filter((entry) => entry.index > snapshot.index && isWhole(entry))),
    faulty: entries.filter((entry) => !isWhole(entry)).map(({ index, term, kind }) => ({ index, term, kind })),
    tail: entries.filter((entry) => entry.index > lastFaulty),
    applied: snapshot.index,
  };
}

/** The machine after one more entry. */
export function applied(machine: Machine, { index, term, kind, data }: Entry): Machine {
  if (kind !== EntryKind.command) return { ...machine, index, term };
  let { digest } = machine;
  for (const byte of data) digest = Math.imul(digest ^ byte, 0x01000193) >>> 0;
  digest = Math.imul(digest ^ index, 0x01000193) >>> 0;
  return { index, term, commands: machine.commands + 1, digest };
}
