/** A world of one disk, driven by hand: everything that is waiting happens when `run` is called, in order. */
import { initialConfiguration, type Entry, type PersistBatch } from '@quorate/raft';
import type { TimerHandle, Timers } from '../../src/environment.ts';
import { openStorage } from '../../src/open-storage.ts';
import type { OpenedStorage, StorageCreation, StorageError } from '../../src/storage.ts';
import type { StorageOptions } from '../../src/storage-options.ts';
import { type DiskImage, MemoryDisk, type MemoryDiskOptions } from './memory-disk.ts';

export const smallSegments: Partial<StorageOptions> = {
  segmentBytes: 64 << 10,
  allocateStepBytes: 16 << 10,
  reserveBytes: 0,
  maxTailBytes: 16 << 10,
};

export const creation: StorageCreation = {
  identity: { clusterId: '00000000000000c1', group: 0, member: 'a', incarnation: '00000000000000aa' },
  configuration: initialConfiguration([{ id: 'a', incarnation: '00000000000000aa', context: '' }]),
  hardState: { term: 0, vote: null },
};

export class StorageWorld {
  readonly disk: MemoryDisk;
  readonly timers: Timers;
  readonly #queue: (() => void)[] = [];
  readonly #timers = new Map<number, () => void>();
  #nextTimer = 1;

  constructor(image?: DiskImage, options: MemoryDiskOptions = {}) {
    const defer = (callback: () => void): void => void this.#queue.push(callback);
    this.disk = new MemoryDisk(defer, image, options);
    this.timers = {
      set: (_delay, callback) => {
        const handle = this.#nextTimer++;
        this.#timers.set(handle, callback);
        return handle;
      },
      clear: (handle: TimerHandle) => void this.#timers.delete(handle as number),
      afterPoll: defer,
    };
  }

  /** Lets everything happen that needs no timer. */
  run(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next();
  }

  /** Lets the next thing happen; false if nothing is waiting. */
  step(): boolean {
    const next = this.#queue.shift();
    next?.();
    return next !== undefined;
  }

  /** Fires every timer that is set, then runs. */
  fireTimers(): void {
    const due = [...this.#timers.values()];
    this.#timers.clear();
    for (const callback of due) callback();
    this.run();
  }

  /** Runs until an answer comes; fails if the world falls silent before. */
  wait<Result>(begin: (done: (result: Result) => void) => void): Result {
    const answers: Result[] = [];
    begin((result) => answers.push(result));
    while (answers.length === 0 && this.step());
    if (answers.length !== 1) throw new Error(`There were ${answers.length} answers.`);
    return answers[0] as Result;
  }

  tryOpen(
    begin: StorageCreation | null = creation,
    options: Partial<StorageOptions> = smallSegments,
  ): { error: StorageError | null; opened: OpenedStorage | null } {
    return this.wait((done) => openStorage(this, begin, options, (error, opened) => done({ error, opened })));
  }

  open(begin: StorageCreation | null = creation, options: Partial<StorageOptions> = smallSegments): OpenedStorage {
    const { error, opened } = this.tryOpen(begin, options);
    if (error !== null) throw new Error(`${error.code}: ${error.message}`);
    if (opened === null) throw new Error('The directory is new.');
    return opened;
  }

  append(opened: OpenedStorage, ...batches: readonly PersistBatch[]): StorageError | null {
    return this.wait((done) => opened.storage.append(batches, done));
  }

  read(opened: OpenedStorage, from: number, to: number, maxBytes = 1 << 30): readonly Entry[] {
    const { error, entries } = this.tryRead(opened, from, to, maxBytes);
    if (error !== null) throw new Error(`${error.code}: ${error.message}`);
    return entries;
  }

  tryRead(
    opened: OpenedStorage,
    from: number,
    to: number,
    maxBytes = 1 << 30,
  ): { error: StorageError | null; entries: readonly Entry[] } {
    return this.wait((done) => opened.storage.read(from, to, maxBytes, (error, entries) => done({ error, entries })));
  }
}

let nextBatch = 1;

export function batch(parts: Partial<PersistBatch>): PersistBatch {
  return {
    id: nextBatch++,
    hardState: null,
    truncateFrom: 0,
    entries: [],
    snapshot: null,
    adopt: null,
    repairs: [],
    ...parts,
  };
}

/** Entries from … to with data that tells them apart. */
export function entries(from: number, to: number, term: number, bytes = 32): Entry[] {
  return Array.from({ length: to - from + 1 }, (_, at) => entry(from + at, term, bytes));
}

export function entry(index: number, term: number, bytes = 32): Entry {
  const data = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at++) data[at] = (index * 31 + term * 7 + at * 13 + 1) & 0xff;
  return { index, term, kind: 1, data };
}
