/**
 * One life of a storage: the log is written, truncated and replaced, while snapshots are taken, the log is compacted and entries are
 * read at the same time. Beside it stands a model of what was promised; `possible` says what the next opening may find.
 */
import type { Entry, PersistBatch, SnapshotMetadata } from '@quorate/raft';
import type { OpenedStorage, SnapshotReceiver, SnapshotWriter, StorageError, Timers } from '@quorate/runtime';
import { RandomStream } from '@quorate/sim';
import { batch, creation, entry, StorageBench } from './storage-bench.ts';
import {
  aligned,
  applied,
  lastIndexOf,
  type Position,
  sameEntry,
  slicesAt,
  type StorageState,
  termAt,
  withSnapshot,
} from './storage-model.ts';

type Done = (error: StorageError | null) => void;

/** Errors that a disk in trouble explains. Anything else is a fault of the storage. */
const TROUBLE: readonly string[] = ['DiskFailed', 'DiskFull'];
/** Errors that damage explains. */
export const CORRUPTION: readonly string[] = [
  'CorruptLog',
  'FaultyEntry',
  'CorruptSnapshot',
  'CorruptState',
  'ForeignDirectory',
  'UnsupportedVersion',
  'UnknownEntryKind',
  'InvalidSnapshot',
];

export class StorageLife {
  /** Appends that were confirmed, for tests that must not be empty. */
  appends = 0;
  snapshots = 0;
  installs = 0;
  /** The first error of an append: from then on nothing may be promised. */
  failed: StorageError | null = null;
  readonly #opened: OpenedStorage;
  readonly #stream: RandomStream;
  readonly #mayBeDamaged: () => boolean;
  readonly #timers: Timers;
  /** What was promised. */
  #confirmed: StorageState;
  /** What will be when the append in flight is durable; the same as confirmed when none is. */
  #head: StorageState;
  /** Entries up to here are committed: they are never cut. */
  #commit: number;
  /** A snapshot of our own whose commit was not answered yet. */
  #committing: Position | null = null;
  #compactedTo: number;
  #salt = 0;
  /** Nothing was appended yet in this life. What a crash took may have been of the newest term. */
  #isFresh = true;

  constructor(
    opened: OpenedStorage,
    state: StorageState,
    stream: RandomStream,
    timers: Timers,
    mayBeDamaged: () => boolean,
  ) {
    this.#opened = opened;
    this.#timers = timers;
    this.#confirmed = state;
    this.#head = state;
    this.#commit = state.snapshot.index;
    this.#compactedTo = state.snapshot.index;
    this.#stream = stream;
    this.#mayBeDamaged = mayBeDamaged;
  }

  /** Begins to live; goes on as long as time does. */
  begin(): void {
    this.#logStep();
    this.#backgroundStep();
  }

  /** What the next opening may find: promised, with or without what was in flight. */
  get possible(): readonly StorageState[] {
    const logs = this.#head === this.#confirmed ? [this.#confirmed] : [this.#confirmed, this.#head];
    const snapshots = this.#committing === null ? [null] : [null, this.#committing];
    return logs.flatMap((log) =>
      snapshots.map((own) => aligned(withSnapshot(withSnapshot(log, this.#confirmed.snapshot), own))),
    );
  }

  // ------------------------------------------------------------------------------------------------------------- the log

  #logStep(): void {
    const again = (): void => this.#logStep();
    if (this.failed !== null) return this.#appendAfterFailure();
    const choice = this.#stream.below(20);
    if (choice === 0) this.#install(again);
    else if (choice < 4) this.#readBack(again);
    else this.#append(this.#batches(), again);
  }

  #append(batches: readonly PersistBatch[], then: () => void): void {
    this.#head = batches.reduce(applied, this.#confirmed);
    const installed = batches.some((each) => each.snapshot !== null);
    // Others may hold it already, and so it may be committed before it is durable here.
    const last = lastIndexOf(this.#head);
    if (last > this.#commit && this.#stream.below(2) === 0) this.#commit = this.#stream.between(this.#commit, last);
    this.#commit = Math.max(this.#commit, this.#head.snapshot.index);
    this.#opened.storage.append(batches, (error) => {
      if (error !== null) {
        expectTrouble(error, this.#mayBeDamaged());
        this.failed = error;
      } else {
        this.#confirmed = withSnapshot(this.#head, this.#confirmed.snapshot);
        this.#head = this.#confirmed;
        this.appends++;
        if (installed) this.installs++;
      }
      then();
    });
  }

  /** Invariant D9: what failed once confirms nothing any more. */
  #appendAfterFailure(): void {
    this.#opened.storage.append([batch({ hardState: this.#confirmed.hardState })], (error) => {
      if (error === null) throw new Error('D9: an append was confirmed after one before it had failed');
    });
  }

