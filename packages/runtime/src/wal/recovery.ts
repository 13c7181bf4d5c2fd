/**
 * Opening a log: read every segment, decide what its end means, and leave behind a log that can be continued. Nothing that may have
 * been promised is ever dropped here; where that cannot be told, opening fails and a person decides (see repair.ts).
 */
import { isZero } from '../bytes.ts';
import type { Disk, DiskQueue } from '../environment.ts';
import { type LastBatch, lastBatchOf } from '../firm.ts';
import { StorageFailure } from '../storage-failure.ts';
import type { StorageIdentity } from '../storage.ts';
import { listIfPresent, read, type Steps, size, submit } from '../steps.ts';
import {
  decodeSegmentHeader,
  type HeaderProblem,
  identitySeed,
  identityText,
  LOG_DIRECTORY,
  SEGMENT_HEADER_BYTES,
  SEGMENT_VERSION,
  type SegmentHeader,
  sameIdentity,
  segmentOfName,
  segmentPath,
} from './format.ts';
import type { Manifest } from './hard-state-file.ts';
import { Replay } from './replay.ts';
import type { Damage } from './segment-end.ts';
import { beginning, type Carry, type ScannedBatch, scanSegment, type SegmentEnd, WHAT_TO_DO } from './segment-scan.ts';
import { noOwner } from './owner-in-log.ts';

/** The segment that the next batch goes to. */
export interface ActiveSegment {
  readonly segment: number;
  /** The version of its format. */
  readonly version: number;
  readonly offset: number;
  readonly chain: number;
  /** The file's present size: beyond `offset` it is all zeros. */
  readonly size: number;
}

export interface RecoveredLog {
  readonly replay: Replay;
  readonly identity: StorageIdentity;
  readonly active: ActiveSegment;
  /** The last batch that counts. */
  readonly lastBatch: LastBatch;
  /** Every segment of the log, ascending. */
  readonly segments: readonly number[];
  readonly notes: readonly string[];
}

export function* recoverLog(disk: Disk, manifest: Manifest | null, maxTailBytes: number): Steps<RecoveredLog> {
  const notes: string[] = [];
  const segments = yield* presentSegments(disk, manifest);
  const walk = new LogWalk(disk, manifest?.identity ?? null);
  const replay = new Replay(maxTailBytes);
  const ends: SegmentScan[] = [];
  let newest: ScannedBatch | null = null;
  const take = (batch: ScannedBatch): void => {
    replay.apply(batch);
    newest = batch;
  };
  for (const segment of segments) {
    const scan = yield* walk.next(segment, take, replay);
    if (segment !== segments.at(-1)) {
      ends.push(scan);
      continue;
    }
    const unsealed = unsealedOf(ends, scan);
    if (unsealed !== undefined) throw damaged(unsealed, false, replay);
    const isUnbegun = scan.batches === 0 && ends.length > 0 && segment > (manifest?.lastSegment ?? 0);
    if (isUnbegun) yield* dropUnbegun(disk, scan, notes);
    else ends.push(scan);
  }
  const end = ends.at(-1);
  const identity = walk.identity;
  if (end !== undefined && end.damage !== null && end.damage.verdict !== 'torn') throw damaged(end, true, replay);
  if (end !== undefined && end.header === null && end.batches === 0) throw badHeader(end.segment, 'absent');
  if (end === undefined || identity === null || newest === null) throw lostLog();
  const kept = segments.slice(0, ends.length);
  const { segment, header, size } = end;
  assertComplete(manifest, replay, segment);
  // Of one age they differ only after a repair, which puts there what the log must not forget.
  if (manifest !== null && manifest.sequence === replay.sequence) replay.hardState = manifest.hardState;
  if (end.damage !== null) yield* dropTorn(disk, segment, end.damage, notes);
  return {
    replay,
    identity,
    active: { segment, version: header?.version ?? SEGMENT_VERSION, offset: end.end, chain: end.chain, size },
    lastBatch: lastBatchOf(newest, header === null),
    segments: kept,
    notes,
  };
}

/** Only the last segment may end without a seal: the first of the others that does so, and has none behind it either. */
export function unsealedOf(others: readonly SegmentScan[], last: SegmentScan): SegmentScan | undefined {
  const { records, gaps } = last.carry.stretch;
  const first = Math.min(records[0]?.header.segment ?? last.segment, gaps[0]?.segment ?? last.segment);
  return others.find(({ segment }) => segment === first);
}

