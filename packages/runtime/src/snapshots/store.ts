/** Which snapshots there are: the current one, one that is coming in, and files that a reader still needs. */
import type { SnapshotMetadata } from '@quorate/raft';
import type { DiskOperation, DiskQueue, Timers } from '../environment.ts';
import { StorageFailure } from '../storage-failure.ts';
import type { SnapshotReader, SnapshotReceiver, SnapshotWriter, StorageError, StorageIdentity } from '../storage.ts';
import type { StorageOptions } from '../storage-options.ts';
import { runSteps, type Steps, submit } from '../steps.ts';
import { SNAPSHOT_DIRECTORY, type SnapshotFile, snapshotPath } from './format.ts';
import { type CheckedSnapshot, checkSnapshot, FileSnapshotReader } from './reader.ts';
import { FileSnapshotReceiver, resumePartial } from './receiver.ts';
import type { RecoveredSnapshots } from './recovery.ts';
import { FileSnapshotWriter } from './writer.ts';

export class SnapshotStore {
  readonly #disk: DiskQueue;
  readonly #timers: Timers;
  readonly #identity: StorageIdentity;
  readonly #options: StorageOptions;
  #current: SnapshotMetadata;
  #received: SnapshotFile | null;
  #partial: SnapshotFile | null;
  #receiver: FileSnapshotReceiver | null = null;
  /** Open readers of each file. A file that has been replaced goes when the last of them closes. */
  readonly #readers = new Map<string, number>();
  readonly #replaced = new Set<string>();

  constructor(
    environment: { readonly disk: DiskQueue; readonly timers: Timers },
    identity: StorageIdentity,
    options: StorageOptions,
    found: RecoveredSnapshots,
  ) {
    this.#disk = environment.disk;
    this.#timers = environment.timers;
    this.#identity = identity;
    this.#options = options;
    this.#current = found.current;
    this.#received = found.received;
    this.#partial = found.partial;
  }

  create(metadata: SnapshotMetadata): SnapshotWriter {
    return new FileSnapshotWriter(
      {
        disk: this.#disk,
        identity: this.#identity,
        syncBytes: this.#options.snapshotSyncBytes,
        isOvertaken: (other) => other.index <= this.#current.index,
        onDone: (done) => this.#becomesCurrent(done),
      },
      metadata,
    );
  }

  receive(
    metadata: SnapshotMetadata,
    totalBytes: number,
    done: (error: StorageError | null, receiver: SnapshotReceiver | null) => void,
  ): void {
    this.#receiver?.suspend();
    this.#receiver = null;
    runSteps(this.#prepareReceiver(metadata, totalBytes), (error, receiver) => {
      this.#receiver = receiver ?? null;
      done(error, receiver ?? null);
    });
  }

  *#prepareReceiver(metadata: SnapshotMetadata, totalBytes: number): Steps<FileSnapshotReceiver> {
    const disk = this.#disk;
    const file: SnapshotFile = { kind: 'partial', index: metadata.index, term: metadata.term, totalBytes };
    const received = this.#received;
    const whole = received !== null && sameFile(received, file);
    // One transfer is kept at most: another one's remains go.
    const stale = [this.#partial, whole ? null : received].filter((each) => each !== null && !sameFile(each, file));
    this.#partial = file;
    if (!whole) this.#received = null;
    yield* submit(
      disk,
      stale.map((each) => ({ op: 'remove', path: snapshotPath(each as SnapshotFile) }) as const),
    );
    const verifier = whole ? null : yield* resumePartial(disk, snapshotPath(file));
    const context = {
      disk,
      identity: this.#identity,
      syncBytes: this.#options.snapshotSyncBytes,
      later: (callback: () => void) => this.#timers.afterPoll(callback),
      onReceived: (whole: SnapshotFile) => {
        this.#received = whole;
        this.#partial = null;
      },
    };
    return new FileSnapshotReceiver(context, metadata, totalBytes, verifier);
  }

  /** The current snapshot, or null while it is the empty one that a directory begins with. */
  open(done: (error: StorageError | null, reader: SnapshotReader | null) => void): void {
    if (this.#current.index === 0) return this.#timers.afterPoll(() => done(null, null));
    const path = donePath(this.#current);
    this.#readers.set(path, (this.#readers.get(path) ?? 0) + 1);
    runSteps(checkSnapshot(this.#disk, path), (error, snapshot?: CheckedSnapshot) => {
      if (snapshot === undefined) {
        this.#readerClosed(path);
        return done(error, null);
      }
      const later = (callback: () => void): void => this.#timers.afterPoll(callback);
      done(null, new FileSnapshotReader(this.#disk, path, snapshot, later, () => this.#readerClosed(path)));
    });
  }

  /** What makes a received snapshot current, once the batch that names it is durable. Fails if it has not been received. */
  installOperations(metadata: SnapshotMetadata): readonly DiskOperation[] | StorageError {
    const received = this.#received;
    if (received === null || received.index !== metadata.index || received.term !== metadata.term) {
      if (metadata.index === this.#current.index && metadata.term === this.#current.term) return [];
      const what = `Snapshot ${metadata.index}, term ${metadata.term} is to be installed, but was not received.`;
      return new StorageFailure('InvalidSnapshot', what).storageError;
    }
    return [
      { op: 'rename', from: snapshotPath(received), to: donePath(metadata) },
      { op: 'syncDirectory', path: SNAPSHOT_DIRECTORY },
    ];
  }

  /** The batch that names the snapshot is durable, and its file has its final name. */
  installed(metadata: SnapshotMetadata): void {
    this.#received = null;
    this.#becomesCurrent(metadata);
  }

  #becomesCurrent(metadata: SnapshotMetadata): void {
    // One of our own may be finished only after a newer one was installed.
    if (metadata.index < this.#current.index) return this.#remove(donePath(metadata));
    const former = donePath(this.#current);
    this.#current = metadata;
    if (former === donePath(metadata)) return;
    if (this.#readers.has(former)) this.#replaced.add(former);
    else this.#remove(former);
  }

  #readerClosed(path: string): void {
    const left = (this.#readers.get(path) ?? 1) - 1;
    if (left > 0) return void this.#readers.set(path, left);
    this.#readers.delete(path);
    if (this.#replaced.delete(path)) this.#remove(path);
  }

  /** Opening removes what is left if this fails, so a failure costs space and nothing else. */
  #remove(path: string): void {
    this.#disk.submit([{ op: 'remove', path }], () => undefined);
  }
}

export function donePath(metadata: SnapshotMetadata): string {
  return snapshotPath({ kind: 'done', index: metadata.index, term: metadata.term, totalBytes: 0 });
}

function sameFile(a: SnapshotFile, b: SnapshotFile): boolean {
  return a.index === b.index && a.term === b.term && a.totalBytes === b.totalBytes;
}
