/**
 * Dropping a damaged end of a log, on the word of a person. Only they can know whether other servers counted on what is dropped: this
 * says exactly what that is, and then does no more and no less.
 */
import type { HardState, Index, Term } from '@quorate/raft';
import type { Disk } from '../environment.ts';
import { noCandidate } from '../node-options.ts';
import { StorageFailure } from '../storage-failure.ts';
import type { StorageError, StorageIdentity } from '../storage.ts';
import { read, runSteps, type Steps, submit } from '../steps.ts';
import { encodeBatch } from './batch.ts';
import {
  decodeSeal,
  identitySeed,
  LOG_DIRECTORY,
  payloadIntact,
  RECORD_HEADER_BYTES,
  type RecordHeader,
  RecordKind,
  recordBytes,
  segmentPath,
} from './format.ts';
import { type Manifest, manifestOperations, readHardStateFile } from './hard-state-file.ts';
import { LogWalk, presentSegments, recoverLog, type SegmentScan, zeroOut } from './recovery.ts';
import { Replay } from './replay.ts';
import type { Damage } from './segment-scan.ts';
import { survey } from './survey.ts';

/** What dropping the damaged end of a log comes to. */
export interface WalRepairPlan {
  /** The first damaged place. */
  readonly segment: number;
  readonly path: string;
  readonly offset: number;
  readonly verdict: Damage['verdict'];
  readonly reason: string;
  /** The last index of the log afterwards. */
  readonly keepsThrough: Index;
  /** Entries that can still be made out in what is dropped; there may have been more. */
  readonly droppedEntries: number;
  /** Their lowest and highest index and term; null when none can be made out. */
  readonly droppedIndexes: readonly [Index, Index] | null;
  readonly droppedTerms: readonly [Term, Term] | null;
  /** Whole files that are removed, because they come behind the damage. */
  readonly droppedSegments: readonly string[];
  /**
   * Term and vote afterwards: as the newest readable seal says. Where it can be that a later vote was lost, the vote is one for
   * nobody (`-`), so that this server gives no second one in that term.
   */
  readonly hardState: HardState;
  /** The plan in sentences, to be shown before anybody agrees to it. */
  readonly text: string;
}

/** Says what `repairWalDropTail` would do; null if the log is sound or only torn, as opening mends by itself. Claims the directory. */
export function planWalRepair(
  disk: Disk,
  done: (error: StorageError | null, plan: WalRepairPlan | null) => void,
): void {
  runSteps(plan(disk), (error, found) => done(error, found?.plan ?? null));
}

/** Carries out a plan. Looks again first, and fails if the log is not as it was when the plan was made. */
export function repairWalDropTail(disk: Disk, agreed: WalRepairPlan, done: (error: StorageError | null) => void): void {
  runSteps(repair(disk, agreed), (error) => done(error));
}

interface Findings {
  readonly plan: WalRepairPlan;
  readonly damage: Damage;
  readonly identity: StorageIdentity;
  /** Intact before the damage, within the same segment; 0 means that the segment goes as well. */
  readonly keptBatches: number;
  readonly sequence: number;
  readonly firstSegment: number;
}

function* plan(disk: Disk): Steps<Findings | null> {
  yield (resume) => disk.hold(resume);
  const file = yield* readHardStateFile(disk.background);
  const manifest = file?.manifest ?? null;
  const segments = yield* presentSegments(disk, manifest, false);
  const walk = new LogWalk(disk, manifest?.identity ?? null);
  const replay = new Replay(0);
  for (const segment of segments) {
    const scan = yield* walk.next(segment, (batch) => replay.apply(batch), replay);
    const { damage } = scan;
    if (damage === null) continue;
    const last = segment === segments.at(-1);
    if (last && damage.verdict === 'torn') return null;
    const { identity } = walk;
    if (identity === null) throw nothingLeft();
    const seed = identitySeed(identity);
    const remains = new Remains();
    yield* surveyFrom(disk, segment, damage.offset, scan.size, seed, remains);
    for (const later of segments.filter((each) => each > segment)) {
      const size = (yield (resume) => disk.background.size(segmentPath(later), resume)) as number;
      yield* surveyFrom(disk, later, 0, size, seed, remains);
    }
    return conclude({ segment, scan, damage, identity, replay, manifest, remains, segments });
  }
  return null;
}

/** What can be made out in the part of a log that is to be dropped. */
class Remains {
  entries = 0;
  indexes: [Index, Index] | null = null;
  terms: [Term, Term] | null = null;
  /** Of the newest seal that is intact in itself. */
  seal: { sequence: number; hardState: HardState } | null = null;

  add(header: RecordHeader): void {
    if (header.kind !== RecordKind.entry) return;
    this.entries += 1;
    this.indexes = widened(this.indexes, header.index);
    this.terms = widened(this.terms, header.term);
  }
}

function widened(range: [number, number] | null, value: number): [number, number] {
  return range === null ? [value, value] : [Math.min(range[0], value), Math.max(range[1], value)];
}

function* surveyFrom(
  disk: Disk,
  segment: number,
  from: number,
  size: number,
  seed: number,
  remains: Remains,
): Steps<void> {
  const seals: RecordHeader[] = [];
  yield* survey(disk.background, { segment, from, size, seed }, (header) => {
    remains.add(header);
    if (header.kind === RecordKind.seal) seals.push(header);
  });
  for (const header of seals) {
    const bytes = yield* read(disk.background, segmentPath(segment), header.offset, recordBytes(header.length));
    if (bytes.length < recordBytes(header.length) || !payloadIntact(bytes, 0, header)) continue;
    const payload = bytes.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + header.length);
    const seal = decodeSeal(header, payload);
    if (seal !== null && seal.sequence >= (remains.seal?.sequence ?? 0)) remains.seal = seal;
  }
}

