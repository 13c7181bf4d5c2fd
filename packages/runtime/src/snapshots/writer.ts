/** Writes a snapshot of this server's own state, aside, until it is whole and durable. */
import type { SnapshotMetadata } from '@quorate/raft';
import type { DiskError, DiskOperation, DiskQueue } from '../environment.ts';
import { StorageFailure, storageErrorOf } from '../storage-failure.ts';
import type { SnapshotWriter, StorageError, StorageIdentity } from '../storage.ts';
import {
  encodeFooter,
  encodeSnapshotHeader,
  FRAME_HEADER_BYTES,
  MAX_SLICE_BYTES,
  SNAPSHOT_DIRECTORY,
  sealFrame,
  snapshotPath,
} from './format.ts';
import { viewOf } from '../bytes.ts';

export interface WriterContext {
  readonly disk: DiskQueue;
  readonly identity: StorageIdentity;
  readonly syncBytes: number;
  /** The file stands under its final name, durably. */
  readonly onDone: (metadata: SnapshotMetadata, bytes: number) => void;
  /** Whether a snapshot at least as new has become current meanwhile. */
  readonly isOvertaken: (metadata: SnapshotMetadata) => boolean;
}

export class FileSnapshotWriter implements SnapshotWriter {
  readonly #context: WriterContext;
  readonly #metadata: SnapshotMetadata;
  readonly #path: string;
  #at = 0;
  #unsynced = 0;
  #chain = 0;
  #slices = 0;
  #bytes = 0;
  /** Operations that go with the next slice: the beginning of the file. */
  #queued: DiskOperation[];
  #state: 'open' | 'busy' | 'ended' = 'open';

  constructor(context: WriterContext, metadata: SnapshotMetadata) {
    this.#context = context;
    this.#metadata = metadata;
    this.#path = snapshotPath({ kind: 'writing', index: metadata.index, term: metadata.term, totalBytes: 0 });
    const header = encodeSnapshotHeader(context.identity, metadata);
    this.#chain = viewOf(header).getUint32(8, true);
    this.#at = header.length;
    this.#queued = [
      { op: 'remove', path: this.#path },
      { op: 'write', path: this.#path, offset: 0, bytes: header },
    ];
  }

  write(slice: Uint8Array, done: (error: StorageError | null) => void): void {
    this.#begin();
    if (slice.length > MAX_SLICE_BYTES) {
      throw new RangeError(
        `A slice of ${slice.length} bytes exceeds the limit of ${MAX_SLICE_BYTES}. Cut the state finer.`,
      );
    }
    const frame = new Uint8Array(FRAME_HEADER_BYTES + slice.length);
    frame.set(slice, FRAME_HEADER_BYTES);
    this.#chain = sealFrame(frame, this.#chain);
    this.#slices += 1;
    this.#bytes += slice.length;
    this.#append(frame);
    this.#unsynced += frame.length;
    if (this.#unsynced >= this.#context.syncBytes) {
      this.#queued.push({ op: 'sync', path: this.#path });
      this.#unsynced = 0;
    }
    this.#submit((error) => this.#end(error, done));
  }

  commit(done: (error: StorageError | null) => void): void {
    this.#begin();
    const { index, term } = this.#metadata;
    if (this.#context.isOvertaken(this.#metadata)) {
      this.#discard((error) => this.#end(error, done, true));
      return;
    }
    const footer = encodeFooter({ slices: this.#slices, bytes: this.#bytes }, this.#chain);
    const length = this.#at + footer.length;
    this.#append(footer);
    this.#queued.push(
      { op: 'sync', path: this.#path },
      { op: 'rename', from: this.#path, to: snapshotPath({ kind: 'done', index, term, totalBytes: 0 }) },
      { op: 'syncDirectory', path: SNAPSHOT_DIRECTORY },
    );
    this.#submit((error) => {
      if (error === null) this.#context.onDone(this.#metadata, length);
      this.#end(error, done, true);
    });
  }

  abort(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    // Opening removes what is left if this fails; there is nobody to tell.
    this.#discard(() => undefined);
  }

  #begin(): void {
    if (this.#state !== 'open') throw new Error('The snapshot is busy or has ended: wait for each callback.');
    this.#state = 'busy';
  }

  #append(bytes: Uint8Array): void {
    this.#queued.push({ op: 'write', path: this.#path, offset: this.#at, bytes });
    this.#at += bytes.length;
  }

  #submit(done: (error: DiskError | null) => void): void {
    const operations = this.#queued;
    this.#queued = [];
    this.#context.disk.submit(operations, done);
  }

  #discard(done: (error: DiskError | null) => void): void {
    this.#context.disk.submit([{ op: 'remove', path: this.#path }], done);
  }

  #end(error: DiskError | null, done: (error: StorageError | null) => void, last = false): void {
    if (this.#state === 'ended') {
      return done(new StorageFailure('InvalidSnapshot', 'The snapshot was abandoned.', this.#path).storageError);
    }
    this.#state = last ? 'ended' : 'open';
    done(error === null ? null : storageErrorOf(error));
  }
}
