/** The state that the batches of a log add up to, computed in the order in which they were written. */
import type { Configuration, Entry, HardState } from '@quorate/raft';
import { decodeConfiguration, EntryKind } from '@quorate/raft';
import { StorageFailure } from '../storage-failure.ts';
import { entryOf, RecordKind, recordBytes, type SegmentHeader, segmentPath } from './format.ts';
import { LogIndex } from './log-index.ts';
import type { FaultyPlace } from './faulty-places.ts';
import { type ScannedBatch, type ScannedRecord, WHAT_TO_DO } from './segment-scan.ts';

export class Replay {
  /** Null before the first segment. */
  index: LogIndex | null = null;
  hardState: HardState | null = null;
  /** The sequence of the last batch; null before the first. */
  sequence: number | null = null;
  /** The snapshot that the log names as its beginning, if one was installed. */
  installed: { readonly index: number; readonly term: number } | null = null;
  configurations: Configuration[] = [];
  /** Entries whose data is damaged, ascending. */
  faulty: FaultyPlace[] = [];
  readonly #maxTailBytes: number;
  #tail: Entry[] = [];
  #tailBytes = 0;

  constructor(maxTailBytes: number) {
    this.#maxTailBytes = maxTailBytes;
  }

  /** The newest entries, as many as fit. Until they are taken they share the buffers of the scan. */
  takeTail(): readonly Entry[] {
    this.#trimTail();
    return this.#tail.map((entry) => ({ ...entry, data: entry.data.slice() }));
  }

  beginSegment(header: SegmentHeader): void {
    if (this.index === null) {
      this.index = new LogIndex({ index: header.firstIndex - 1, term: header.baseTerm });
    }
  }

  apply(batch: ScannedBatch): LogIndex {
    const index = this.index;
    if (index === null) throw new Error('A batch was replayed before its segment.');
    if (this.sequence !== null && batch.seal.sequence !== this.sequence + 1) {
      throw impossible(batch, batch.offset, `batch ${batch.seal.sequence} follows batch ${this.sequence}`);
    }
    for (const record of batch.records) this.#applyRecord(batch, index, record);
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

  #applyRecord(batch: ScannedBatch, index: LogIndex, record: ScannedRecord): void {
    const { header } = record;
    switch (header.kind) {
      case RecordKind.entry:
        if (header.index !== index.lastIndex + 1) {
          throw impossible(batch, header.offset, `entry ${header.index} follows entry ${index.lastIndex}`);
        }
        index.append(header.index, header.term, batch.segment, header.offset, recordBytes(header.length));
        this.#keep(batch, record);
        break;
      case RecordKind.truncate:
        index.truncate(header.index, header.term);
        this.#forgetFrom(header.index);
        break;
      case RecordKind.snapshot:
        index.reset({ index: header.index, term: header.term });
        this.installed = { index: header.index, term: header.term };
        this.configurations = [];
        this.#forgetFrom(0);
        break;
      default:
        break;
    }
  }

  #keep(batch: ScannedBatch, record: ScannedRecord): void {
    if (record.payload === null) {
      this.faulty.push({ segment: batch.segment, header: record.header });
      // The tail reaches up to the last entry without a gap.
      this.#tail = [];
      this.#tailBytes = 0;
      return;
    }
    const entry = entryOf(record.header, record.payload);
    if (entry === null) throw impossible(batch, record.header.offset, 'it holds an entry of unknown kind');
    if (entry.kind === EntryKind.configuration) {
      const configuration = decodeConfiguration(entry.data, entry.index);
      if (configuration === null) {
        throw impossible(batch, record.header.offset, `entry ${entry.index} holds no readable configuration`);
      }
      this.configurations.push(configuration);
    }
    this.#tail.push(entry);
    this.#tailBytes += entry.data.length;
    if (this.#tailBytes > 2 * this.#maxTailBytes || this.#tail.length > 2 * MAX_TAIL_ENTRIES) this.#trimTail();
  }

  /** Cuts the tail to its limits. Done now and then, so that the cost for each entry stays constant. */
  #trimTail(): void {
    let drop = 0;
    for (const entry of this.#tail) {
      if (this.#tailBytes <= this.#maxTailBytes && this.#tail.length - drop <= MAX_TAIL_ENTRIES) break;
      this.#tailBytes -= entry.data.length;
      drop += 1;
    }
    this.#tail = this.#tail.slice(drop);
  }

  #forgetFrom(from: number): void {
    this.configurations = this.configurations.filter((configuration) => configuration.index < from);
    this.faulty = this.faulty.filter(({ header }) => header.index < from);
    while ((this.#tail.at(-1)?.index ?? -1) >= from) this.#tailBytes -= this.#tail.pop()?.data.length ?? 0;
  }
}

/** Entries of any size that a tail holds at most: small ones weigh more in memory than their bytes. */
const MAX_TAIL_ENTRIES = 100_000;

/** Checksums agree and yet the content cannot be: a fault in the software that wrote it, or tampering. */
function impossible(batch: ScannedBatch, offset: number, what: string): StorageFailure {
  const path = segmentPath(batch.segment);
  return new StorageFailure(
    'CorruptLog',
    `'${path}' contradicts itself at offset ${offset}: ${what}. ${WHAT_TO_DO}`,
    path,
    offset,
  );
}
