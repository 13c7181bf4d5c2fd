/**
 * The sessions in a snapshot: slices of their own before those of the state machine itself (docs/sessions.md).
 *
 * ```
 * first slice    ff 51 53 4e, format version (1)
 * records        tag 1, then for each record its key and its value, counted
 * end            tag 2, number of records, CRC-32C of all slices of records
 * ```
 */
import type { Index } from '@quorate/raft';
import { ByteReader } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { crc32c } from '../crc32c.ts';
import type { SnapshotSink, SnapshotSource } from '../state-machine.ts';
import { damagedSessions, laterSessions, type SessionRecord } from './records.ts';

const magic = [0xff, 0x51, 0x53, 0x4e] as const;
const formatVersion = 1;
const tags = { records: 1, end: 2 } as const;
/** A slice ends behind the record that fills it up to here. */
const sliceBytes = 256 << 10;
const maxKeyBytes = 64;

/** First the sessions, then the inner machine's own slices, untouched. */
export class SessionSnapshotSource implements SnapshotSource {
  readonly #inner: SnapshotSource;
  readonly #records: Iterator<SessionRecord>;
  readonly #to = new ByteWriter();
  #part: 'header' | 'records' | 'inner' = 'header';
  #count = 0;
  #crc = 0;

  constructor(records: Iterable<SessionRecord>, inner: SnapshotSource) {
    this.#records = records[Symbol.iterator]();
    this.#inner = inner;
  }

  next(): Uint8Array | null {
    if (this.#part === 'inner') return this.#inner.next();
    if (this.#part === 'header') {
      this.#part = 'records';
      return Uint8Array.of(...magic, formatVersion);
    }
    return this.#nextRecords() ?? this.#end();
  }

  close(): void {
    this.#inner.close();
  }

  #nextRecords(): Uint8Array | null {
    const to = this.#to;
    to.reset();
    to.u8(tags.records);
    while (to.length < sliceBytes) {
      const next = this.#records.next();
      if (next.done === true) break;
      to.string(next.value.key);
      to.counted(next.value.value);
      this.#count++;
    }
    if (to.length === 1) return null;
    const slice = to.copy();
    this.#crc = crc32c(slice, 0, slice.length, this.#crc);
    return slice;
  }

  #end(): Uint8Array {
    this.#part = 'inner';
    this.#to.reset();
    this.#to.u8(tags.end);
    this.#to.varint(this.#count);
    this.#to.u32(this.#crc);
    return this.#to.copy();
  }
}

/** Reads the sessions and hands all that follows on to the inner machine's own sink. */
export class SessionSnapshotSink implements SnapshotSink {
  /** Called when the sessions are whole: where the inner machine's slices go. */
  readonly #begin: (records: readonly SessionRecord[]) => SnapshotSink;
  /** The inner machine has its new state. */
  readonly #finished: () => void;
  readonly #records: SessionRecord[] = [];
  #inner: SnapshotSink | null = null;
  #isBegun = false;
  #crc = 0;

  constructor(begin: (records: readonly SessionRecord[]) => SnapshotSink, finished: () => void) {
    this.#begin = begin;
    this.#finished = finished;
  }

  write(slice: Uint8Array): void {
    if (this.#inner !== null) this.#inner.write(slice);
    else if (this.#isBegun) this.#readSlice(slice);
    else this.#readHeader(slice);
  }

  finish(index: Index): void {
    if (this.#inner === null) throw damagedSessions('the snapshot ends before its sessions do');
    this.#inner.finish(index);
    this.#finished();
  }

  abort(): void {
    this.#inner?.abort();
  }

  #readHeader(slice: Uint8Array): void {
    if (!magic.every((byte, at) => slice[at] === byte)) {
      throw damagedSessions('the snapshot does not begin with sessions. Was it written by a program that had none?');
    }
    const version = slice[magic.length] ?? 0;
    if (version > formatVersion) throw laterSessions(version);
    if (version === 0 || slice.length !== magic.length + 1)
      throw damagedSessions('the header of the snapshot is malformed');
    this.#isBegun = true;
  }

  #readSlice(slice: Uint8Array): void {
    const from = new ByteReader(slice);
    const tag = from.u8();
    if (tag === tags.records) {
      this.#crc = crc32c(slice, 0, slice.length, this.#crc);
      this.#readRecords(from);
    } else if (tag === tags.end) this.#readEnd(from);
    else throw damagedSessions(`a slice of the snapshot bears the unknown tag ${tag}`);
  }

  #readRecords(from: ByteReader): void {
    while (from.remaining > 0) {
      const key = from.string(maxKeyBytes);
      // A copy: the slice is the reader's, and would be kept whole for each answer in it.
      const value = from.counted(from.remaining).slice();
      if (from.failed) throw damagedSessions('a slice of the snapshot is malformed');
      this.#records.push({ key, value });
    }
  }

  #readEnd(from: ByteReader): void {
    const count = from.varint();
    const crc = from.u32();
    if (!from.complete || count !== this.#records.length || crc !== this.#crc) {
      throw damagedSessions('the snapshot does not match its checksum');
    }
    this.#inner = this.#begin(this.#records);
  }
}
