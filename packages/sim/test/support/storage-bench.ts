/** The real storage over a virtual disk, life after life, driven by hand. */
import { type Entry, initialConfiguration, type PersistBatch } from '@quorate/raft';
import {
  type OpenedStorage,
  openStorage,
  type StorageCreation,
  type StorageError,
  type StorageOptions,
  type Timers,
} from '@quorate/runtime';
import { type CrashKind, type RandomStream, VirtualDisk, type VirtualDiskOptions, Volume } from '@quorate/sim';
import { VirtualTime } from './virtual-time.ts';

export const creation: StorageCreation = {
  identity: { clusterId: '00000000000000c1', group: 0, member: 'a', incarnation: '00000000000000aa' },
  configuration: initialConfiguration([{ id: 'a', incarnation: '00000000000000aa', context: '' }]),
  hardState: { term: 0, vote: null },
};

export const smallStorage: Partial<StorageOptions> = {
  segmentBytes: 64 << 10,
  allocateStepBytes: 16 << 10,
  reserveBytes: 0,
  maxTailBytes: 16 << 10,
  snapshotSyncBytes: 4 << 10,
};

export interface Opening {
  readonly error: StorageError | null;
  readonly opened: OpenedStorage | null;
}

export class StorageBench {
  readonly time = new VirtualTime();
  readonly #stream: RandomStream;
  readonly #diskOptions: VirtualDiskOptions;
  readonly #storageOptions: Partial<StorageOptions>;
  #disk: VirtualDisk;
  #timers: Timers;

  constructor(
    stream: RandomStream,
    diskOptions: VirtualDiskOptions = {},
    storageOptions: Partial<StorageOptions> = smallStorage,
    volume = Volume.empty(),
  ) {
    this.#stream = stream;
    this.#diskOptions = diskOptions;
    this.#storageOptions = storageOptions;
    this.#disk = new VirtualDisk(this.time, stream, volume, diskOptions);
    this.#timers = this.#timersOf(this.#disk);
  }

  get disk(): VirtualDisk {
    return this.#disk;
  }

  /** Ends the disk's life and begins the next, with these faults. */
  restart(kind: CrashKind, faults = this.#diskOptions.faults): void {
    const volume = this.#disk.crash(kind);
    this.#disk = new VirtualDisk(this.time, this.#stream, volume, { ...this.#diskOptions, ...(faults && { faults }) });
    this.#timers = this.#timersOf(this.#disk);
  }

  /** Timers of this life only. */
  get timers(): Timers {
    return this.#timers;
  }

  /** They die with the process: with its disk. */
  #timersOf(disk: VirtualDisk): Timers {
    const { timers } = this.time;
    const alive =
      (callback: () => void): (() => void) =>
      () => {
        if (this.#disk === disk) callback();
      };
    return {
      set: (delay, callback) => timers.set(delay, alive(callback)),
      clear: (handle) => timers.clear(handle),
      afterPoll: (callback) => timers.afterPoll(alive(callback)),
    };
  }

  /** Begins to open; the answer comes while time goes on. */
  beginOpen(begin: StorageCreation | null, done: (opening: Opening) => void): void {
    const environment = { disk: this.#disk, timers: this.#timers };
    openStorage(environment, begin, this.#storageOptions, (error, opened) => done({ error, opened }));
  }

  tryOpen(begin: StorageCreation | null = creation): Opening {
    return this.time.wait((done) => this.beginOpen(begin, done));
  }

  open(begin: StorageCreation | null = creation): OpenedStorage {
    const { error, opened } = this.tryOpen(begin);
    if (error !== null) throw new Error(`${error.code}: ${error.message}`);
    if (opened === null) throw new Error('The directory is new.');
    return opened;
  }

  append(opened: OpenedStorage, ...batches: readonly PersistBatch[]): StorageError | null {
    return this.time.wait((done) => opened.storage.append(batches, done));
  }

  read(opened: OpenedStorage, from: number, to: number): { error: StorageError | null; entries: readonly Entry[] } {
    return this.time.wait((done) =>
      opened.storage.read(from, to, 1 << 30, (error, entries) => done({ error, entries })),
    );
  }
}

export function batch(parts: Partial<PersistBatch>): PersistBatch {
  return { id: 0, hardState: null, truncateFrom: 0, entries: [], snapshot: null, adopt: null, repairs: [], ...parts };
}

/** Entries from … to with data that tells them apart. */
export function entries(from: number, to: number, term: number, bytes = 32): Entry[] {
  return Array.from({ length: to - from + 1 }, (_, at) => entry(from + at, term, bytes));
}

export function entry(index: number, term: number, bytes: number, salt = 0): Entry {
  const data = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at++) data[at] = (index * 31 + term * 7 + at * 13 + salt * 17 + 1) & 0xff;
  return { index, term, kind: 1, data };
}
