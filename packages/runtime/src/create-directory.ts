/** Begins a data directory. A crash at any point leaves one that is begun anew, or a complete one. */
import type { StorageCreation, StorageIdentity } from './storage.ts';
import type { Disk, DiskOperation } from './environment.ts';
import { encodeText, viewOf } from './bytes.ts';
import { encodeFooter, encodeSnapshotHeader, SNAPSHOT_DIRECTORY, snapshotPath } from './snapshots/format.ts';
import { listIfPresent, type Steps, submit } from './steps.ts';
import { encodeBatch } from './wal/batch.ts';
import { identitySeed, LOG_DIRECTORY, SEGMENT_HEADER_BYTES, SEGMENT_VERSION, segmentPath } from './wal/format.ts';
import { HARD_STATE_PATH, manifestOperations } from './wal/hard-state-file.ts';

/** Stands in the directory until it is complete: whatever else is there then was never used. */
export const UNFINISHED_PATH = 'unfinished';

const FIRST_SEGMENT = 1;

export function* createDirectory(disk: Disk, creation: StorageCreation): Steps<void> {
  yield* submit(disk, [
    { op: 'write', path: UNFINISHED_PATH, offset: 0, bytes: encodeText('This data directory is being created.\n') },
    { op: 'sync', path: UNFINISHED_PATH },
    { op: 'syncDirectory', path: '' },
  ]);
  yield* removeRemains(disk);
  yield* submit(disk, [
    { op: 'makeDirectory', path: LOG_DIRECTORY },
    { op: 'makeDirectory', path: SNAPSHOT_DIRECTORY },
    ...firstSnapshot(creation),
    ...firstSegment(creation),
    ...manifestOperations({
      identity: creation.identity,
      generation: 1,
      sequence: 1,
      hardState: creation.hardState,
      firstSegment: FIRST_SEGMENT,
      lastSegment: FIRST_SEGMENT,
    }),
    { op: 'syncDirectory', path: '' },
    { op: 'remove', path: UNFINISHED_PATH },
    { op: 'syncDirectory', path: '' },
  ]);
}

/** Both fit their places on disk only within these bounds; see the formats. */
export function assertIdentity(identity: StorageIdentity): void {
  const hex = /^[0-9a-f]{16}$/;
  if (!hex.test(identity.clusterId) || !hex.test(identity.incarnation)) {
    throw new RangeError('The cluster id and the incarnation must be 16 hex digits each.');
  }
  if (identity.member.length < 1 || identity.member.length > 64) {
    throw new RangeError(`The member id must have 1 to 64 characters, not ${identity.member.length}.`);
  }
}

/** What an attempt left that a crash interrupted. */
function* removeRemains(disk: Disk): Steps<void> {
  const operations: DiskOperation[] = [{ op: 'remove', path: HARD_STATE_PATH }];
  for (const directory of [LOG_DIRECTORY, SNAPSHOT_DIRECTORY]) {
    const names = yield* listIfPresent(disk, directory);
    for (const name of names) operations.push({ op: 'remove', path: `${directory}/${name}` });
  }
  yield* submit(disk, operations);
}

/** The empty state with the first configuration: what every log begins behind. */
function firstSnapshot(creation: StorageCreation): readonly DiskOperation[] {
  const path = snapshotPath({ kind: 'done', index: 0, term: 0, totalBytes: 0 });
  const metadata = { index: 0, term: 0, configuration: creation.configuration };
  const header = encodeSnapshotHeader(creation.identity, metadata);
  const footer = encodeFooter({ slices: 0, bytes: 0 }, viewOf(header).getUint32(8, true));
  return [
    { op: 'write', path, offset: 0, bytes: header },
    { op: 'write', path, offset: header.length, bytes: footer },
    { op: 'sync', path },
    { op: 'syncDirectory', path: SNAPSHOT_DIRECTORY },
  ];
}

/** A first batch that holds nothing but its seal, so that the log always knows term and vote. */
function firstSegment(creation: StorageCreation): readonly DiskOperation[] {
  const { identity, hardState } = creation;
  const path = segmentPath(FIRST_SEGMENT);
  const seed = identitySeed(identity);
  const outline = { runs: [{ first: 0, term: 0 }], complete: true };
  const place = { segment: FIRST_SEGMENT, offset: SEGMENT_HEADER_BYTES, chain: seed, sequence: 1, seed, outline };
  const header = {
    version: SEGMENT_VERSION,
    identity,
    segment: FIRST_SEGMENT,
    firstIndex: 1,
    baseTerm: 0,
    chain: seed,
  };
  const change = { snapshot: null, rewritten: [], parts: [], hardState, lastIndex: 0 };
  const { bytes } = encodeBatch(change, place, header);
  return [
    { op: 'write', path, offset: 0, bytes },
    { op: 'sync', path },
    { op: 'syncDirectory', path: LOG_DIRECTORY },
  ];
}
