/**
 * Receives a peer's snapshot file, verifying it as it comes. An interrupted transfer goes on behind its last sound frame; a whole one
 * lies aside until a batch of the log names it.
 */
import { encodeConfiguration, type SnapshotMetadata } from '@quorate/raft';
import type { DiskError, DiskOperation, DiskQueue } from '../environment.ts';
import { StorageFailure, storageErrorOf } from '../storage-failure.ts';
import type { SnapshotReceiver, StorageError, StorageIdentity } from '../storage.ts';
import { read, type Steps, sizeIfPresent, submit } from '../steps.ts';
import { SNAPSHOT_DIRECTORY, type SnapshotFile, type SnapshotHeader, snapshotPath } from './format.ts';
import { SnapshotVerifier } from './verifier.ts';

const CHECK_BYTES = 1 << 20;

/** Checks what an interrupted transfer left, cuts it behind its last sound frame, and returns the state to go on from. */
export function* resumePartial(disk: DiskQueue, path: string): Steps<SnapshotVerifier> {
  const bytes = (yield* sizeIfPresent(disk, path)) ?? 0;
  const verifier = new SnapshotVerifier();
  for (let at = 0; at < bytes && verifier.problem === null; at += CHECK_BYTES) {
    verifier.push(yield* read(disk, path, at, CHECK_BYTES));
  }
  verifier.rewind();
  if (verifier.soundBytes < bytes) yield* submit(disk, [{ op: 'truncate', path, length: verifier.soundBytes }]);
  return verifier;
}

export interface ReceiverContext {
  readonly disk: DiskQueue;
  readonly identity: StorageIdentity;
  readonly syncBytes: number;
  readonly later: (callback: () => void) => void;
  /** The file is whole, verified and durable. */
  readonly onReceived: (file: SnapshotFile) => void;
}

export class FileSnapshotReceiver implements SnapshotReceiver {
  readonly #context: ReceiverContext;
  readonly #metadata: SnapshotMetadata;
  readonly #file: SnapshotFile;
  readonly #path: string;
  /** Null when the whole file is here already, from an earlier attempt. */
  readonly #verifier: SnapshotVerifier | null;
  #offset: number;
  #unsynced = 0;
  #headerChecked = false;
  #state: 'open' | 'busy' | 'ended' = 'open';

  constructor(
    context: ReceiverContext,
    metadata: SnapshotMetadata,
    totalBytes: number,
    verifier: SnapshotVerifier | null,
  ) {
    this.#context = context;
    this.#metadata = metadata;
    this.#file = { kind: 'partial', index: metadata.index, term: metadata.term, totalBytes };
    this.#path = snapshotPath(this.#file);
    this.#verifier = verifier;
    this.#offset = verifier?.soundBytes ?? totalBytes;
  }

  get offset(): number {
    return this.#offset;
  }

  write(bytes: Uint8Array, done: (error: StorageError | null) => void): void {
    this.#begin();
    const problem = this.#check(bytes);
    if (problem !== null) return this.#discard(problem, done);
    const operations: DiskOperation[] = [{ op: 'write', path: this.#path, offset: this.#offset, bytes }];
    this.#offset += bytes.length;
    this.#unsynced += bytes.length;
    if (this.#unsynced >= this.#context.syncBytes) {
      operations.push({ op: 'sync', path: this.#path });
      this.#unsynced = 0;
    }
    this.#context.disk.submit(operations, (error) => {
      if (error === null) this.#end(done);
      else this.#drop(error, done);
    });
  }

  finish(done: (error: StorageError | null) => void): void {
    this.#begin();
    if (this.#verifier === null) {
      this.#state = 'ended';
      return this.#context.later(() => done(null));
    }
    if (!this.#verifier.complete) {
      const what = `only ${this.#offset} of ${this.#file.totalBytes} bytes have come`;
      return this.#discard(what, done);
    }
    const received: SnapshotFile = { ...this.#file, kind: 'received' };
    const operations: DiskOperation[] = [
      { op: 'sync', path: this.#path },
      { op: 'rename', from: this.#path, to: snapshotPath(received) },
      { op: 'syncDirectory', path: SNAPSHOT_DIRECTORY },
    ];
    this.#context.disk.submit(operations, (error) => {
      if (error !== null) return this.#drop(error, done);
      this.#context.onReceived(received);
      this.#end(done);
      this.#state = 'ended';
    });
  }

  suspend(): void {
    this.#state = 'ended';
  }

  #begin(): void {
    if (this.#state !== 'open') throw new Error('The snapshot receiver is busy or has ended: wait for each callback.');
    this.#state = 'busy';
  }

  /** What is wrong with these bytes as the next ones of this snapshot, or null. */
  #check(bytes: Uint8Array): string | null {
    const verifier = this.#verifier;
    if (verifier === null || this.#offset + bytes.length > this.#file.totalBytes) {
      return `it is longer than the ${this.#file.totalBytes} bytes that were announced`;
    }
    verifier.push(bytes);
    if (verifier.problem !== null) return verifier.problem;
    if (verifier.complete && this.#offset + bytes.length < this.#file.totalBytes) return 'it is shorter than announced';
    if (this.#headerChecked || verifier.header === null) return null;
    this.#headerChecked = true;
    return headerProblem(verifier.header, this.#context.identity, this.#metadata);
  }

  /** Another attempt must begin anew: what came cannot be told from what is broken. */
  #discard(problem: string, done: (error: StorageError | null) => void): void {
    const { index, term } = this.#metadata;
    const message = `The snapshot of index ${index}, term ${term} that a peer sent was refused: ${problem}. It must be sent again.`;
    const refusal = new StorageFailure('InvalidSnapshot', message, this.#path).storageError;
    this.#context.disk.submit([{ op: 'remove', path: this.#path }], (error) => {
      this.#state = 'ended';
      done(error === null ? refusal : storageErrorOf(error));
    });
  }

  /** After a failed sync what came may stand in the cache only, and no later sync would tell: another attempt begins anew. */
  #drop(error: DiskError, done: (error: StorageError | null) => void): void {
    const failed = storageErrorOf(error);
    // If that fails as well, the first failure is still what happened.
    this.#context.disk.submit([{ op: 'remove', path: this.#path }], () => {
      this.#state = 'ended';
      done(failed);
    });
  }

  #end(done: (error: StorageError | null) => void): void {
    if (this.#state === 'busy') this.#state = 'open';
    done(null);
  }
}

function headerProblem(header: SnapshotHeader, identity: StorageIdentity, expected: SnapshotMetadata): string | null {
  const { writer, metadata } = header;
  if (writer.clusterId !== identity.clusterId || writer.group !== identity.group) {
    return `it belongs to cluster ${writer.clusterId}, group ${writer.group}`;
  }
  if (metadata.index !== expected.index || metadata.term !== expected.term) {
    return `its header says index ${metadata.index}, term ${metadata.term}`;
  }
  return sameConfiguration(metadata, expected) ? null : 'its configuration is not the one that was announced';
}

function sameConfiguration(a: SnapshotMetadata, b: SnapshotMetadata): boolean {
  if (a.configuration.index !== b.configuration.index) return false;
  const [first, second] = [encodeConfiguration(a.configuration), encodeConfiguration(b.configuration)];
  return first.length === second.length && first.every((byte, at) => byte === second[at]);
}
