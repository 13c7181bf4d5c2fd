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
  identitySeed,
  LOG_DIRECTORY,
  payloadIntact,
  RECORD_HEADER_BYTES,
  type RecordHeader,
  RecordKind,
  recordBytes,
  SEGMENT_HEADER_BYTES,
  SEGMENT_VERSION,
  segmentPath,
} from './format.ts';
import { type Manifest, manifestOperations, readHardStateFile } from './hard-state-file.ts';
import { LogWalk, presentSegments, recoverLog, type SegmentScan, unsealedOf, zeroOut } from './recovery.ts';
import { Replay } from './replay.ts';
import type { ScannedBatch } from './segment-scan.ts';
import { decodeSeal, outlineAfter } from './seal.ts';
import type { Damage } from './segment-end.ts';
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
  const kept = new KeptBatches();
  const scans: SegmentScan[] = [];
  for (const segment of segments) scans.push(yield* walk.next(segment, (batch) => kept.take(batch), kept.replay));
  const broken = kept.untold ?? brokenEnd(scans);
  if (broken === null) return null;
  const { identity } = walk;
  if (identity === null) throw nothingLeft();
  const { segment } = broken;
  // Nothing behind a place that cannot be told is kept, however far it reaches.
  const dirtyEnd = scans.find((scan) => scan.segment === segment)?.size ?? 0;
  const damage = kept.untold === null ? broken.damage : { ...broken.damage, dirtyEnd };
  const seed = identitySeed(identity);
  const remains = new Remains();
  for (const scan of scans.filter((each) => each.segment >= segment)) {
    const from = scan.segment === segment ? damage.batch : 0;
    yield* surveyFrom(disk, scan.segment, from, scan.size, seed, remains);
  }
  return conclude({ broken: { ...broken, damage }, identity, replay: kept.replay, manifest, remains, segments });
}

/** Where a log can no longer be followed. */
interface BrokenPlace {
  readonly segment: number;
  readonly damage: Damage;
  /** Batches before it in the same segment. */
  readonly keptBatches: number;
}

/** Batches up to the first of which it cannot be told what is lost before it. */
class KeptBatches {
  readonly replay = new Replay(0);
  untold: BrokenPlace | null = null;
  #last: { segment: number; end: number; count: number } = { segment: 0, end: SEGMENT_HEADER_BYTES, count: 0 };

  take(batch: ScannedBatch): void {
    if (this.untold === null && this.replay.canTell(batch)) this.#keep(batch);
    else this.untold ??= this.#brokenAt(batch);
  }

  #keep(batch: ScannedBatch): void {
    this.replay.apply(batch);
    const { segment, end } = batch;
    this.#last = { segment, end, count: segment === this.#last.segment ? this.#last.count + 1 : 1 };
  }

  #brokenAt({ gaps, segment, offset, end }: ScannedBatch): BrokenPlace {
    const gap = gaps[0] ?? { segment, from: offset };
    const isBehind = this.#last.segment === gap.segment;
    const damage: Damage = {
      offset: gap.from,
      batch: isBehind ? this.#last.end : SEGMENT_HEADER_BYTES,
      verdict: 'corrupt',
      reason: 'which entries are lost there cannot be told',
      dirtyEnd: end,
    };
    return { segment: gap.segment, damage, keptBatches: isBehind ? this.#last.count : 0 };
  }
}

/** What opening stops at: an end that is neither sealed nor cut off by a crash. */
function brokenEnd(scans: readonly SegmentScan[]): BrokenPlace | null {
  const last = scans.at(-1);
  if (last === undefined) return null;
  const unsealed = unsealedOf(scans.slice(0, -1), last);
  if (unsealed === undefined && (last.damage === null || last.damage.verdict === 'torn')) return null;
  const { segment, end, batches, damage } = unsealed ?? last;
  const lost: Damage = { offset: end, batch: end, verdict: 'corrupt', reason: LOST_END, dirtyEnd: end };
  return { segment, damage: damage ?? lost, keptBatches: batches };
}

const LOST_END = 'the segment behind it proves that something stood there';

/** What can be made out in the part of a log that is to be dropped. */
class Remains {
  entries = 0;
  indexes: [Index, Index] | null = null;
  terms: [Term, Term] | null = null;
  /** The highest that the header of a seal names, also of one that cannot be read. */
  sealedTerm: Term = 0;
  /** Of the newest seal that is intact in itself. */
  seal: { sequence: number; hardState: HardState } | null = null;

  add(header: RecordHeader): void {
    if (header.kind === RecordKind.seal) this.sealedTerm = Math.max(this.sealedTerm, header.term);
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
    const seal = decodeSeal(header, bytes, RECORD_HEADER_BYTES);
    if (seal !== null && seal.sequence >= (remains.seal?.sequence ?? 0)) remains.seal = seal;
  }
}

interface Gathered {
  readonly broken: BrokenPlace;
  readonly identity: StorageIdentity;
  readonly replay: Replay;
  readonly manifest: Manifest | null;
  readonly remains: Remains;
  readonly segments: readonly number[];
}

function conclude(gathered: Gathered): Findings {
  const { broken, identity, replay, manifest, remains, segments } = gathered;
  const { segment, damage, keptBatches } = broken;
  const { index, sequence, hardState } = replay;
  if (index === null || sequence === null || hardState === null) throw nothingLeft();
  const dropped = segments.filter((each) => each > segment || (each === segment && keptBatches === 0));
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
  return { plan: { ...facts, text }, damage, identity, keptBatches, sequence, firstSegment };
}

/** The newest that can be read. Unless it is the last that was written, a vote may be missing in it: then it is one for nobody. */
function safeHardState(gathered: Gathered, kept: { sequence: number; hardState: HardState }): HardState {
  const { manifest, remains } = gathered;
  let newest = kept;
  for (const each of [manifest, remains.seal]) if (each !== null && each.sequence > newest.sequence) newest = each;
  const term = Math.max(newest.hardState.term, remains.terms?.[1] ?? 0, remains.sealedTerm);
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
  const { index } = replay;
  const change = { snapshot: null, rewritten: [], parts: [], hardState, lastIndex: index?.lastIndex ?? 0 };
  const outline = active.version < SEGMENT_VERSION || index === null ? null : outlineAfter(change, index);
  const { bytes } = encodeBatch(change, { ...active, sequence, seed, outline }, null);
  const path = segmentPath(active.segment);
  yield* submit(disk, [
    { op: 'write', path, offset: active.offset, bytes },
    { op: 'sync', path },
    ...manifestOperations({ ...manifest, generation: manifest.generation + 2, sequence }),
  ]);
}
