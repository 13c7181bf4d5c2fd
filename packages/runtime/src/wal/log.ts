/**
 * The write-ahead log while it lives. One change is in flight at a time, as one submission to the disk: write and sync. What
 * memory knows of the log changes only when the disk has confirmed.
 */
import type { Entry, FaultyEntry, HardState, Index, PersistBatch, SnapshotMetadata } from '@quorate/raft';
import type { DiskError, DiskOperation, Environment } from '../environment.ts';
import { isNoSpace, StorageFailure, storageErrorOf } from '../storage-failure.ts';
import type { StorageError, StorageIdentity } from '../storage.ts';
import type { StorageOptions } from '../storage-options.ts';
import { runSteps } from '../steps.ts';
import {
  type BatchPlace,
  changeBytes,
  encodeBatch,
  type EncodedBatch,
  headerFor,
  indexChange,
  type LogChange,
  mergeBatches,
} from './batch.ts';
import { type FaultyPlace, FaultyPlaces } from './faulty-places.ts';
import { DiskRoom, type Room } from './disk-room.ts';
import {
  identitySeed,
  LOG_DIRECTORY,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  SEGMENT_VERSION,
  type SegmentHeader,
  SPARE_PATH,
  segmentPath,
} from './format.ts';
import { type Manifest, manifestOperations } from './hard-state-file.ts';
import type { LogIndex } from './log-index.ts';
import { compacted, faulty, readEntries } from './log-reader.ts';
import type { ActiveSegment } from './recovery.ts';
import { outlineAfter } from './seal.ts';
import { SpareSegment } from './spare-segment.ts';

/** Beyond this part of a prepared segment the next one is prepared. */
const PREPARE_AT = 0.5;

/** A growing segment, as a new directory begins with, is followed by a prepared one from here on: small logs stay small on disk. */
const PREPARE_AFTER_GROWING = 1 << 20;

export interface LogState {
  readonly identity: StorageIdentity;
  readonly index: LogIndex;
  readonly faulty: readonly FaultyPlace[];
  readonly hardState: HardState;
  readonly sequence: number;
  readonly active: ActiveSegment;
  readonly segments: readonly number[];
  readonly manifest: Manifest;
  /** What the disk had free at opening, and whether the reserve was there. */
  readonly room: { readonly free: number; readonly reserveHeld: boolean };
}

export class WriteAheadLog {
  readonly #environment: Pick<Environment, 'disk' | 'timers'>;
  readonly #options: StorageOptions;
  readonly #identity: StorageIdentity;
  readonly #seed: number;
  readonly #index: LogIndex;
  readonly #spare: SpareSegment;
  readonly #room: DiskRoom;
  readonly #faulty: FaultyPlaces;
  #hardState: HardState;
  #sequence: number;
  #active: ActiveSegment;
  #segments: readonly number[];
  #manifest: Manifest;
  #appending = false;
  /** Bytes that `hasRoomFor` has let in and that no append has brought yet. */
  #admitted = 0;
  /** The write in flight. */
  #writing: PreparedWrite | null = null;
  #afterAppend: (() => void) | null = null;
  /** The first failure; everything later fails with it. A disk that failed once cannot be trusted to have kept what it confirms. */
  #failure: StorageError | null = null;
  /** Null until somebody listens, and again once they were told. */
  #onFailure: ((error: StorageError) => void) | null = null;

