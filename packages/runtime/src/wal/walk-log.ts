/** Goes through a log that may be damaged, for people who look at it: every part that can be read is shown, and nothing is changed. */
import type { Disk } from '../environment.ts';
import { StorageFailure } from '../storage-failure.ts';
import { listIfPresent, type Steps } from '../steps.ts';
import { LOG_DIRECTORY, segmentOfName } from './format.ts';
import { type Manifest, readHardStateFile } from './hard-state-file.ts';
import { LogWalk, type SegmentScan } from './recovery.ts';
import type { ScannedBatch } from './segment-scan.ts';

export interface WalkedSegment {
  readonly segment: number;
  /** Null when the segment could not be read at all; `problem` says why. */
  readonly scan: SegmentScan | null;
  readonly problem: string | null;
}

export interface LogVisitor {
  manifest(manifest: Manifest | null, damagedCopies: number): void;
  /** Before the segment's batches. */
  begin(segment: number): void;
  batch(batch: ScannedBatch): void;
  end(segment: WalkedSegment): void;
}

/** Visits every segment file in order, also where one is missing or damaged. Fails if there is no log. */
export function* walkLog(disk: Disk, visitor: LogVisitor): Steps<void> {
  const names = yield* listIfPresent(disk.background, LOG_DIRECTORY);
  const segments = names
    .map(segmentOfName)
    .filter((segment) => segment !== null)
    .sort((a, b) => a - b);
  if (segments.length === 0) {
    throw new StorageFailure(
      'ForeignDirectory',
      `There is no log: '${LOG_DIRECTORY}' holds no segment. Name the data directory of a server that has run.`,
      LOG_DIRECTORY,
    );
  }
  const file = yield* readHardStateFile(disk.background);
  const manifest = file?.manifest ?? null;
  visitor.manifest(manifest, file?.damagedCopies ?? 2);
  const walk = new LogWalk(disk, manifest?.identity ?? null);
  let previous: number | null = null;
  for (const segment of segments) {
    if (previous !== null && segment !== previous + 1) walk.forgetChain();
    previous = segment;
    visitor.begin(segment);
    visitor.end(yield* walkSegment(walk, segment, visitor));
  }
}

function* walkSegment(walk: LogWalk, segment: number, visitor: LogVisitor): Steps<WalkedSegment> {
  try {
    const scan = yield* walk.next(segment, (batch) => visitor.batch(batch), null);
    return { segment, scan, problem: null };
  } catch (failure) {
    if (!(failure instanceof StorageFailure)) throw failure;
    walk.forgetChain();
    return { segment, scan: null, problem: failure.message };
  }
}
