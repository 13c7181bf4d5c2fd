/**
 * Sequences of disk operations, written as one reads them. A generator yields each call that takes time and is resumed from its
 * callback, on the event loop and without promises, so that the simulator decides when everything happens.
 */
import type { DiskError, DiskOperation, DiskQueue } from './environment.ts';
import type { StorageError } from './storage.ts';
import { StorageFailure, storageErrorOf } from './storage-failure.ts';

/** A call that takes time; it hands its result to `resume`, later and once. */
export type Step = (resume: (error: DiskError | StorageFailure | null, value?: unknown) => void) => void;

/** A sequence of steps with a result. It fails by throwing a StorageFailure or a DiskFailure. */
export type Steps<Result> = Generator<Step, Result, unknown>;

/** A disk operation failed. Thrown into the sequence at the step that failed, which may catch it. */
export class DiskFailure extends Error {
  readonly diskError: DiskError;

  constructor(diskError: DiskError) {
    super(`${diskError.code}: ${diskError.message}`);
    this.name = 'DiskFailure';
    this.diskError = diskError;
  }
}

/** Runs a sequence to its end. Other exceptions than the two failures are broken invariants and are not caught. */
export function runSteps<Result>(
  steps: Steps<Result>,
  done: (error: StorageError | null, result?: Result) => void,
): void {
  const advance = (error: DiskError | StorageFailure | null, value?: unknown): void => {
    let next: IteratorResult<Step, Result>;
    try {
      next = error === null ? steps.next(value) : steps.throw(failureOf(error));
    } catch (failure) {
      if (failure instanceof StorageFailure) return done(failure.storageError);
      if (failure instanceof DiskFailure) return done(storageErrorOf(failure.diskError));
      throw failure;
    }
    if (next.done === true) return done(null, next.value);
    next.value(advance);
  };
  advance(null);
}

function failureOf(error: DiskError | StorageFailure): Error {
  return error instanceof StorageFailure ? error : new DiskFailure(error);
}

export function* submit(disk: DiskQueue, operations: readonly DiskOperation[]): Steps<void> {
  yield (resume) => disk.submit(operations, resume);
}

export function* read(disk: DiskQueue, path: string, offset: number, length: number): Steps<Uint8Array> {
  return (yield (resume) => disk.read(path, offset, length, resume)) as Uint8Array;
}

export function* size(disk: DiskQueue, path: string): Steps<number> {
  return (yield (resume) => disk.size(path, resume)) as number;
}

/** The size of a file, or null if there is none. */
export function* sizeIfPresent(disk: DiskQueue, path: string): Steps<number | null> {
  try {
    return yield* size(disk, path);
  } catch (failure) {
    if (isAbsent(failure)) return null;
    throw failure;
  }
}

export function* list(disk: DiskQueue, path: string): Steps<readonly string[]> {
  return (yield (resume) => disk.list(path, resume)) as readonly string[];
}

/** The names in a directory; none if it does not exist. */
export function* listIfPresent(disk: DiskQueue, path: string): Steps<readonly string[]> {
  try {
    return yield* list(disk, path);
  } catch (failure) {
    if (isAbsent(failure)) return [];
    throw failure;
  }
}

function isAbsent(failure: unknown): boolean {
  return failure instanceof DiskFailure && failure.diskError.code === 'ENOENT';
}