  constructor(environment: Pick<Environment, 'disk' | 'timers'>, options: StorageOptions, state: LogState) {
    this.#environment = environment;
    this.#options = options;
    this.#identity = state.identity;
    this.#seed = identitySeed(state.identity);
    this.#index = state.index;
    this.#faulty = new FaultyPlaces(state.faulty);
    this.#hardState = state.hardState;
    this.#sequence = state.sequence;
    this.#active = state.active;
    this.#segments = state.segments;
    this.#manifest = state.manifest;
    const fail = (error: DiskError): void => void this.#fail(error);
    this.#room = new DiskRoom(environment, options, state.room, () => this.#onPoll(), fail);
    this.#spare = new SpareSegment(environment.disk.background, options, this.#room, fail);
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  /** What all that writes to the data directory shares. */
  get room(): Room {
    return this.#room;
  }

  get index(): LogIndex {
    return this.#index;
  }

  /**
   * Makes batches durable as one. `afterSync` is carried out in the same submission once the batch itself is durable: it must be
   * such that opening can make up for it after a crash.
   */
  append(
    batches: readonly PersistBatch[],
    afterSync: readonly DiskOperation[],
    done: (error: StorageError | null) => void,
  ): void {
    if (this.#appending) throw new Error('A second append was begun before the first was durable.');
    if (this.#failure !== null) return this.#later(() => done(this.#failure));
    const repairs = batches.flatMap((batch) => batch.repairs);
    const change = mergeBatches(batches, this.#faulty.lost(repairs), this.#index, this.#hardState);
    const restoring = this.#repairOperations(repairs);
    if ('code' in restoring) return this.#later(() => done(restoring));
    const write = this.#write(change, restoring, afterSync);
    this.#appending = true;
    this.#writing = write;
    // Whatever was let in came with this or was refused elsewhere.
    this.#admitted = 0;
    this.#room.take(write.growth);
    this.#submit(change, repairs, write, (error) => {
      this.#appending = false;
      this.#writing = null;
      this.#room.settle(write.growth);
      if (error !== null) this.#fail(error);
      if (this.#failure === null) {
        this.#faulty.repaired(repairs);
        this.#commit(change, write);
      }
      const waiting = this.#afterAppend;
      this.#afterAppend = null;
      done(this.#failure);
      waiting?.();
    });
  }

  /**
   * A cheap estimate. What was let in and is still on its way must fit with it into the rest of the active segment, or into the
   * spare, or into what is free beyond the reserve: each alone, since a batch never straddles two segments.
   */
  hasRoomFor(bytes: number, entries: number): boolean {
    if (this.#failure !== null) return false;
    const needed = this.#admitted + bytes + entries * ENTRY_OVERHEAD_BYTES;
    const enough = needed + MARGIN_BYTES <= Math.max(this.#preparedRest(), this.#preparedSpare(), this.#room.free);
    if (enough) this.#admitted = needed;
    else this.#room.refused();
    return enough;
  }

  #preparedRest(): number {
    const { size, offset } = this.#active;
    return this.#writing === null ? size - offset : this.#writing.size - this.#writing.batch.end;
  }

  #preparedSpare(): number {
    return this.#spare.ready && this.#writing?.spare !== true ? this.#options.segmentBytes - SEGMENT_HEADER_BYTES : 0;
  }

  /**
   * A write that found the disk full is tried once more without the reserve: others may fill a disk between two looks at it. That
   * is safe, as nothing behind it was carried out, and the same bytes go to the same place. A failed sync is final. Repairs go
   * along again: a disk that never overwrites in place can be full for them, too, and one that was not written must not count.
   */
  #submit(
    change: LogChange,
    repairs: readonly Entry[],
    write: PreparedWrite,
    done: (error: DiskError | null) => void,
  ): void {
    const path = segmentPath(write.place.segment);
    this.#environment.disk.submit(write.operations, (error) => {
      const isFull = error?.operation === 'write' && error.path === path && isNoSpace(error);
      const freed = isFull ? this.#room.giveUpReserve() : [];
      if (freed.length === 0) return done(error);
      // Encoded anew: the first bytes went to the disk's thread for good.
      const offset = write.header === null ? write.place.offset : 0;
      const { bytes } = encodeBatch(change, write.place, write.header);
      const at = write.operations.findIndex(
        (each) => each.op === 'write' && each.path === path && each.offset === offset,
      );
      const rest = write.operations.slice(at + 1);
      const restoring = this.#faulty.repair(repairs);
      this.#environment.disk.submit([...freed, ...restoring, { op: 'write', path, offset, bytes }, ...rest], done);
    });
  }

  #onPoll(): void {
    this.#spare.retry();
    // What was let in and never came (refused for another reason) must not count for ever.
    if (!this.#appending) this.#admitted = 0;
  }

