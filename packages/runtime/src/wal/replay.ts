/** The state that the batches of a log add up to, computed in the order in which they were written. */
import type { Configuration, Entry, HardState, Index, LogPosition } from '@quorate/raft';
import { decodeConfiguration, EntryKind } from '@quorate/raft';
import { StorageFailure } from '../storage-failure.ts';
import { type FaultyPlace, FaultyPlaces, placeOf } from './faulty-places.ts';
import { entryOf, type RecordHeader, RecordKind, recordBytes, type SegmentHeader, segmentPath } from './format.ts';
import { LogIndex } from './log-index.ts';
import { type Reconciled, reconcile } from './reconcile.ts';
import { RecentEntries } from './recent-entries.ts';
import { type ScannedBatch, type ScannedRecord, WHAT_TO_DO } from './segment-scan.ts';

export class Replay {
  /** Null before the first segment. */
  index: LogIndex | null = null;
  hardState: HardState | null = null;
  /** The sequence of the last batch; null before the first. */
  sequence: number | null = null;
  /** The snapshot that the log names as its beginning, if one was installed. */
  installed: LogPosition | null = null;
  /** The log may begin before what is left of it: then only what is behind the snapshot matters. */
  isBaseUncertain = false;
  configurations: Configuration[] = [];
  readonly #faulty = new FaultyPlaces([]);
  readonly #tail: RecentEntries;
  /** Nothing is known of the log yet, not even where it begins. */
  #isBlank = false;

  constructor(maxTailBytes: number) {
    this.#tail = new RecentEntries(maxTailBytes);
  }

  /** Damaged entries, ascending. */
  get faulty(): readonly FaultyPlace[] {
    return this.#faulty.all;
  }

  /** The newest entries, as many as fit. Until they are taken they share the buffers of the scan. */
  takeTail(): readonly Entry[] {
    return this.#tail.take();
  }

  /** `header` is null where it is lost. */
  beginSegment(header: SegmentHeader | null): void {
    if (this.index !== null) return;
    this.#isBlank = header === null;
    this.index = new LogIndex({ index: (header?.firstIndex ?? 1) - 1, term: header?.baseTerm ?? 0 });
  }

  /** Whether it can be told what the log holds behind a batch; `apply` fails where it cannot. */
  canTell(batch: ScannedBatch): boolean {
    return batch.gaps.length === 0 || reconcile(batch, this.#isBlank ? null : this.index) !== null;
  }

  apply(batch: ScannedBatch): LogIndex {
    const index = this.index;
    if (index === null) throw new Error('A batch was replayed before its segment.');
    const isWhole = batch.gaps.length === 0;
    if (
      this.sequence !== null &&
      (isWhole ? batch.seal.sequence !== this.sequence + 1 : batch.seal.sequence <= this.sequence)
    ) {
      throw impossible(batch, batch.offset, `batch ${batch.seal.sequence} follows batch ${this.sequence}`);
    }
    if (isWhole) for (const record of batch.records) this.#applyRecord(batch, index, record);
    else this.#applyStretch(batch, index);
    if (index.lastIndex !== batch.lastIndex) {
      throw impossible(
        batch,
        batch.offset,
        `its seal says that the log ends at ${batch.lastIndex}, not ${index.lastIndex}`,
      );
    }
    if (this.hardState !== null && batch.seal.hardState.term < this.hardState.term) {
      throw impossible(
        batch,
        batch.offset,
        `its term ${batch.seal.hardState.term} is below ${this.hardState.term} before it`,
      );
    }
    this.hardState = batch.seal.hardState;
    this.sequence = batch.seal.sequence;
    return index;
  }

  /** The log forgets everything up to `through`, for which a snapshot stands. */
  forgetThrough(through: Index): void {
    this.index?.forgetThrough(through);
    this.#faulty.forgetThrough(through);
    this.#tail.forgetThrough(through);
  }

  #applyRecord(batch: ScannedBatch, index: LogIndex, record: ScannedRecord): void {
    const { header } = record;
    switch (header.kind) {
      case RecordKind.entry:
        if (header.index !== index.lastIndex + 1) {
          throw impossible(batch, header.offset, `entry ${header.index} follows entry ${index.lastIndex}`);
        }
        index.append(header.index, header.term, header.segment, header.offset, recordBytes(header.length));
        this.#keep(record);
        break;
      case RecordKind.truncate:
        index.truncate(header.index, header.term);
        this.#forgetFrom(header.index);
        break;
      case RecordKind.snapshot:
        this.#reset(index, { index: header.index, term: header.term });
        break;
      case RecordKind.repair:
        this.#applyRepair(index, record);
        break;
      default:
        break;
    }
  }

