import { type Entry, EntryKind } from '@quorate/raft';
import type { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

/** How many encoded runs are kept: a few batches back is as far as followers of one pace differ. */
const cachedRuns = 8;
/** Larger runs are not kept: they go to one straggler, and would hold much memory for little. */
const maxCachedRunBytes = 2 << 20;

interface CachedRun {
  readonly first: Entry;
  readonly last: Entry;
  readonly bytes: Uint8Array;
}

/**
 * Encodes runs of entries once for all peers. Entries never change and the core shares them, so a run with the same
 * first and last entry and the same length is the same run (Log Matching, §5.3).
 */
export class EntriesEncoder {
  readonly #cache: CachedRun[] = [];
  readonly #scratch = new ByteWriter(64 << 10);
  #next = 0;

  /** The run as it stands in a message: count, first index, then term, kind, length and data of each. */
  encode(entries: readonly Entry[]): Uint8Array {
    const first = entries[0];
    const last = entries.at(-1);
    if (first === undefined || last === undefined) return emptyRun;
    for (const run of this.#cache) if (run.first === first && run.last === last) return run.bytes;
    this.#scratch.reset();
    writeEntries(this.#scratch, entries);
    const bytes = this.#scratch.copy();
    this.#scratch.trim(maxCachedRunBytes);
    if (bytes.length <= maxCachedRunBytes) {
      this.#cache[this.#next] = { first, last, bytes };
      this.#next = (this.#next + 1) % cachedRuns;
    }
    return bytes;
  }
}

export function writeEntries(writer: ByteWriter, entries: readonly Entry[]): void {
  writer.varint(entries.length);
  const first = entries[0];
  if (first === undefined) return;
  writer.varint(first.index);
  for (const entry of entries) {
    writer.varint(entry.term);
    writer.u8(entry.kind);
    writer.counted(entry.data);
  }
}

/** Reads a run. The entries' data are views of the message's bytes. */
export function readEntries(reader: ByteReader): readonly Entry[] {
  const count = reader.varint();
  // An entry takes three bytes at least, so a count beyond that is a lie and must not size anything.
  if (count * 3 > reader.remaining) {
    reader.fail();
    return [];
  }
  if (count === 0) return [];
  const first = reader.varint();
  const entries: Entry[] = [];
  for (let position = 0; position < count; position++) {
    const term = reader.varint();
    const kind = reader.u8();
    const data = reader.counted(reader.remaining);
    if (reader.failed || !isEntryKind(kind)) {
      reader.fail();
      return [];
    }
    entries.push({ index: first + position, term, kind, data });
  }
  return entries;
}

export function isEntryKind(kind: number): kind is EntryKind {
  return kind === EntryKind.noop || kind === EntryKind.command || kind === EntryKind.configuration;
}

const emptyRun = new Uint8Array([0]);
