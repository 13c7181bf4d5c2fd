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
  if (!headerIntact || !recordsIntact(bytes, offset, seed, batch)) {
    throw new StorageFailure(
      'DiskFailed',
      `'${path}' reads differently each time. Check the disk, then start the server again.`,
      path,
      batch.offset,
    );
  }
  yield* submit(disk, [
    { op: 'write', path, offset, bytes },
    { op: 'sync', path },
  ]);
}

/** `bytes` stand at `start` in the segment. */
function recordsIntact(bytes: Uint8Array, start: number, seed: number, batch: LastBatch): boolean {
  const view = viewOf(bytes);
  let at = batch.offset;
  while (at + RECORD_HEADER_BYTES <= start + bytes.length) {
    const header = readRecordHeader(view, bytes, at - start, seed, batch.segment, at);
    if (header === null) return false;
    const end = at + recordBytes(header.length);
    if (end > start + bytes.length || !payloadIntact(bytes, at - start, header)) return false;
    at = end;
  }
  return at === batch.end;
}
