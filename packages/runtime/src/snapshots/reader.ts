/** Reads the current snapshot: its bytes for a peer, or its slices, verified, to restore from. */
import type { SnapshotMetadata } from '@quorate/raft';
import { viewOf } from '../bytes.ts';
import type { DiskQueue } from '../environment.ts';
import { StorageFailure, storageErrorOf } from '../storage-failure.ts';
import type { SnapshotReader, StorageError } from '../storage.ts';
import { read, runSteps, type Steps, size } from '../steps.ts';
import {
  decodeFooter,
  decodeSnapshotHeader,
  FOOTER_BYTES,
  FRAME_HEADER_BYTES,
  frameChecksum,
  HEADER_START_BYTES,
  headerLength,
  isFooter,
  MAX_SLICE_BYTES,
  type SnapshotHeader,
} from './format.ts';
import { SnapshotVerifier } from './verifier.ts';

/** Bytes read ahead. */
const WINDOW_BYTES = 1 << 20;

export const WHAT_TO_DO_WITH_SNAPSHOT =
  'The log alone cannot make up for it. Restore the file, or remove the member from the cluster and add it anew with an empty directory.';

export function corruptSnapshot(path: string, offset: number, what: string): StorageFailure {
  return new StorageFailure(
    'CorruptSnapshot',
    `The snapshot '${path}' is damaged at offset ${offset}: ${what}. ${WHAT_TO_DO_WITH_SNAPSHOT}`,
    path,
    offset,
  );
}

export interface CheckedSnapshot {
  readonly header: SnapshotHeader;
  readonly totalBytes: number;
}

/** Checks a snapshot's two ends. Its slices are checked when they are read. */
export function* checkSnapshot(disk: DiskQueue, path: string): Steps<CheckedSnapshot> {
  const totalBytes = yield* size(disk, path);
  const header = yield* readSnapshotHeader(disk, path);
  const footerAt = totalBytes - FOOTER_BYTES;
  const footer = footerAt < header.length ? new Uint8Array(0) : yield* read(disk, path, footerAt, FOOTER_BYTES);
  if (footer.length < FOOTER_BYTES || !isFooter(viewOf(footer).getUint32(0, true))) {
    throw corruptSnapshot(path, Math.max(0, footerAt), 'it does not end in a footer');
  }
  return { header, totalBytes };
}

/** What a snapshot is a snapshot of, whatever the rest of it is like. */
export function* readSnapshotHeader(disk: DiskQueue, path: string): Steps<SnapshotHeader> {
  const length = headerLength(yield* read(disk, path, 0, HEADER_START_BYTES));
  const header = typeof length === 'string' ? length : decodeSnapshotHeader(yield* read(disk, path, 0, length));
  if (header === 'version') {
    throw new StorageFailure(
      'UnsupportedVersion',
      `'${path}' was written in a format that this version does not know. Start the version that wrote it.`,
      path,
      0,
    );
  }
  if (typeof header === 'string') throw corruptSnapshot(path, 0, 'its header is not intact');
  return header;
}

export class FileSnapshotReader implements SnapshotReader {
  readonly metadata: SnapshotMetadata;
  readonly totalBytes: number;
  readonly #disk: DiskQueue;
  readonly #path: string;
  readonly #later: (callback: () => void) => void;
  readonly #onClose: () => void;
  #at: number;
  #chain: number;
  #slices = 0;
  #bytes = 0;
  #window: Uint8Array = new Uint8Array(0);
  #windowAt = 0;
  #closed = false;
  /** Of the bytes for a peer. */
  readonly #verifier = new SnapshotVerifier();
  #verifiedTo = 0;

  /** `later` calls back in another turn: what stands in the window already must not be answered from inside the call. */
  constructor(
    disk: DiskQueue,
    path: string,
    snapshot: CheckedSnapshot,
    later: (callback: () => void) => void,
    onClose: () => void,
  ) {
    this.#disk = disk;
    this.#path = path;
    this.#later = later;
    this.#onClose = onClose;
    this.metadata = snapshot.header.metadata;
    this.totalBytes = snapshot.totalBytes;
    this.#at = snapshot.header.length;
    this.#chain = snapshot.header.chain;
  }

  readBytes(offset: number, length: number, done: (error: StorageError | null, bytes: Uint8Array) => void): void {
    this.#disk.read(this.#path, offset, length, (error, bytes) => {
      const failure = error === null ? this.#verify(offset, bytes) : storageErrorOf(error);
      done(failure, failure === null ? bytes : new Uint8Array(0));
    });
  }

  /** Checks what is read from the beginning on without a gap; of anything else nobody can say whether it is sound. */
  #verify(offset: number, bytes: Uint8Array): StorageError | null {
    if (offset !== this.#verifiedTo) return null;
    this.#verifier.push(bytes);
    this.#verifiedTo += bytes.length;
    const { problem, complete, soundBytes } = this.#verifier;
    if (problem !== null) return corruptSnapshot(this.#path, soundBytes, problem).storageError;
    if (this.#verifiedTo < this.totalBytes || complete) return null;
    return corruptSnapshot(this.#path, soundBytes, 'it ends before its footer').storageError;
  }

  readSlice(done: (error: StorageError | null, slice: Uint8Array | null) => void): void {
    let inside = true;
    runSteps(this.#nextSlice(), (error, slice) => {
      if (inside) this.#later(() => done(error, slice ?? null));
      else done(error, slice ?? null);
    });
    inside = false;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
  }

  *#nextSlice(): Steps<Uint8Array | null> {
    const head = yield* this.#take(FRAME_HEADER_BYTES);
    const view = viewOf(head);
    const length = view.getUint32(0, true);
    if (isFooter(length)) return yield* this.#checkFooter();
    const left = this.totalBytes - this.#at - FRAME_HEADER_BYTES;
    if (length > MAX_SLICE_BYTES || length > left)
      throw this.#damaged(`slice ${this.#slices + 1} claims ${length} bytes`);
    const frame = yield* this.#take(FRAME_HEADER_BYTES + length);
    const slice = frame.subarray(FRAME_HEADER_BYTES);
    const checksum = frameChecksum(slice, this.#chain);
    if (checksum !== viewOf(frame).getUint32(4, true)) {
      throw this.#damaged(`slice ${this.#slices + 1} does not match its checksum`);
    }
    this.#chain = checksum;
    this.#slices += 1;
    this.#bytes += length;
    this.#at += frame.length;
    return slice;
  }

  *#checkFooter(): Steps<null> {
    const footer = yield* this.#take(FOOTER_BYTES);
    const totals = decodeFooter(footer, this.#chain);
    const whole = totals !== null && totals.slices === this.#slices && totals.bytes === this.#bytes;
    if (!whole || this.#at + FOOTER_BYTES !== this.totalBytes) {
      throw this.#damaged('its footer does not match what comes before it');
    }
    return null;
  }

  /** Bytes from the present position on; does not advance. */
  *#take(length: number): Steps<Uint8Array> {
    const at = this.#at - this.#windowAt;
    if (at + length > this.#window.length) {
      this.#window = yield* read(this.#disk, this.#path, this.#at, Math.max(length, WINDOW_BYTES));
      this.#windowAt = this.#at;
      if (this.#window.length < length) throw this.#damaged('it ends too early');
      return this.#window.subarray(0, length);
    }
    return this.#window.subarray(at, at + length);
  }

  #damaged(what: string): StorageFailure {
    return corruptSnapshot(this.#path, this.#at, what);
  }
}