  read(
    from: Index,
    to: Index,
    maxBytes: number,
    done: (error: StorageError | null, entries: readonly Entry[]) => void,
  ): void {
    const base = this.#index.base.index;
    if (from <= base) return this.#later(() => done(compacted(from, base).storageError, []));
    const { lastIndex } = this.#index;
    if (to < from || from > lastIndex)
      throw new RangeError(`Entries ${from} to ${to} were asked for; the log ends at ${lastIndex}.`);
    const damaged = this.#faulty.firstFrom(from);
    if (damaged?.index === from) return this.#later(() => done(faulty(damaged).storageError, []));
    const request = { from, to: Math.min(to, (damaged?.index ?? to + 1) - 1), maxBytes };
    const steps = readEntries(this.#environment.disk.background, this.#index, this.#seed, request, (place) =>
      this.#faulty.add(place),
    );
    runSteps(steps, (error, entries) => {
      // The segment may have been removed while it was read.
      if (error !== null && from <= this.#index.base.index)
        return done(compacted(from, this.#index.base.index).storageError, []);
      done(error, entries ?? []);
    });
  }

  /** Removes the segments that hold nothing behind `through`. First the two-slot file says so, then they go. */
  compact(through: Index, done: (error: StorageError | null) => void): void {
    if (this.#appending) {
      const before = this.#afterAppend;
      this.#afterAppend = () => {
        before?.();
        this.compact(through, done);
      };
      return;
    }
    if (this.#failure !== null) return this.#later(() => done(this.#failure));
    let first = this.#manifest.firstSegment;
    while (first < this.#active.segment && this.#index.lastIndexBefore(first + 1) <= through) first += 1;
    if (first === this.#manifest.firstSegment) return this.#later(() => done(null));
    this.#retireBefore(first, done);
  }

  bytesAfter(index: Index): number {
    return this.#index.bytesAfter(index);
  }

  /** Damaged entries, ascending. */
  get faulty(): readonly FaultyEntry[] {
    return this.#faulty.entriesBehind(this.#index.base.index);
  }

  onFailure(listener: (error: StorageError) => void): void {
    this.#onFailure = listener;
    this.#later(() => this.#tellFailure());
  }

  /** Stops preparing and polling. Submissions under way finish with the disk. */
  stop(): void {
    this.#spare.stop();
    this.#room.stop();
  }

  /** Latches a failure of the disk, wherever it was met. */
  #fail(error: DiskError): StorageError {
    if (this.#failure !== null) return this.#failure;
    const failure = storageErrorOf(error);
    this.#failure = failure;
    this.#later(() => this.#tellFailure());
    return failure;
  }

  #tellFailure(): void {
    const listener = this.#onFailure;
    if (this.#failure === null || listener === null) return;
    this.#onFailure = null;
    listener(this.#failure);
  }

  #later(callback: () => void): void {
    this.#environment.timers.afterPoll(callback);
  }

  #write(change: LogChange, before: readonly DiskOperation[], afterSync: readonly DiskOperation[]): PreparedWrite {
    const write = this.#mustRoll(change) ? this.#writeRoll(change, afterSync) : this.#writeOn(change, afterSync);
    return before.length === 0 ? write : { ...write, operations: [...before, ...write.operations] };
  }

  /** What is damaged is made whole before the batch that says so is durable. */
  #repairOperations(repairs: readonly Entry[]): readonly DiskOperation[] | StorageError {
    try {
      return this.#faulty.repair(repairs);
    } catch (error) {
      if (!(error instanceof StorageFailure)) throw error;
      this.#failure ??= error.storageError;
      return error.storageError;
    }
  }

  /** A snapshot begins a segment of its own, so that everything before it can go; otherwise a full one makes the next begin. */
  #mustRoll(change: LogChange): boolean {
    const { offset, size, version } = this.#active;
    if (change.snapshot !== null || version < SEGMENT_VERSION) return true;
    if (size < this.#options.segmentBytes && this.#spare.ready) return true;
    return offset > SEGMENT_HEADER_BYTES && offset + changeBytes(change) > this.#options.segmentBytes;
  }

  #writeOn(change: LogChange, afterSync: readonly DiskOperation[]): PreparedWrite {
    const { segment, offset, chain, size } = this.#active;
    const place = this.#place(change, segment, offset, chain);
    const batch = encodeBatch(change, place, null);
    const path = segmentPath(segment);
    const growth = Math.max(0, batch.end - size);
    const operations: DiskOperation[] = [
      ...this.#room.makeRoomFor(growth),
      { op: 'write', path, offset, bytes: batch.bytes },
      { op: 'sync', path },
      ...afterSync,
    ];
    return {
      operations,
      place,
      header: null,
      batch,
      size: Math.max(size, batch.end),
      growth,
      manifest: null,
      spare: false,
    };
  }

  /**
   * The name is durable before anything is written under it: a spare never holds records. The two-slot file follows: from then on
   * the log cannot end before this segment.
   */
  #writeRoll(change: LogChange, afterSync: readonly DiskOperation[]): PreparedWrite {
    const segment = this.#active.segment + 1;
    const { chain } = this.#active;
    const place = this.#place(change, segment, SEGMENT_HEADER_BYTES, chain);
    const header = headerFor(change, this.#index, { identity: this.#identity, segment, chain });
    const batch = encodeBatch(change, place, header);
    const path = segmentPath(segment);
    const spare = this.#spare.ready;
    const size = spare ? Math.max(this.#options.segmentBytes, batch.end) : batch.end;
    const growth = spare ? size - this.#options.segmentBytes : size;
    const manifest = this.#nextManifest({
      sequence: place.sequence,
      hardState: change.hardState,
      lastSegment: segment,
    });
    const directory: DiskOperation = { op: 'syncDirectory', path: LOG_DIRECTORY };
    const operations: DiskOperation[] = [
      ...this.#room.makeRoomFor(growth),
      ...(spare ? [{ op: 'rename', from: SPARE_PATH, to: path } as const, directory] : []),
      { op: 'write', path, offset: 0, bytes: batch.bytes },
      { op: 'sync', path },
      ...(spare ? [] : [directory]),
      ...afterSync,
      ...manifestOperations(manifest),
    ];
    return { operations, place, header, batch, size, growth, manifest, spare };
  }

  #place(change: LogChange, segment: number, offset: number, chain: number): BatchPlace {
    const outline = outlineAfter(change, this.#index);
    return { segment, offset, chain, sequence: this.#sequence + 1, seed: this.#seed, outline };
  }

  #nextManifest(changes: Partial<Manifest>): Manifest {
    return { ...this.#manifest, ...changes, generation: this.#manifest.generation + 2 };
  }

  #commit(change: LogChange, write: PreparedWrite): void {
    const { place, batch } = write;
    for (const { truncateFrom } of change.parts) if (truncateFrom !== 0) this.#faulty.cut(truncateFrom);
    if (change.snapshot !== null) this.#faulty.cut(0);
    indexChange(change, place, this.#index);
    this.#hardState = change.hardState;
    this.#sequence = place.sequence;
    const version = write.header?.version ?? this.#active.version;
    this.#active = { segment: place.segment, version, offset: batch.end, chain: batch.chain, size: write.size };
    if (write.manifest !== null) {
      this.#manifest = write.manifest;
      this.#segments = [...this.#segments, place.segment];
    }
    if (write.spare) this.#spare.taken();
    this.#room.schedule();
    const { segmentBytes } = this.#options;
    const growing = this.#active.size < segmentBytes;
    if (batch.end >= PREPARE_AT * segmentBytes || (growing && batch.end >= PREPARE_AFTER_GROWING))
      this.#spare.prepare();
  }

  /** The caller has made sure that no append is in flight. */
  #retireBefore(segment: number, done: (error: StorageError | null) => void): void {
    const retired = this.#segments.filter((each) => each < segment);
    this.#segments = this.#segments.filter((each) => each >= segment);
    this.#index.dropSegmentsBefore(segment);
    this.#faulty.forgetThrough(this.#index.base.index);
    this.#manifest = this.#nextManifest({
      firstSegment: segment,
      lastSegment: this.#active.segment,
      sequence: this.#sequence,
      hardState: this.#hardState,
    });
    this.#environment.disk.submit(manifestOperations(this.#manifest), (error) => {
      if (error !== null) return done(this.#fail(error));
      const removals = retired.map((each) => ({ op: 'remove', path: segmentPath(each) }) as const);
      this.#environment.disk.background.submit(removals, (failure) => {
        done(failure === null ? null : this.#fail(failure));
      });
    });
  }

  /** After a received snapshot has become the beginning of the log: everything before its segment goes. */
  retireBeforeActive(done: (error: StorageError | null) => void): void {
    if (this.#active.segment === this.#manifest.firstSegment) return this.#later(() => done(null));
    this.#retireBefore(this.#active.segment, done);
  }

  /** The batch that begins the log anew behind `snapshot`, when opening finds the log behind it. */
  static resetBatch(snapshot: SnapshotMetadata, hardState: HardState): PersistBatch {
    return { id: 0, hardState, truncateFrom: 0, entries: [], snapshot, adopt: null, repairs: [] };
  }
}

/** What seals, padding and term and vote may add to a batch, generously. */
const MARGIN_BYTES = 64 << 10;

/** What an entry takes beside its data: the record's header, and up to a multiple of eight. */
const ENTRY_OVERHEAD_BYTES = RECORD_HEADER_BYTES + 8;

interface PreparedWrite {
  readonly operations: readonly DiskOperation[];
  readonly place: BatchPlace;
  /** Of the segment that the write begins. */
  readonly header: SegmentHeader | null;
  readonly batch: EncodedBatch;
  /** The size of the segment's file afterwards. */
  readonly size: number;
  /** Bytes of free space that it takes. */
  readonly growth: number;
  /** Set when the write begins a segment. */
  readonly manifest: Manifest | null;
  readonly spare: boolean;
}
