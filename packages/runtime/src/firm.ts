/**
 * What an earlier process wrote may stand in the system's cache and not on the disk: it was killed before its sync, or the sync failed
 * and the cache counts as clean (Rebello et al., "Can Applications Recover from fsync Failures?", ATC'20). Opening reads it all the
 * same. So before anything is built on it, it is made durable, or a power cut would take back what this server has promised since.
 */
import { viewOf } from './bytes.ts';
import type { Disk, DiskOperation } from './environment.ts';
import { SNAPSHOT_DIRECTORY } from './snapshots/format.ts';
import { listIfPresent, read, type Steps, submit } from './steps.ts';
import { StorageFailure } from './storage-failure.ts';
import {
  decodeSegmentHeader,
  LOG_DIRECTORY,
  payloadIntact,
  readRecordHeader,
  RECORD_HEADER_BYTES,
  recordBytes,
  SEGMENT_HEADER_BYTES,
  segmentPath,
} from './wal/format.ts';

/** Names first: a segment, a snapshot or the end of a creation that only the cache knows of. */
export function* makeNamesFirm(disk: Disk): Steps<void> {
  const names = yield* listIfPresent(disk.background, '');
  const directories = ['', ...[LOG_DIRECTORY, SNAPSHOT_DIRECTORY].filter((name) => names.includes(name))];
  yield* submit(
    disk.background,
    directories.map((path): DiskOperation => ({ op: 'syncDirectory', path })),
  );
}

export interface LastBatch {
  readonly segment: number;
  readonly offset: number;
  readonly end: number;
  /** Offsets of entries whose data was found damaged. */
  readonly damaged: readonly number[];
}

/**
 * Batches before the last are durable: each was synced before the next was written. The last is written once more, for a sync alone may
 * do nothing. It is checked again before: a disk that reads it differently now must not make that lasting.
 */
export function* makeBatchFirm(disk: Disk, seed: number, batch: LastBatch): Steps<void> {
  const path = segmentPath(batch.segment);
  const offset = batch.offset === SEGMENT_HEADER_BYTES ? 0 : batch.offset;
  const bytes = yield* read(disk.background, path, offset, batch.end - offset);
  const headerIntact = offset > 0 || typeof decodeSegmentHeader(bytes.subarray(0, SEGMENT_HEADER_BYTES)) === 'object';
  const damaged = damagedParts(bytes, offset, seed, batch);
  if (!headerIntact || damaged === null) {
    throw new StorageFailure(
      'DiskFailed',
      `'${path}' reads differently each time. Check the disk, then start the server again.`,
      path,
      batch.offset,
    );
  }
  yield* submit(disk, [...writesAround(path, offset, bytes, damaged), { op: 'sync', path }]);
}

/** What is damaged is left alone: written again, what may be but a misreading would last. */
function writesAround(
  path: string,
  start: number,
  bytes: Uint8Array,
  damaged: readonly (readonly [from: number, to: number])[],
): readonly DiskOperation[] {
  const writes: DiskOperation[] = [];
  let at = start;
  for (const [from, to] of [...damaged, [start + bytes.length, 0] as const]) {
    if (from > at) writes.push({ op: 'write', path, offset: at, bytes: bytes.slice(at - start, from - start) });
    at = to;
  }
  return writes;
}

/**
 * The data that is damaged, of the entries that were found so before. Null if anything else is. `bytes` stand at `start` in the
 * segment.
 */
function damagedParts(
  bytes: Uint8Array,
  start: number,
  seed: number,
  batch: LastBatch,
): readonly (readonly [from: number, to: number])[] | null {
  const damaged: (readonly [from: number, to: number])[] = [];
  const view = viewOf(bytes);
  let at = batch.offset;
  while (at + RECORD_HEADER_BYTES <= start + bytes.length) {
    const header = readRecordHeader(view, bytes, at - start, seed, batch.segment, at);
    if (header === null) return null;
    const end = at + recordBytes(header.length);
    if (end > start + bytes.length) return null;
    if (!payloadIntact(bytes, at - start, header)) {
      if (!batch.damaged.includes(at)) return null;
      damaged.push([at + RECORD_HEADER_BYTES, end]);
    }
    at = end;
  }
  return at === batch.end ? damaged : null;
}
