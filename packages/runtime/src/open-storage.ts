/** Opens a data directory, or begins one. */
import type { HardState, SnapshotMetadata } from '@quorate/raft';
import { DurableStorage } from './durable-storage.ts';
import type { Disk, Environment } from './environment.ts';
import { FLIGHT_DIRECTORY } from './flight/format.ts';
import { KnownLives, LIVES_PATH, NEW_LIVES_PATH, readKnownLives } from './known-lives.ts';
import { assertIdentity, createDirectory, UNFINISHED_PATH } from './create-directory.ts';
import { makeBatchFirm, makeNamesFirm } from './firm.ts';
import { recoverSnapshots, type RecoveredSnapshots } from './snapshots/recovery.ts';
import { SNAPSHOT_DIRECTORY } from './snapshots/format.ts';
import { SnapshotStore } from './snapshots/store.ts';
import type { OpenedStorage, StorageCreation, StorageError, StorageIdentity } from './storage.ts';
import { StorageFailure } from './storage-failure.ts';
import { type StorageOptions, storageOptions } from './storage-options.ts';
import { list, runSteps, type Step, type Steps, sizeIfPresent, submit } from './steps.ts';
import { RESERVE_PATH } from './wal/disk-room.ts';
import type { FaultyPlace } from './wal/faulty-places.ts';
import { identitySeed, identityText, LOG_DIRECTORY, sameMember, segmentPath } from './wal/format.ts';
import { HARD_STATE_PATH, type Manifest, manifestOperations, readHardStateFile } from './wal/hard-state-file.ts';
import { WriteAheadLog } from './wal/log.ts';
import { roomedQueue } from './wal/roomed-queue.ts';
import { type RecoveredLog, recoverLog } from './wal/recovery.ts';

const MAX_DAMAGE_NOTES = 5;

type StorageEnvironment = Pick<Environment, 'disk' | 'timers'>;

/**
 * Claims the environment's data directory and opens what is in it. A new directory is begun as `creation` says; without a creation it
 * is left as it is, and the result is null. For a directory that exists, `creation` only says whose it must be.
 *
 * The directory stays claimed when the result is null, so that the caller can look around before it creates; otherwise the caller
 * closes the storage, or after an error or a null result the disk. Throws RangeError for options or an identity out of bounds.
 */
export function openStorage(
  environment: StorageEnvironment,
  creation: StorageCreation | null,
  options: Partial<StorageOptions>,
  done: (error: StorageError | null, opened: OpenedStorage | null) => void,
): void {
  const checked = storageOptions(options);
  if (creation !== null) assertIdentity(creation.identity);
  runSteps(open(environment, creation, checked), (error, opened) => done(error, opened ?? null));
}

function* open(
  environment: StorageEnvironment,
  creation: StorageCreation | null,
  options: StorageOptions,
): Steps<OpenedStorage | null> {
  const { disk } = environment;
  yield (resume) => disk.hold(resume);
  const notes: string[] = [];
  const names = yield* list(disk.background, '');
  const isNew = lookAround(names, notes);
  if (isNew && creation === null) return null;
  if (isNew && creation !== null) yield* createDirectory(disk, creation);
  else yield* makeNamesFirm(disk);

  const file = yield* readHardStateFile(disk.background);
  if (file !== null) {
    if (creation !== null) assertMember(file.manifest.identity, creation.identity);
    // Before anything is removed because it says so: the newer copy may stand in the cache only.
    if (file.needsRepair) yield* writeManifest(disk, file.manifest, notes);
  }
  const log = yield* recoverLog(disk, file?.manifest ?? null, options.maxTailBytes);
  notes.push(...log.notes, ...damageNotes(log.replay.faulty));
  const { identity } = log;
  if (creation !== null) assertMember(identity, creation.identity);
  yield* makeBatchFirm(disk, identitySeed(identity), log.lastBatch);
  const snapshots = yield* recoverSnapshots(disk.background, identity, log.replay.installed, notes);
  const manifest = file?.manifest ?? rebuiltManifest(log);
  if (file === null) yield* writeManifest(disk, manifest, notes);
  const room = yield* measureRoom(disk, options);
  const lives = names.includes(LIVES_PATH) ? yield* readKnownLives(disk.background) : new KnownLives(disk.background);
  if (lives.isDamaged)
    notes.push(`The file '${LIVES_PATH}' is damaged: no new member can be told that nothing is known of it.`);
  return yield* assemble(environment, options, { log, snapshots, manifest, room, lives, notes });
}