  #batches(): PersistBatch[] {
    const batches: PersistBatch[] = [];
    let state = this.#confirmed;
    do {
      const next = this.#batch(state);
      batches.push(next);
      state = applied(state, next);
    } while (this.#stream.below(4) === 0);
    return batches;
  }

  #batch(state: StorageState): PersistBatch {
    const cuts = this.#stream.below(5) === 0;
    // What comes in place of others is of another term: index and term say which entry it is (§5.3). So it is after a crash.
    const isFirst = this.#isFresh;
    this.#isFresh = false;
    const term = state.hardState.term + (cuts || isFirst || this.#stream.below(4) === 0 ? 1 : 0);
    const vote = this.#stream.pick(['b', 'c', null]);
    const last = lastIndexOf(state);
    const from = cuts ? Math.max(this.#commit, last - this.#stream.below(12)) + 1 : last + 1;
    const bytes = this.#stream.pick([0, 5, 100, 700, 3000]);
    const zeros = this.#stream.below(8) === 0;
    const added = Array.from({ length: this.#stream.below(12) }, (_, at) =>
      this.#entry(from + at, Math.max(1, term), bytes, zeros),
    );
    const changed = term !== state.hardState.term || this.#stream.below(3) === 0;
    return batch({
      hardState: changed ? { term, vote } : null,
      truncateFrom: from <= last ? from : 0,
      entries: added,
    });
  }

  /** Payloads of nothing but zeros look like what a disk never wrote. */
  #entry(index: number, term: number, bytes: number, zeros: boolean): Entry {
    this.#salt++;
    const made = entry(index, term, bytes, this.#salt);
    if (zeros) made.data.fill(0);
    return made;
  }

  #readBack(then: () => void): void {
    const state = this.#confirmed;
    const first = Math.max(state.base.index, this.#compactedTo) + 1;
    const last = lastIndexOf(state);
    if (first > last) return this.#append(this.#batches(), then);
    const from = this.#stream.between(first, last);
    this.#opened.storage.read(from, last, 1 + this.#stream.below(20_000), (error, found) => {
      const isMarked =
        error?.code === 'FaultyEntry' && this.#opened.recovered.faulty.some(({ index }) => index === from);
      if (error !== null && error.code !== 'Compacted' && !isMarked) expectTrouble(error, this.#mayBeDamaged());
      for (const [at, each] of found.entries()) {
        const written = state.log[from + at - 1 - state.base.index];
        if (written === undefined || !sameEntry(each, written))
          throw new Error(`D5: entry ${from + at} reads as another`);
      }
      then();
    });
  }

  // ------------------------------------------------------------------------------------------------- snapshots of our own

  #backgroundStep(): void {
    if (this.failed !== null) return;
    const again = (): void => void this.#timers.set(this.#stream.below(2000), () => this.#backgroundStep());
    const index = this.#commit;
    const term = termAt(this.#head, index);
    if (index <= this.#head.snapshot.index || term === null || this.#stream.below(3) > 0)
      return this.#restoreSnapshot(again);
    const writer = this.#opened.storage.createSnapshot(metadataAt({ index, term }));
    this.#writeSlices(writer, { index, term }, slicesAt({ index, term }), again);
  }

  #writeSlices(writer: SnapshotWriter, at: Position, slices: readonly Uint8Array[], then: () => void): void {
    const [slice, ...rest] = slices;
    if (slice === undefined) return this.#commitSnapshot(writer, at, then);
    if (this.#stream.below(20) === 0) {
      writer.abort();
      return then();
    }
    writer.write(slice.slice(), (error) => {
      if (error !== null) return expectTrouble(error, this.#mayBeDamaged());
      this.#writeSlices(writer, at, rest, then);
    });
  }

  #commitSnapshot(writer: SnapshotWriter, at: Position, then: () => void): void {
    this.#committing = at;
    writer.commit((error) => {
      if (error !== null) return expectTrouble(error, this.#mayBeDamaged());
      this.#committing = null;
      this.snapshots++;
      const same = this.#head === this.#confirmed;
      this.#confirmed = withSnapshot(this.#confirmed, at);
      this.#head = same ? this.#confirmed : withSnapshot(this.#head, at);
      this.#compact(at, then);
    });
  }

  #compact(at: Position, then: () => void): void {
    const through = Math.max(0, at.index - this.#stream.below(20));
    this.#compactedTo = Math.max(this.#compactedTo, through);
    this.#opened.storage.compact(through, (error) => {
      if (error !== null) return expectTrouble(error, this.#mayBeDamaged());
      then();
    });
  }

  /** The current snapshot holds what was put into it. */
  #restoreSnapshot(then: () => void): void {
    readSnapshot(this.#opened, (error) => {
      if (error !== null) expectTrouble(error, this.#mayBeDamaged());
      then();
    });
  }

