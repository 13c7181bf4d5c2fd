/** Reads entries back from the log. Everything read is verified again: what rotted since it was written must not reach a peer. */
import type { Entry, Index } from '@quorate/raft';
import { viewOf } from '../bytes.ts';
import type { DiskQueue } from '../environment.ts';
import { StorageFailure } from '../storage-failure.ts';
import { read, type Steps } from '../steps.ts';
import {
  entryOf,
  MAX_BATCH_BYTES,
  payloadIntact,
  RECORD_HEADER_BYTES,
  type RecordHeader,
  RecordKind,
  readRecordHeader,
  recordBytes,
  segmentPath,
} from './format.ts';
import type { FaultyPlace } from './faulty-places.ts';
import type { EntryPlace, LogIndex } from './log-index.ts';
import { WHAT_TO_DO } from './segment-scan.ts';

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
      const entry = yield* walk.entry(next);
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

function faulty({ segment, header }: FaultyPlace): StorageFailure {
  const path = segmentPath(segment);
  const what = `Entry ${header.index} is damaged in '${path}' at offset ${header.offset}; another server must send it.`;
  return new StorageFailure('FaultyEntry', what, path, header.offset, header.index);
}

export function compacted(from: Index, base: Index): StorageFailure {
  return new StorageFailure(
    'Compacted',
    `Entry ${from} is no longer in the log, which begins behind ${base}. Use the snapshot instead.`,
  );
}

/** Goes from record to record within one segment. */
class EntryWalk {
  readonly #disk: DiskQueue;
  readonly #segment: number;
  readonly #path: string;
  readonly #seed: number;
  #at: number;
  #start = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #view = viewOf(this.#bytes);
  #previous: number | null = null;

  constructor(disk: DiskQueue, place: EntryPlace, seed: number) {
    this.#disk = disk;
    this.#segment = place.segment;
    this.#path = segmentPath(place.segment);
    this.#seed = seed;
    this.#at = place.offset;
  }

  /** The entry `index`, which must lie ahead; where it stands, if its data is damaged. */
  *entry(index: Index): Steps<Entry | FaultyPlace> {
    for (;;) {
      const header = yield* this.#header();
      const at = this.#at - this.#start;
      const length = recordBytes(header.length);
      yield* this.#need(length);
      const here = this.#at - this.#start;
      const isIntact = payloadIntact(this.#bytes, here, header);
      if (!isIntact && header.kind !== RecordKind.entry) throw this.#damaged('its payload does not match its checksum');
      this.#at += length;
      this.#previous = header.checksum;
      if (header.kind !== RecordKind.entry || header.index < index) continue;
      if (!isIntact && header.index === index) return { segment: this.#segment, header };
      const payload = this.#bytes.subarray(here + RECORD_HEADER_BYTES, here + RECORD_HEADER_BYTES + header.length);
      const entry = header.index === index ? entryOf(header, payload) : null;
      if (entry === null) throw this.#damaged(`entry ${header.index} stands where ${index} was written`, at);
      return entry;
    }
  }

  *#header(): Steps<RecordHeader> {
    yield* this.#need(RECORD_HEADER_BYTES);
    const header = readRecordHeader(
      this.#view,
      this.#bytes,
      this.#at - this.#start,
      this.#seed,
      this.#segment,
      this.#at,
    );
    if (header === null || header.length > MAX_BATCH_BYTES)
      throw this.#damaged('its header does not match its checksum');
    if (this.#previous !== null && header.previous !== this.#previous) {
      throw this.#damaged('it does not continue the record before it');
    }
    return header;
  }

  *#need(length: number): Steps<void> {
    if (this.#at + length <= this.#start + this.#bytes.length) return;
    this.#bytes = yield* read(this.#disk, this.#path, this.#at, Math.max(length, READ_BYTES));
    this.#view = viewOf(this.#bytes);
    this.#start = this.#at;
    if (this.#bytes.length < length) throw this.#damaged('the file ends before it');
  }

  #damaged(what: string, offset = this.#at): StorageFailure {
    return new StorageFailure(
      'CorruptLog',
      `'${this.#path}' has been damaged since it was written: the record at offset ${offset} is broken, ${what}. ${WHAT_TO_DO}`,
      this.#path,
      offset,
    );
  }
}
