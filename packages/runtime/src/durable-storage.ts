/** The storage of one server: its log and its snapshots, kept in step. */
import type { Entry, Index, PersistBatch, SnapshotMetadata } from '@quorate/raft';
import type { Environment } from './environment.ts';
import type { SnapshotStore } from './snapshots/store.ts';
import type { RaftStorage, SnapshotReader, SnapshotReceiver, SnapshotWriter, StorageError } from './storage.ts';
import type { WriteAheadLog } from './wal/log.ts';

export class DurableStorage implements RaftStorage {
  readonly #environment: Pick<Environment, 'disk' | 'timers'>;
  readonly #log: WriteAheadLog;
  readonly #snapshots: SnapshotStore;

  constructor(environment: Pick<Environment, 'disk' | 'timers'>, log: WriteAheadLog, snapshots: SnapshotStore) {
    this.#environment = environment;
    this.#log = log;
    this.#snapshots = snapshots;
  }

  append(batches: readonly PersistBatch[], done: (error: StorageError | null) => void): void {
    const received = lastReceived(batches);
    if (received === null) return this.#log.append(batches, [], done);
    const { snapshot, voidsLog } = received;
    const install = this.#snapshots.installOperations(snapshot);
    if ('code' in install) return this.#environment.timers.afterPoll(() => done(install));
    // The batch first: until it is durable the received file must not look like the current one (known from its name).
    this.#log.append(batches, install, (error) => {
      if (error !== null) return done(error);
      this.#snapshots.installed(snapshot);
      if (voidsLog) this.#log.retireBeforeActive(done);
      else done(null);
    });
  }

  hasRoomFor(bytes: number, entries: number): boolean {
    return this.#log.hasRoomFor(bytes, entries);
  }

  onFailure(listener: (error: StorageError) => void): void {
    this.#log.onFailure(listener);
  }

  read(
    from: Index,
    to: Index,
    maxBytes: number,
    done: (error: StorageError | null, entries: readonly Entry[]) => void,
  ): void {
    this.#log.read(from, to, maxBytes, done);
  }

  compact(through: Index, done: (error: StorageError | null) => void): void {
    this.#log.compact(through, done);
  }

  logBytesSince(index: Index): number {
    return this.#log.bytesAfter(index);
  }

  createSnapshot(metadata: SnapshotMetadata): SnapshotWriter {
    return this.#snapshots.create(metadata);
  }

  receiveSnapshot(
    metadata: SnapshotMetadata,
    totalBytes: number,
    done: (error: StorageError | null, receiver: SnapshotReceiver | null) => void,
  ): void {
    this.#snapshots.receive(metadata, totalBytes, done);
  }

  openSnapshot(done: (error: StorageError | null, reader: SnapshotReader | null) => void): void {
    this.#snapshots.open(done);
  }

  close(done: () => void): void {
    this.#log.stop();
    this.#environment.disk.close(done);
  }
}

/** The received snapshot that is current after these batches, and whether any of them began the log anew behind one. */
function lastReceived(
  batches: readonly PersistBatch[],
): { readonly snapshot: SnapshotMetadata; readonly voidsLog: boolean } | null {
  const newest = batches.findLast((batch) => batch.snapshot !== null || batch.adopt !== null);
  const current = newest?.snapshot ?? newest?.adopt ?? null;
  return current === null ? null : { snapshot: current, voidsLog: batches.some((batch) => batch.snapshot !== null) };
}