interface Gathered {
  readonly segment: number;
  readonly scan: SegmentScan;
  readonly damage: Damage;
  readonly identity: StorageIdentity;
  readonly replay: Replay;
  readonly manifest: Manifest | null;
  readonly remains: Remains;
  readonly segments: readonly number[];
}

function conclude(gathered: Gathered): Findings {
  const { segment, scan, damage, identity, replay, manifest, remains, segments } = gathered;
  const { index, sequence, hardState } = replay;
  if (index === null || sequence === null || hardState === null) throw nothingLeft();
  const dropped = segments.filter((each) => each > segment || (each === segment && scan.batches === 0));
  const facts = {
    segment,
    path: segmentPath(segment),
    offset: damage.offset,
    verdict: damage.verdict,
    reason: damage.reason,
    keepsThrough: index.lastIndex,
    droppedEntries: remains.entries,
    droppedIndexes: remains.indexes,
    droppedTerms: remains.terms,
    droppedSegments: dropped.map(segmentPath),
    hardState: safeHardState(gathered, { sequence, hardState }),
  };
  const text = describe(facts);
  const firstSegment = manifest?.firstSegment ?? segments[0] ?? segment;
  return { plan: { ...facts, text }, damage, identity, keptBatches: scan.batches, sequence, firstSegment };
}

/** The newest that can be read. Unless it is the last that was written, a vote may be missing in it: then it is one for nobody. */
function safeHardState(gathered: Gathered, kept: { sequence: number; hardState: HardState }): HardState {
  const { manifest, remains, damage } = gathered;
  let newest = kept;
  for (const each of [manifest, remains.seal]) if (each !== null && each.sequence > newest.sequence) newest = each;
  if (damage.verdict === 'sealed' && remains.seal !== null) return remains.seal.hardState;
  const term = Math.max(newest.hardState.term, remains.terms?.[1] ?? 0);
  const vote = term === newest.hardState.term ? newest.hardState.vote : null;
  return { term, vote: vote ?? noCandidate };
}

function describe(facts: Omit<WalRepairPlan, 'text'>): string {
  const { droppedIndexes: indexes, droppedTerms: terms, hardState } = facts;
  const entries =
    indexes === null || terms === null
      ? 'No entry can be made out in it.'
      : `It holds at least ${facts.droppedEntries} entries, index ${indexes[0]} to ${indexes[1]}, term ${terms[0]} to ${terms[1]}.`;
  const files = facts.droppedSegments.length === 0 ? '' : ` These files go whole: ${facts.droppedSegments.join(', ')}.`;
  return [
    `'${facts.path}' is damaged at offset ${facts.offset}: ${facts.reason}.`,
    `The log is kept through index ${facts.keepsThrough}; everything behind it is dropped. ${entries}${files}`,
    `Term and vote afterwards: ${hardState.term}, ${hardState.vote ?? 'none'}.`,
    'If this server has acknowledged any of it, dropping it can lose writes that clients were told are safe.',
    'Removing the member from the cluster and adding it anew with an empty directory never can.',
  ].join('\n');
}

function nothingLeft(): StorageFailure {
  return new StorageFailure(
    'CorruptState',
    'Nothing would be left of the log: its first batch is damaged, and with it term and vote are lost. Remove the member from the cluster and add it anew with an empty directory.',
    LOG_DIRECTORY,
  );
}

function* repair(disk: Disk, agreed: WalRepairPlan): Steps<void> {
  const found = yield* plan(disk);
  if (found === null || found.plan.text !== agreed.text) {
    throw new StorageFailure(
      'CorruptLog',
      'The log has changed since the plan was made, so nothing was done. Make a new plan.',
    );
  }
  const { damage, identity, sequence, firstSegment } = found;
  const lastSegment = found.keptBatches === 0 ? agreed.segment - 1 : agreed.segment;
  const manifest: Manifest = {
    identity,
    generation: (yield* nextGeneration(disk)) + 1,
    sequence,
    hardState: agreed.hardState,
    firstSegment,
    lastSegment,
  };
  // First the two-slot file: it holds the term and vote until the log does, and after a crash the rest is still there to be dropped.
  yield* submit(disk, manifestOperations(manifest));
  for (const path of agreed.droppedSegments.toReversed()) {
    yield* submit(disk, [
      { op: 'remove', path },
      { op: 'syncDirectory', path: LOG_DIRECTORY },
    ]);
  }
  if (lastSegment === agreed.segment) yield* zeroOut(disk, agreed.segment, damage.batch, damage.dirtyEnd);
  yield* sealAnew(disk, manifest);
}

function* nextGeneration(disk: Disk): Steps<number> {
  const file = yield* readHardStateFile(disk.background);
  return (file?.manifest.generation ?? 0) + 1;
}

/** A batch of its own for term and vote, so that they stand in the log, too. */
function* sealAnew(disk: Disk, manifest: Manifest): Steps<void> {
  const { active, replay } = yield* recoverLog(disk, manifest, 0);
  const sequence = manifest.sequence + 1;
  const seed = identitySeed(manifest.identity);
  const { hardState } = manifest;
  const change = { snapshot: null, parts: [], hardState, lastIndex: replay.index?.lastIndex ?? 0 };
  const { bytes } = encodeBatch(change, { ...active, sequence, seed }, null);
  const path = segmentPath(active.segment);
  yield* submit(disk, [
    { op: 'write', path, offset: active.offset, bytes },
    { op: 'sync', path },
    ...manifestOperations({ ...manifest, generation: manifest.generation + 2, sequence }),
  ]);
}