const OUR_NAMES: readonly string[] = [
  HARD_STATE_PATH,
  LOG_DIRECTORY,
  SNAPSHOT_DIRECTORY,
  RESERVE_PATH,
  UNFINISHED_PATH,
  FLIGHT_DIRECTORY,
  LIVES_PATH,
  NEW_LIVES_PATH,
];

/** What a file system or `hold` may put beside our files. */
const TOLERATED_NAMES = /^(lock(\.\d+)?|lost\+found)$/;

/** Whether the directory has yet to be begun. One with files that are not ours must not be begun at all. */
function lookAround(names: readonly string[], notes: string[]): boolean {
  const foreignNames = names.filter((name) => !OUR_NAMES.includes(name) && !TOLERATED_NAMES.test(name));
  const unfinished = names.includes(UNFINISHED_PATH);
  const begun = names.some((name) => OUR_NAMES.includes(name)) && !unfinished;
  if (begun) {
    if (foreignNames.length > 0)
      notes.push(`The data directory holds files that are not Quorate's: ${foreignNames.join(', ')}.`);
    if (!names.includes(LOG_DIRECTORY)) throw incomplete(LOG_DIRECTORY);
    if (!names.includes(HARD_STATE_PATH)) throw incomplete(HARD_STATE_PATH);
    return false;
  }
  if (foreignNames.length > 0) {
    throw new StorageFailure(
      'ForeignDirectory',
      `The directory is to be begun as a data directory, but holds '${foreignNames[0]}'. Give this server an empty directory of its own.`,
      foreignNames[0],
    );
  }
  if (unfinished) notes.push('The data directory had been begun but not finished; it was begun anew.');
  return true;
}

function incomplete(path: string): StorageFailure {
  return new StorageFailure(
    'CorruptState',
    `'${path}' is missing from the data directory, and with it promises that this server made. Restore it, or remove the member from the cluster and add it anew with an empty directory.`,
    path,
  );
}

function assertMember(found: StorageIdentity, wanted: StorageIdentity): void {
  if (sameMember(found, wanted)) return;
  throw new StorageFailure(
    'ForeignDirectory',
    `The data directory belongs to ${identityText(found)}, not to member '${wanted.member}' of cluster ${wanted.clusterId}, group ${wanted.group}. Point this server to its own directory.`,
  );
}

/** From the log alone, when both copies in the two-slot file are bad: its last seal is newer than they were. */
function rebuiltManifest(log: RecoveredLog): Manifest {
  const { sequence, hardState } = log.replay;
  if (sequence === null || hardState === null) throw new Error('A recovered log has no seal.');
  const firstSegment = log.segments[0] ?? log.active.segment;
  return { identity: log.identity, generation: 1, sequence, hardState, firstSegment, lastSegment: log.active.segment };
}

function* writeManifest(disk: Disk, manifest: Manifest, notes: string[]): Steps<void> {
  yield* submit(disk, manifestOperations(manifest));
  notes.push(`A copy in '${HARD_STATE_PATH}' was damaged or behind; both were written anew.`);
}

/** Where the log is damaged, for whoever looks after the disk. The first few places tell as much as all. */
function damageNotes(faulty: readonly FaultyPlace[]): readonly string[] {
  const notes = faulty.slice(0, MAX_DAMAGE_NOTES).map(({ segment, offset, index }) => {
    const where = `'${segmentPath(segment)}' is damaged at offset ${offset}`;
    return `${where}: entry ${index} cannot be read and must come from another server. Check the disk.`;
  });
  const more = faulty.length - notes.length;
  return more > 0 ? [...notes, `${more} more entries of the log are damaged.`] : notes;
}

