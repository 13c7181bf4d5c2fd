/** Reads entries back from the log. Everything read is verified again: what rotted since it was written must not reach a peer. */
import type { Entry, Index, Term } from '@quorate/raft';
import { viewOf } from '../bytes.ts';
import type { DiskQueue } from '../environment.ts';
import { StorageFailure } from '../storage-failure.ts';
import { read, type Steps } from '../steps.ts';
import {
  entryOf,
  MAX_BATCH_BYTES,
  payloadIntact,
  RECORD_HEADER_BYTES,
  RECORD_ALIGNMENT,
  type RecordHeader,
  RecordKind,
  readRecordHeader,
  recordBytes,
  segmentPath,
} from './format.ts';
import { type FaultyPlace, placeOf } from './faulty-places.ts';
import type { EntryPlace, LogIndex } from './log-index.ts';

/** Bytes read at once; a larger entry is read whole. */
const READ_BYTES = 256 << 10;

export interface ReadRequest {
  readonly from: Index;
  readonly to: Index;
  readonly maxBytes: number;
}

/** The entries of a request, at least one, up to the first that is damaged. `log` is looked at again for every extent: it may change while the disk works. */
export function* readEntries(
  disk: DiskQueue,
  log: LogIndex,
  seed: number,
  request: ReadRequest,
  onFaulty: (place: FaultyPlace) => void,
): Steps<readonly Entry[]> {
  const entries: Entry[] = [];
  let bytes = 0;
  for (let next = request.from; next <= request.to; ) {
    const place = log.locate(next);
    if (place === null) break;
    const last = Math.min(place.last, request.to);
    const walk = new EntryWalk(disk, place, seed);
    for (; next <= last; next++) {
      const term = log.termAt(next);
      const entry = walk.loadedEntry(next, term) ?? (yield* walk.entry(next, term));
      if ('header' in entry) {
        onFaulty(entry);
        if (entries.length > 0) return entries;
        throw faulty(entry);
      }
      if (entries.length > 0 && bytes + entry.data.length > request.maxBytes) return entries;
      entries.push(entry);
      bytes += entry.data.length;
    }
  }
  if (entries.length === 0) throw compacted(request.from, log.base.index);
  return entries;
}

export function faulty({ index, segment, offset }: FaultyPlace): StorageFailure {
  const path = segmentPath(segment);
  const what = `Entry ${index} is damaged in '${path}' at offset ${offset}; another server must send it.`;
  return new StorageFailure('FaultyEntry', what, path, offset, index);
}

export function compacted(from: Index, base: Index): StorageFailure {
  return new StorageFailure(
    'Compacted',
    `Entry ${from} is no longer in the log, which begins behind ${base}. Use the snapshot instead.`,
  );
}

/** Goes from record to record within one segment, over whatever is damaged between them. */
class EntryWalk {
  readonly #disk: DiskQueue;
  readonly #segment: number;
  readonly #path: string;
  readonly #seed: number;
  /** No entry begins at or behind this offset. */
  readonly #end: number;
  #at: number;
  #start = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #view = viewOf(this.#bytes);

  constructor(disk: DiskQueue, place: EntryPlace, seed: number) {
    this.#disk = disk;
    this.#segment = place.segment;
    this.#path = segmentPath(place.segment);
    this.#seed = seed;
    this.#at = place.offset;
    this.#end = place.end;
  }

  /** The entry `index` if it stands here, loaded and whole, as it nearly always does; else null, and nothing has changed. */
  loadedEntry(index: Index, term: Term | null): Entry | null {
    const header = this.#loadedHeader();
    if (header === null || header.index !== index || !isEntry(header) || (term !== null && header.term !== term))
      return null;
    const length = recordBytes(header.length);
    const here = this.#at - this.#start;
    if (!this.#has(length) || !payloadIntact(this.#bytes, here, header)) return null;
    const entry = entryOf(header, this.#payload(here, header));
    if (entry !== null) this.#at += length;
    return entry;
  }

  /** The entry `index`, which must lie ahead; what is known of it, if it is damaged. Null for a term says that the log has dropped it. */
  *entry(index: Index, term: Term | null): Steps<Entry | FaultyPlace> {
    const begun = this.#at;
    for (;;) {
      const header = this.#loadedHeader() ?? (yield* this.#header());
      // Nobody knows in which record before the next intact one it stood.
      if (header === null || (isEntry(header) && header.index > index)) return this.#lost(index, term, begun);
      const length = recordBytes(header.length);
      const isThere = this.#has(length) || (yield* this.#need(length));
      const here = this.#at - this.#start;
      const isIntact = isThere && payloadIntact(this.#bytes, here, header);
      this.#at += length;
      if (!isEntry(header) || header.index < index) continue;
      // Another entry than was written there, however intact it looks.
      if (term !== null && header.term !== term) return this.#lost(index, term, begun);
      if (!isIntact) return placeOf(header);
      const entry = entryOf(header, this.#payload(here, header));
      return entry ?? this.#lost(index, term, begun);
    }
  }

  #payload(here: number, { length }: RecordHeader): Uint8Array {
    return this.#bytes.subarray(here + RECORD_HEADER_BYTES, here + RECORD_HEADER_BYTES + length);
  }

  #lost(index: Index, term: Term | null, offset: number): FaultyPlace {
    return { index, term: term ?? 0, segment: this.#segment, offset, header: null };
  }

  /** The header at hand; null unless it is loaded and intact. */
  #loadedHeader(): RecordHeader | null {
    return this.#at < this.#end && this.#has(RECORD_HEADER_BYTES) ? this.#headerHere() : null;
  }

  #headerHere(): RecordHeader | null {
    const at = this.#at - this.#start;
    const header = readRecordHeader(this.#view, this.#bytes, at, this.#seed, this.#segment, this.#at);
    return header !== null && header.length <= MAX_BATCH_BYTES ? header : null;
  }

  /** The header at hand, or else the next that is intact; null if there is none. */
  *#header(): Steps<RecordHeader | null> {
    for (; this.#at < this.#end; this.#at += RECORD_ALIGNMENT) {
      if (!(yield* this.#need(RECORD_HEADER_BYTES))) return null;
      const header = this.#headerHere();
      if (header !== null) return header;
    }
    return null;
  }

  #has(length: number): boolean {
    return this.#at + length <= this.#start + this.#bytes.length;
  }

  /** Whether the file holds so much from here on. */
  *#need(length: number): Steps<boolean> {
    if (this.#has(length)) return true;
    this.#bytes = yield* read(this.#disk, this.#path, this.#at, Math.max(length, READ_BYTES));
    this.#view = viewOf(this.#bytes);
    this.#start = this.#at;
    return this.#bytes.length >= length;
  }
}

function isEntry({ kind }: RecordHeader): boolean {
  return kind === RecordKind.entry || kind === RecordKind.repair;
}