/** The segments that belong to the log, ascending and without a gap. Leftovers of a compaction are removed. */
export function* presentSegments(disk: Disk, manifest: Manifest | null, remove = true): Steps<readonly number[]> {
  const names = yield* listIfPresent(disk.background, LOG_DIRECTORY);
  const found = names.map(segmentOfName).filter((segment) => segment !== null);
  const first = manifest?.firstSegment ?? found[0] ?? 1;
  const segments = found.filter((segment) => segment >= first).sort((a, b) => a - b);
  const last = Math.max(manifest?.lastSegment ?? first, segments.at(-1) ?? first);
  for (let segment = first; segment <= last; segment++) {
    if (segments[segment - first] !== segment) throw missing(segment);
  }
  const leftovers = found.filter((segment) => segment < first);
  if (remove && leftovers.length > 0) {
    yield* submit(disk.background, [
      ...leftovers.map((segment) => ({ op: 'remove', path: segmentPath(segment) }) as const),
      { op: 'syncDirectory', path: LOG_DIRECTORY },
    ]);
  }
  return segments;
}

function missing(segment: number): StorageFailure {
  const path = segmentPath(segment);
  return new StorageFailure('CorruptLog', `'${path}' is missing, though the log needs it. ${WHAT_TO_DO}`, path);
}

export interface SegmentScan extends SegmentEnd {
  readonly segment: number;
  /** Null if it is lost. */
  readonly header: SegmentHeader | null;
  readonly chain: number;
}

/** Walks from segment to segment and checks that each continues the one before. Changes nothing on disk. */
export class LogWalk {
  identity: StorageIdentity | null;
  readonly #disk: Disk;
  #carry: Carry | null = null;
  /** The segment that was walked last. */
  #before: SegmentScan | null = null;

  constructor(disk: Disk, identity: StorageIdentity | null) {
    this.#disk = disk;
    this.identity = identity;
  }

  /** The next segment is not compared with the one before it: that one is missing or cannot be read. */
  forgetChain(): void {
    this.#carry = null;
    this.#before = null;
  }

  *next(segment: number, onBatch: (batch: ScannedBatch) => void, replay: Replay | null): Steps<SegmentScan> {
    const disk: DiskQueue = this.#disk.background;
    const path = segmentPath(segment);
    const bytes = yield* size(disk, path);
    const decoded = decodeSegmentHeader(yield* read(disk, path, 0, SEGMENT_HEADER_BYTES));
    const [header, problem] = typeof decoded === 'object' ? [decoded, null] : [null, decoded];
    if (header !== null) this.#assertIsOurs(segment, header);
    const { identity } = this;
    if (problem === 'version') throw badHeader(segment, problem);
    if (identity === null) throw noOwner();
    replay?.beginSegment(header);
    const carry = this.#carryTo(segment, header);
    const seed = identitySeed(identity);
    const end = yield* scanSegment(disk, { segment, size: bytes, seed }, carry, onBatch);
    const damage = problem !== null && end.batches === 0 ? lostHeader(segment, problem, end) : end.damage;
    const chain = end.chain ?? header?.chain ?? carry.chain ?? 0;
    this.#carry = end.carry;
    this.#before = { ...end, segment, header, chain, damage };
    return this.#before;
  }

  /** What the scan of a segment begins with: what the one before left, and what is missing between the two. */
  #carryTo(segment: number, header: SegmentHeader | null): Carry {
    const [carry, before] = [this.#carry, this.#before];
    if (carry === null || before === null) {
      const begun = beginning(header?.chain ?? null);
      // Where the log begins is lost with the header.
      if (header === null) begun.stretch.gaps.push({ segment, from: 0, to: SEGMENT_HEADER_BYTES });
      return begun;
    }
    const { records, gaps } = carry.stretch;
    const isSealed = records.length === 0 && gaps.length === 0;
    if (isSealed && (header === null || header.chain === carry.chain)) return beginning(carry.chain);
    const from = before.damage?.offset ?? before.end;
    const gap = { segment: before.segment, from, to: Math.max(from, before.size) };
    return { chain: null, stretch: { records: [...records], gaps: [...gaps, gap] } };
  }

  #assertIsOurs(segment: number, header: SegmentHeader): void {
    const path = segmentPath(segment);
    this.identity ??= header.identity;
    if (!sameIdentity(header.identity, this.identity)) {
      throw new StorageFailure(
        'ForeignDirectory',
        `'${path}' belongs to ${identityText(header.identity)}, but this directory to ${identityText(this.identity)}. Put back the right file, or point --data-dir elsewhere.`,
        path,
        0,
      );
    }
    if (header.segment === segment) return;
    const what = `says that it is segment ${header.segment}: it was renamed or written to the wrong place`;
    throw new StorageFailure('CorruptLog', `'${path}' ${what}. ${WHAT_TO_DO}`, path, 0);
  }
}

/** A segment without header and without any seal: it was never begun, or is not ours, or is damaged. */
function lostHeader(segment: number, problem: HeaderProblem, end: SegmentEnd): Damage {
  if (problem === 'magic' && end.records === 0) throw badHeader(segment, problem);
  const unbegun = { offset: 0, batch: 0, verdict: 'torn', reason: 'it was never begun', dirtyEnd: end.end } as const;
  return { ...(end.damage ?? unbegun), offset: 0, batch: 0 };
}