interface Room {
  readonly free: number;
  readonly reserveHeld: boolean;
}

function* measureRoom(disk: Disk, options: StorageOptions): Steps<Room> {
  const measure: Step = (resume) => disk.background.free(resume);
  const free = (yield measure) as number;
  const reserve = (yield* sizeIfPresent(disk.background, RESERVE_PATH)) ?? 0;
  return { free, reserveHeld: options.reserveBytes > 0 && reserve >= options.reserveBytes };
}

interface Found {
  readonly log: RecoveredLog;
  readonly snapshots: RecoveredSnapshots;
  readonly manifest: Manifest;
  readonly room: Room;
  readonly lives: KnownLives;
  readonly notes: string[];
}

function* assemble(environment: StorageEnvironment, options: StorageOptions, found: Found): Steps<OpenedStorage> {
  const { log, snapshots, notes } = found;
  const { index, hardState, sequence } = log.replay;
  if (index === null || hardState === null || sequence === null) throw new Error('A recovered log has no seal.');
  const { current } = snapshots;
  // Entries before the first that is left may be gone with their segments, and the snapshot stands for them.
  if (log.replay.isBaseUncertain && index.termAt(current.index) === current.term)
    log.replay.forgetThrough(current.index);
  const wal = new WriteAheadLog(environment, options, {
    identity: log.identity,
    index,
    faulty: log.replay.faulty,
    hardState,
    sequence,
    active: log.active,
    segments: log.segments,
    manifest: found.manifest,
    room: found.room,
  });
  const reset = yield* alignWithSnapshot(wal, snapshots.current, notes);
  const snapshot = snapshots.current;
  const recovered = {
    hardState: wal.hardState,
    snapshot,
    base: index.base,
    lastIndex: index.lastIndex,
    termRuns: [...index.termRuns],
    configurations: reset ? [] : log.replay.configurations.filter((each) => each.index > snapshot.index),
    faulty: wal.faulty,
    tail: reset ? [] : log.replay.takeTail(),
    applied: snapshot.index,
  };
  const { disk, timers } = environment;
  const aside = roomedQueue(disk.background, wal.room, timers);
  const store = new SnapshotStore({ disk: aside, timers }, log.identity, options, snapshots);
  return {
    storage: new DurableStorage(environment, wal, store),
    identity: log.identity,
    recovered,
    lives: found.lives,
    notes,
  };
}

/**
 * A server's own snapshot may be ahead of its own log, or contradict it: a majority had committed what this disk did not have yet
 * when the crash came. What is committed wins: the log begins anew behind the snapshot. A log that begins behind the snapshot has a hole.
 */
function* alignWithSnapshot(wal: WriteAheadLog, snapshot: SnapshotMetadata, notes: string[]): Steps<boolean> {
  const { base } = wal.index;
  if (base.index > snapshot.index) {
    throw new StorageFailure(
      'CorruptSnapshot',
      `The log begins behind index ${base.index}, but the newest snapshot ends at ${snapshot.index}: what lies between is lost. Restore the newer snapshot, or remove the member from the cluster and add it anew with an empty directory.`,
      SNAPSHOT_DIRECTORY,
    );
  }
  if (wal.index.termAt(snapshot.index) === snapshot.term) return false;
  const before: HardState = wal.hardState;
  // A term that was never durable was never promised anything in, so its vote is free.
  const hardState = before.term >= snapshot.term ? before : { term: snapshot.term, vote: null };
  const last = wal.index.lastIndex;
  const reset: Step = (resume) => {
    const ended = (error: StorageError | null): void => resume(error === null ? null : StorageFailure.of(error));
    wal.append([WriteAheadLog.resetBatch(snapshot, hardState)], [], (error) => {
      if (error !== null) ended(error);
      else wal.retireBeforeActive(ended);
    });
  };
  yield reset;
  notes.push(
    `The snapshot of index ${snapshot.index} was ahead of the log, which ended at ${last}; the log begins anew behind it.`,
  );
  return true;
}
