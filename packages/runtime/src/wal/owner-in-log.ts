import type { DiskQueue } from '../environment.ts';
import type { StorageIdentity } from '../storage.ts';
import { StorageFailure } from '../storage-failure.ts';
import { listIfPresent, read, sizeIfPresent, type Steps } from '../steps.ts';
import { decodeSegmentHeader, LOG_DIRECTORY, SEGMENT_HEADER_BYTES, segmentOfName, segmentPath } from './format.ts';

/** Whether there are segments, by their names. */
export function* hasSegments(disk: DiskQueue): Steps<boolean> {
  return (yield* segmentsOf(disk)).length > 0;
}

/** Whose log a directory holds, as the first segment says whose header can be read; null if none can. */
export function* ownerInLog(disk: DiskQueue): Steps<StorageIdentity | null> {
  for (const segment of yield* segmentsOf(disk)) {
    const path = segmentPath(segment);
    if (((yield* sizeIfPresent(disk, path)) ?? 0) < SEGMENT_HEADER_BYTES) continue;
    const header = decodeSegmentHeader(yield* read(disk, path, 0, SEGMENT_HEADER_BYTES));
    if (typeof header === 'object') return header.identity;
  }
  return null;
}

function* segmentsOf(disk: DiskQueue): Steps<readonly number[]> {
  const names = yield* listIfPresent(disk, LOG_DIRECTORY);
  return names
    .map(segmentOfName)
    .filter((segment) => segment !== null)
    .sort((a, b) => a - b);
}

/** Both copies in `hardstate` are damaged, and the log does not say either whose the directory is. */
export function noOwner(): StorageFailure {
  return new StorageFailure(
    'CorruptState',
    "Both copies in 'hardstate' are damaged, and the headers of the log's segments too: nothing says whose data directory this is. " +
      'Restore it; or have this server begin anew with an empty directory, and have the member readmitted.',
    'hardstate',
    0,
  );
}