/** A last segment without a single batch: the crash came while it was begun, and nothing in it was promised. */
function* dropUnbegun(disk: Disk, scan: SegmentScan, notes: string[]): Steps<void> {
  if (scan.damage !== null && scan.damage.verdict !== 'torn') throw damaged(scan, true, null);
  const path = segmentPath(scan.segment);
  yield* submit(disk.background, [
    { op: 'remove', path },
    { op: 'syncDirectory', path: LOG_DIRECTORY },
  ]);
  if (scan.damage !== null)
    notes.push(`'${path}' held only a batch that a crash cut off before its seal; it was removed.`);
}

/** Zeroes what a crash left of a batch without a seal, so that nothing of it can ever be read again. */
function* dropTorn(disk: Disk, segment: number, damage: Damage, notes: string[]): Steps<void> {
  yield* zeroOut(disk, segment, damage.batch, damage.dirtyEnd);
  const bytes = damage.dirtyEnd - damage.batch;
  notes.push(
    `A crash cut off the last batch of '${segmentPath(segment)}' at offset ${damage.offset}, before its seal; nothing in it was promised, and its ${bytes} bytes were dropped.`,
  );
}

const ZERO_BYTES = 1 << 20;

/** From the end backwards: while it lasts, what is left still looks cut off. */
export function* zeroOut(disk: Disk, segment: number, from: number, to: number): Steps<void> {
  const path = segmentPath(segment);
  for (let end = to; end > from; ) {
    const start = Math.max(from, end - ZERO_BYTES);
    const bytes = new Uint8Array(end - start);
    yield* submit(disk, [
      { op: 'write', path, offset: start, bytes },
      { op: 'sync', path },
    ]);
    end = start;
  }
  const check = yield* read(disk, path, from, Math.min(ZERO_BYTES, to - from));
  if (!isZero(check, 0, check.length)) {
    throw new StorageFailure(
      'DiskFailed',
      `'${path}' does not keep what is written to it. Check the disk.`,
      path,
      from,
    );
  }
}

/** What the two-slot file promises must be there. */
function assertComplete(manifest: Manifest | null, replay: Replay, segment: number): void {
  const { sequence, hardState } = replay;
  if (sequence === null || hardState === null) throw lostLog();
  if (manifest === null) return;
  const newer = sequence > manifest.sequence;
  const lost = sequence < manifest.sequence || (newer && hardState.term < manifest.hardState.term);
  if (!lost && segment >= manifest.lastSegment) return;
  const path = segmentPath(segment);
  throw new StorageFailure(
    'CorruptLog',
    `'${path}' ends at batch ${sequence} in term ${hardState.term}, but batch ${manifest.sequence} in term ${manifest.hardState.term} was durable: the log lost its end. ${WHAT_TO_DO}`,
    path,
  );
}

function lostLog(): StorageFailure {
  return new StorageFailure(
    'CorruptState',
    `The log in '${LOG_DIRECTORY}' holds no intact batch, so term and vote are lost. ${WHAT_TO_DO}`,
    LOG_DIRECTORY,
  );
}

function damaged(scan: SegmentScan, last: boolean, replay: Replay | null): StorageFailure {
  const { segment } = scan;
  const path = segmentPath(segment);
  const { offset, verdict, reason } = scan.damage ?? { offset: scan.end, verdict: 'corrupt', reason: '' };
  const why = last ? reason : `'${segmentPath(segment + 1)}' behind it proves that it was durable`;
  const index = replay?.index ?? null;
  const intact = index === null ? '' : ` The log is intact up to index ${index.lastIndex}.`;
  const repair =
    verdict === 'sealed'
      ? ` If you are certain that no other server counted on that batch, 'quorate wal repair --drop-tail' drops it.`
      : '';
  return new StorageFailure(
    'CorruptLog',
    `'${path}' is damaged at offset ${offset}: ${why}.${intact} ${WHAT_TO_DO}${repair}`,
    path,
    offset,
  );
}

export function badHeader(segment: number, problem: HeaderProblem): StorageFailure {
  const path = segmentPath(segment);
  switch (problem) {
    case 'magic':
      return new StorageFailure(
        'ForeignDirectory',
        `'${path}' is not a log segment of Quorate. ${WHAT_TO_DO}`,
        path,
        0,
      );
    case 'version':
      return new StorageFailure(
        'UnsupportedVersion',
        `'${path}' was written in a format that this version does not know. Start the version that wrote it.`,
        path,
        0,
      );
    default:
      return new StorageFailure('CorruptLog', `'${path}' has a damaged header. ${WHAT_TO_DO}`, path, 0);
  }
}