  /** Something is missing: the log behind the stretch is what its seal says, and what is left of it comes from the records. */
  #applyStretch(batch: ScannedBatch, index: LogIndex): void {
    const found = reconcile(batch, this.#isBlank ? null : index);
    if (found === null) throw untold(batch);
    const { keepThrough, base } = found;
    if (base === null) {
      index.truncate(keepThrough + 1, index.termAt(keepThrough) ?? index.base.term);
      this.#forgetFrom(keepThrough + 1);
    } else {
      this.#reset(index, base);
      this.isBaseUncertain = true;
    }
    this.#appendFound(found, index, batch);
    for (const record of batch.records) if (record.header.kind === RecordKind.repair) this.#applyRepair(index, record);
  }

  #appendFound(found: Reconciled, index: LogIndex, batch: ScannedBatch): void {
    let before: RecordHeader | null = null;
    index.breakOff();
    for (let next = found.first; next <= batch.lastIndex; next++) {
      const term = found.termAt(next);
      const record = found.records.get(next);
      if (record === undefined) {
        const { segment, from } = gapBehind(batch, before);
        index.appendLost(next, term, segment);
        this.#mark({ index: next, term, segment, offset: from, header: null });
        continue;
      }
      const { header } = record;
      if (before === null || !isDirectlyBehind(before, header)) index.breakOff();
      index.append(next, term, header.segment, header.offset, recordBytes(header.length));
      this.#keep(record);
      before = header;
    }
    index.breakOff();
  }

  /** An entry was written once more. If the log has dropped it since, or its segment, that says nothing. */
  #applyRepair(index: LogIndex, { header, payload }: ScannedRecord): void {
    if (header.index <= index.base.index || index.termAt(header.index) !== header.term) return;
    index.relocate(header.index, header.segment, header.offset);
    if (payload === null) this.#faulty.add(placeOf(header));
    else {
      const entry = decoded(header, payload);
      this.#faulty.repaired([entry]);
      this.#noteConfiguration(entry, header);
    }
  }

  #reset(index: LogIndex, base: LogPosition): void {
    index.reset(base);
    this.installed = base;
    this.isBaseUncertain = false;
    this.#isBlank = false;
    this.#forgetFrom(0);
  }

  #keep({ header, payload }: ScannedRecord): void {
    if (payload === null) return this.#mark(placeOf(header));
    const entry = decoded(header, payload);
    this.#noteConfiguration(entry, header);
    this.#tail.push(entry);
  }

  #mark(place: FaultyPlace): void {
    this.#faulty.add(place);
    // The tail reaches up to the last entry without a gap.
    this.#tail.clear();
  }

  #noteConfiguration(entry: Entry, header: RecordHeader): void {
    if (entry.kind !== EntryKind.configuration) return;
    const configuration = decodeConfiguration(entry.data, entry.index);
    if (configuration === null) {
      throw impossible(header, header.offset, `entry ${entry.index} holds no readable configuration`);
    }
    const others = this.configurations.filter(({ index }) => index !== entry.index);
    this.configurations = [...others, configuration].sort((a, b) => a.index - b.index);
  }

  #forgetFrom(from: Index): void {
    this.configurations = this.configurations.filter((configuration) => configuration.index < from);
    this.#faulty.cut(from);
    this.#tail.cut(from);
  }
}

function decoded(header: RecordHeader, payload: Uint8Array): Entry {
  const entry = entryOf(header, payload);
  if (entry === null) throw impossible(header, header.offset, 'it holds an entry of unknown kind');
  return entry;
}

function isDirectlyBehind(before: RecordHeader, header: RecordHeader): boolean {
  return (
    before.segment === header.segment &&
    before.index + 1 === header.index &&
    before.batch === header.batch &&
    before.offset + recordBytes(before.length) === header.offset
  );
}

/** The first gap behind a record, or the first of all: at the earliest there stood what is missing. */
function gapBehind(
  batch: ScannedBatch,
  record: RecordHeader | null,
): { readonly segment: number; readonly from: number } {
  const behind = batch.gaps.find(
    ({ segment, from }) =>
      record === null || segment > record.segment || (segment === record.segment && from > record.offset),
  );
  return behind ?? batch.gaps.at(-1) ?? { segment: batch.segment, from: batch.offset };
}

/** Checksums agree and yet the content cannot be: a fault in the software that wrote it, or tampering. */
function impossible(at: { readonly segment: number }, offset: number, what: string): StorageFailure {
  const path = segmentPath(at.segment);
  return new StorageFailure(
    'CorruptLog',
    `'${path}' contradicts itself at offset ${offset}: ${what}. ${WHAT_TO_DO}`,
    path,
    offset,
  );
}

/** What is damaged spans more terms than a seal names, or no seal behind it says how the log looked. */
function untold({ gaps, seal, segment, offset }: ScannedBatch): StorageFailure {
  const gap = gaps[0] ?? { segment, from: offset };
  const path = segmentPath(gap.segment);
  const why =
    seal.outline === null
      ? 'it was written by an earlier version, which did not note what stood there'
      : 'more terms began there than the batches behind it name';
  return new StorageFailure(
    'CorruptLog',
    `'${path}' is damaged at offset ${gap.from}, and which entries are lost cannot be told: ${why}. ${WHAT_TO_DO}`,
    path,
    gap.from,
  );
}
