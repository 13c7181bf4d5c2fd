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
import type { ScannedBatch } from './wal/segment-scan.ts';
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
  /** What of it, and of the segment's header if it is the first there, was found damaged, ascending. */
  readonly damaged: readonly DamagedPart[];
}

type DamagedPart = readonly [from: number, to: number];

export function lastBatchOf(batch: ScannedBatch, isHeaderLost: boolean): LastBatch {
  const { segment, offset, end, sealOffset, records } = batch;
  const damaged: DamagedPart[] = isHeaderLost && offset === SEGMENT_HEADER_BYTES ? [[0, offset]] : [];
  let at = offset;
  const until = (to: number): void => void (to > at && damaged.push([at, to]));
  for (const { header, payload } of records) {
    if (header.segment !== segment || header.offset < offset) continue;
    until(header.offset);
    at = header.offset + recordBytes(header.length);
    if (payload === null) damaged.push([header.offset + RECORD_HEADER_BYTES, at]);
  }
  until(sealOffset);
  return { segment, offset, end, damaged };
}

/**
 * Batches before the last are durable: each was synced before the next was written. The last is written once more, for a sync alone may
 * do nothing. It is checked again before: a disk that reads it differently now must not make that lasting.
 */
export function* makeBatchFirm(disk: Disk, seed: number, batch: LastBatch): Steps<void> {
  const path = segmentPath(batch.segment);
  const offset = batch.offset === SEGMENT_HEADER_BYTES ? 0 : batch.offset;
  const bytes = yield* read(disk.background, path, offset, batch.end - offset);
  if (!isUnchanged(bytes, offset, seed, batch)) {
    throw new StorageFailure(
      'DiskFailed',
      `'${path}' reads differently each time. Check the disk, then start the server again.`,
      path,
      batch.offset,
    );
  }
  yield* submit(disk, [...writesAround(path, offset, bytes, batch.damaged), { op: 'sync', path }]);
}

/** What is damaged is left alone: written again, what may be but a misreading would last. */
function writesAround(
  path: string,
  start: number,
  bytes: Uint8Array,
  damaged: readonly DamagedPart[],
): readonly DiskOperation[] {
  const writes: DiskOperation[] = [];
  let at = start;
  for (const [from, to] of [...damaged, [start + bytes.length, 0] as const]) {
    if (from > at) writes.push({ op: 'write', path, offset: at, bytes: bytes.slice(at - start, from - start) });
    at = to;
  }
  return writes;
}

/** Whether all of the batch is as it was found but for what was damaged then. `bytes` stand at `start` in the segment. */
function isUnchanged(bytes: Uint8Array, start: number, seed: number, batch: LastBatch): boolean {
  const view = viewOf(bytes);
  const damagedAt = (at: number): number | undefined => batch.damaged.find(([from]) => from === at)?.[1];
  let at = batch.offset;
  const isHeaderDue = start === 0 && damagedAt(0) === undefined;
  if (isHeaderDue && typeof decodeSegmentHeader(bytes.subarray(0, SEGMENT_HEADER_BYTES)) !== 'object') return false;
  while (at + RECORD_HEADER_BYTES <= start + bytes.length) {
    const behind = damagedAt(at);
    if (behind !== undefined) {
      at = behind;
      continue;
    }
    const header = readRecordHeader(view, bytes, at - start, seed, batch.segment, at);
    if (header === null) return false;
    const end = at + recordBytes(header.length);
    if (end > start + bytes.length) return false;
    if (!payloadIntact(bytes, at - start, header) && damagedAt(at + RECORD_HEADER_BYTES) !== end) return false;
    at = end;
  }
  return at === batch.end;
}
