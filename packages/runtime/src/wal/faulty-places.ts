/**
 * Entries of the log whose data is damaged on disk, and how they are made whole: the very bytes that stood there are written back,
 * which the intact header of the record proves. A write that a crash tears is damage again, and found again.
 */
import type { Entry, EntryKind, FaultyEntry, Index } from '@quorate/raft';
import { crc32c } from '../crc32c.ts';
import type { DiskOperation } from '../environment.ts';
import { StorageFailure } from '../storage-failure.ts';
import { RECORD_HEADER_BYTES, type RecordHeader, recordBytes, segmentPath } from './format.ts';

/** A record whose header stands and whose payload does not. */
export interface FaultyPlace {
  readonly segment: number;
  readonly header: RecordHeader;
}

export class FaultyPlaces {
  readonly #places = new Map<Index, FaultyPlace>();

  constructor(found: readonly FaultyPlace[]) {
    for (const place of found) this.add(place);
  }

  add(place: FaultyPlace): void {
    this.#places.set(place.header.index, place);
  }

  has(index: Index): boolean {
    return this.#places.has(index);
  }

  /** What the core is told, ascending. */
  entries(): readonly FaultyEntry[] {
    const headers = [...this.#places.values()].map(({ header }) => header).toSorted((a, b) => a.index - b.index);
    return headers.map(({ index, term, entryKind }) => ({ index, term, kind: entryKind as EntryKind }));
  }

  /** The log was cut at `from`: other entries may come in their place. */
  cut(from: Index): void {
    for (const index of this.#places.keys()) if (index >= from) this.#places.delete(index);
  }

  /** Segments before `segment` are gone. */
  dropSegmentsBefore(segment: number): void {
    for (const [index, place] of this.#places) if (place.segment < segment) this.#places.delete(index);
  }

  /**
   * The writes that put the true content back, each segment synced. Entries that are no longer in the log need none.
   *
   * @throws StorageFailure if an entry is not the one that stood there: equal index and term mean equal content.
   */
  repair(entries: readonly Entry[]): readonly DiskOperation[] {
    const writes: DiskOperation[] = [];
    const segments = new Set<string>();
    for (const entry of entries) {
      const place = this.#places.get(entry.index);
      if (place === undefined || place.header.term !== entry.term) continue;
      const path = segmentPath(place.segment);
      writes.push({
        op: 'write',
        path,
        offset: place.header.offset + RECORD_HEADER_BYTES,
        bytes: payloadOf(entry, place),
      });
      segments.add(path);
    }
    return [...writes, ...[...segments].map((path) => ({ op: 'sync', path }) as const)];
  }

  repaired(entries: readonly Entry[]): void {
    for (const { index } of entries) this.#places.delete(index);
  }
}

/** The entry's data, filled up as in the log. */
function payloadOf({ index, kind, data }: Entry, { segment, header }: FaultyPlace): Uint8Array {
  const bytes = new Uint8Array(recordBytes(header.length) - RECORD_HEADER_BYTES);
  const fits = data.length === header.length && kind === header.entryKind;
  if (fits) bytes.set(data);
  if (fits && crc32c(bytes) === header.dataChecksum) return bytes;
  const path = segmentPath(segment);
  throw new StorageFailure(
    'CorruptLog',
    `Entry ${index}, which is damaged in '${path}' at offset ${header.offset}, is another one on the server that sent it. Equal index and term must mean equal entries: stop the cluster's servers and report this.`,
    path,
    header.offset,
    index,
  );
}