  // -------------------------------------------------------------------------------------------------- snapshots of others

  #install(then: () => void): void {
    const state = this.#confirmed;
    const index = this.#commit + 1 + this.#stream.below(8);
    const term = state.hardState.term + 1;
    if (this.#committing !== null) return this.#append(this.#batches(), then);
    const file = donatedSnapshot({ index, term });
    this.#opened.storage.receiveSnapshot(metadataAt({ index, term }), file.length, (error, receiver) => {
      if (error !== null || receiver === null) {
        if (error !== null) expectTrouble(error, this.#mayBeDamaged());
        return then();
      }
      this.#receive(receiver, file, { index, term }, then);
    });
  }

  #receive(receiver: SnapshotReceiver, file: Uint8Array, at: Position, then: () => void): void {
    const failed: Done = (error) => {
      if (error !== null) expectTrouble(error, this.#mayBeDamaged());
      then();
    };
    if (receiver.offset === file.length) {
      return receiver.finish((error) => {
        if (error !== null) return failed(error);
        if (at.index <= this.#commit) return then();
        const followed = Array.from({ length: this.#stream.below(3) }, (_, n) =>
          this.#entry(at.index + 1 + n, at.term, 50, false),
        );
        this.#append(
          [batch({ hardState: { term: at.term, vote: null }, snapshot: metadataAt(at), entries: followed })],
          then,
        );
      });
    }
    if (this.#stream.below(10) === 0) {
      receiver.suspend();
      return then();
    }
    const next = file.slice(receiver.offset, receiver.offset + 1 + this.#stream.below(6000));
    receiver.write(next, (error) => (error === null ? this.#receive(receiver, file, at, then) : failed(error)));
  }
}

function expectTrouble(error: StorageError, damaged: boolean): void {
  if (TROUBLE.includes(error.code) || (damaged && CORRUPTION.includes(error.code))) return;
  throw new Error(`Without a reason: ${error.code}: ${error.message}`);
}

function metadataAt(at: Position): SnapshotMetadata {
  return { ...at, configuration: creation.configuration };
}

/** Reads the whole current snapshot and compares it with what its state machine had. Throws when it is another. */
export function readSnapshot(opened: OpenedStorage, done: (error: StorageError | null) => void): void {
  opened.storage.openSnapshot((error, reader) => {
    if (error !== null || reader === null) return done(error);
    const { index, term } = reader.metadata;
    const left = slicesAt({ index, term });
    const next = (): void =>
      reader.readSlice((failure, slice) => {
        if (failure !== null || slice === null) {
          reader.close();
          if (failure === null && left.length > 0)
            throw new Error(`E6: snapshot ${index} ends ${left.length} slices early`);
          return done(failure);
        }
        const wanted = left.shift();
        if (wanted === undefined || Buffer.compare(wanted, slice) !== 0)
          throw new Error(`E6: snapshot ${index} reads as another`);
        next();
      });
    next();
  });
}

/** The file of a snapshot as another server of the cluster has it. */
export function donatedSnapshot(at: Position): Uint8Array {
  const donor = new StorageBench(new RandomStream(1));
  const identity = { ...creation.identity, member: 'b', incarnation: '00000000000000bb' };
  const { storage } = donor.open({ ...creation, identity });
  const writer = storage.createSnapshot(metadataAt(at));
  const wait = (begin: (done: Done) => void): void => {
    const error = donor.time.wait(begin);
    if (error !== null) throw new Error(error.message);
  };
  for (const slice of slicesAt(at)) wait((done) => writer.write(slice, done));
  wait((done) => writer.commit(done));
  return donor.time.wait((done) => {
    storage.openSnapshot((_, reader) => {
      if (reader === null) throw new Error('The donor has no snapshot.');
      reader.readBytes(0, reader.totalBytes, (_error, bytes) => done(bytes));
    });
  });
}
