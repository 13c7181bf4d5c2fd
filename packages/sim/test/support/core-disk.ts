/** One server's disk in the core world: what is durable, and the batches that are on their way, in order. */
import {
  type Configuration,
  configurationsIn,
  type Entry,
  freshState,
  type HardState,
  type Index,
  type PersistBatch,
  type RecoveredState,
  type SnapshotMetadata,
  termRunsOf,
} from '@quorate/raft';

/** The state machine of the core world: a chain over all commands. */
export interface Machine {
  readonly index: Index;
  readonly digest: number;
}

export interface CoreSnapshot extends SnapshotMetadata {
  readonly machine: Machine;
}

interface Contents {
  hardState: HardState;
  snapshot: CoreSnapshot;
  base: { readonly index: Index; readonly term: number };
  entries: Entry[];
}

export class CoreDisk {
  #durable: Contents;
  pending: PersistBatch[] = [];
  /** Snapshots that have arrived from a leader and are not yet installed, by index. */
  readonly received = new Map<Index, CoreSnapshot>();

  constructor(configuration: Configuration) {
    const { hardState, snapshot, base } = freshState(configuration);
    this.#durable = { hardState, snapshot: { ...snapshot, machine: { index: 0, digest: 0 } }, base, entries: [] };
  }

  get snapshot(): CoreSnapshot {
    return this.#durable.snapshot;
  }

  get lastIndex(): Index {
    return this.#durable.base.index + this.#durable.entries.length;
  }

  entryAt(index: Index): Entry | undefined {
    return this.#durable.entries[index - this.#durable.base.index - 1];
  }

  /** The oldest batch is written. */
  complete(): PersistBatch {
    const batch = this.pending.shift();
    if (batch === undefined) throw new Error('No batch is on its way.');
    this.#write(batch);
    return batch;
  }

  /** The process is gone; the first `survivors` batches had been written all the same. */
  crash(survivors: number): void {
    for (const batch of this.pending.slice(0, survivors)) this.#write(batch);
    this.pending = [];
    this.received.clear();
  }

  #write({ snapshot, truncateFrom, entries, hardState }: PersistBatch): void {
    const disk = this.#durable;
    if (snapshot !== null) {
      const received = this.received.get(snapshot.index);
      if (received === undefined) throw new Error(`Snapshot ${snapshot.index} is installed and never arrived.`);
      disk.snapshot = received;
      disk.base = { index: snapshot.index, term: snapshot.term };
      disk.entries = [];
    }
    if (truncateFrom > 0) disk.entries.length = Math.min(disk.entries.length, truncateFrom - 1 - disk.base.index);
    for (const entry of entries) disk.entries.push(entry);
    if (hardState !== null) disk.hardState = hardState;
  }

  /** A snapshot of this server's own machine is durable, and the log forgets what lies up to `through`. */
  compact(snapshot: CoreSnapshot, through: Index): void {
    const disk = this.#durable;
    if (snapshot.index > disk.snapshot.index) disk.snapshot = snapshot;
    const term = this.entryAt(through)?.term;
    if (term === undefined) return;
    disk.entries = disk.entries.slice(through - disk.base.index);
    disk.base = { index: through, term };
  }

  recovered(tailLength: number): RecoveredState {
    const { hardState, snapshot, base, entries } = this.#durable;
    return {
      hardState,
      snapshot,
      base,
      lastIndex: this.lastIndex,
      termRuns: termRunsOf(entries),
      configurations: configurationsIn(entries.filter((entry) => entry.index > snapshot.index)),
      faulty: [],
      tail: tailLength === 0 ? [] : entries.slice(-tailLength),
      applied: snapshot.index,
    };
  }
}
