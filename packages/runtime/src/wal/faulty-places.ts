/**
 * Entries of the log that are damaged on disk, and how they are made whole. Where the record's header stands, the very bytes that stood
 * behind it are written back, which the header proves; a write that a crash tears is damage again, and found again. Where the header is
 * lost as well, nobody knows what stood there: the entry is written once more with the next batch.
 */
import type { Entry, EntryKind, FaultyEntry, Index, Term } from '@quorate/raft';
import { crc32c } from '../crc32c.ts';
import type { DiskOperation } from '../environment.ts';
import { StorageFailure } from '../storage-failure.ts';
import { RECORD_HEADER_BYTES, type RecordHeader, recordBytes, segmentPath } from './format.ts';

export interface FaultyPlace {
  readonly index: Index;
  readonly term: Term;
  /** Where it stood, or where the damage begins. */
  readonly segment: number;
  readonly offset: number;
  /** The record's header; null if it is lost as well. */
  readonly header: RecordHeader | null;
}

/** The place of an entry whose header stands. */
export function placeOf(header: RecordHeader): FaultyPlace {
  const { index, term, segment, offset } = header;
  return { index, term, segment, offset, header };
}

export class FaultyPlaces {
  /** Ascending by index. */
  #places: FaultyPlace[];

  /** `found` is ascending. */
  constructor(found: readonly FaultyPlace[]) {
    this.#places = [...found];
  }

  get all(): readonly FaultyPlace[] {
    return this.#places;
  }

  add(place: FaultyPlace): void {
    const at = this.#position(place.index);
    this.#places.splice(at, this.#places[at]?.index === place.index ? 1 : 0, place);
  }

  /** The first damaged entry at or behind `index`. */
  firstFrom(index: Index): FaultyPlace | null {
    return this.#places[this.#position(index)] ?? null;
  }

  /** What the core is told of those behind `base`, ascending. */
  entriesBehind(base: Index): readonly FaultyEntry[] {
    return this.#places.slice(this.#position(base + 1)).map(({ index, term, header }) => {
      return { index, term, kind: header === null ? null : (header.entryKind as EntryKind) };
    });
  }

  /** The log was cut at `from`: other entries may come in their place. */
  cut(from: Index): void {
    this.#places.length = this.#position(from);
  }

  /** The log forgot everything up to `base`. */
  forgetThrough(base: Index): void {
    this.#places = this.#places.slice(this.#position(base + 1));
  }

  /**
   * The writes that put the true content back, each segment synced. Entries that are no longer in the log need none, and those whose
   * header is lost are written elsewhere.
   *
   * @throws StorageFailure if an entry is not the one that stood there: equal index and term mean equal content.
   */
  repair(entries: readonly Entry[]): readonly DiskOperation[] {
    const writes: DiskOperation[] = [];
    const segments = new Set<string>();
    for (const entry of entries) {
      const header = this.#placeOf(entry)?.header ?? null;
      if (header === null) continue;
      const path = segmentPath(header.segment);
      const offset = header.offset + RECORD_HEADER_BYTES;
      writes.push({ op: 'write', path, offset, bytes: payloadOf(entry, header) });
      segments.add(path);
    }
    return [...writes, ...[...segments].map((path) => ({ op: 'sync', path }) as const)];
  }

  /** Those of the entries that have to be written once more. */
  lost(entries: readonly Entry[]): readonly Entry[] {
    return entries.filter((entry) => this.#placeOf(entry)?.header === null);
  }

  repaired(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const whole = new Set(entries.map(({ index }) => index));
    this.#places = this.#places.filter(({ index }) => !whole.has(index));
  }

  #placeOf(entry: Entry): FaultyPlace | null {
    const place = this.firstFrom(entry.index);
    return place?.index === entry.index && place.term === entry.term ? place : null;
  }

  /** Where the first at or behind `index` stands. */
  #position(index: Index): number {
    let [low, high] = [0, this.#places.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#places[middle]!.index < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The entry's data, filled up as in the log. */
function payloadOf({ index, kind, data }: Entry, header: RecordHeader): Uint8Array {
  const bytes = new Uint8Array(recordBytes(header.length) - RECORD_HEADER_BYTES);
  const fits = data.length === header.length && kind === header.entryKind;
  if (fits) bytes.set(data);
  if (fits && crc32c(bytes) === header.dataChecksum) return bytes;
  const path = segmentPath(header.segment);
  throw new StorageFailure(
    'CorruptLog',
    `Entry ${index}, which is damaged in '${path}' at offset ${header.offset}, is another one on the server that sent it. Equal index and term must mean equal entries: stop the cluster's servers and report this.`,
    path,
    header.offset,
    index,
  );
}
