/** The log as it is saved: entries one behind the other, encoded once, cut and appended in place. */
import type { Entry, EntryKind, Index, Term } from '@quorate/raft';
import { EntryKind as Kind } from '@quorate/raft';

/** Term, kind, length. */
const HEADER_BYTES = 9;

const PAGE_BYTES = 4096;

/**
 * What is saved of it. Whoever saves hands over the whole log each time, and it may be copied each time: full pages are strings, a
 * character a byte, since those are never copied.
 */
export interface LogBytes {
  readonly pages: readonly string[];
  /** What fills no page yet. */
  readonly rest: Uint8Array;
}

/** Where a log begins: behind what a snapshot stands for. */
export interface LogBase {
  readonly index: Index;
  readonly term: Term;
  /** Commands up to there. The suite counts commands alone; the log holds more than those. */
  readonly commands: number;
}

export class SavedLog {
  #base: LogBase;
  #entries: Entry[] = [];
  /** Behind each entry: commands up to there, and bytes. */
  #commands: number[] = [];
  #ends: number[] = [];
  #bytes = new Uint8Array(PAGE_BYTES);
  #view = new DataView(this.#bytes.buffer);
  /** The beginning of it, as far as it was saved before. What is handed out never changes. */
  #pages: readonly string[] = [];

  constructor(base: LogBase) {
    this.#base = base;
  }

  static decode(base: LogBase, { pages, rest }: LogBytes): SavedLog {
    const log = new SavedLog(base);
    const bytes = Buffer.concat([...pages.map((page) => Buffer.from(page, 'latin1')), rest]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; ) {
      const length = view.getUint32(at + 5);
      const data = new Uint8Array(bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length));
      log.append({
        index: log.lastIndex + 1,
        term: view.getUint32(at),
        kind: view.getUint8(at + 4) as EntryKind,
        data,
      });
      at += HEADER_BYTES + length;
    }
    return log;
  }

  get base(): LogBase {
    return this.#base;
  }

  get lastIndex(): Index {
    return this.#base.index + this.#entries.length;
  }

  get lastCommand(): number {
    return this.#commands.at(-1) ?? this.#base.commands;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** What was handed out stays as it is, whatever becomes of the log. */
  get bytes(): LogBytes {
    const saved = this.#pages.length * PAGE_BYTES;
    if (saved + PAGE_BYTES <= this.#end) this.#pages = [...this.#pages, ...this.#pagesBehind(saved)];
    return { pages: this.#pages, rest: this.#bytes.subarray(this.#pages.length * PAGE_BYTES, this.#end) };
  }

  #pagesBehind(saved: number): string[] {
    const pages: string[] = [];
    for (let at = saved; at + PAGE_BYTES <= this.#end; at += PAGE_BYTES) {
      pages.push(Buffer.from(this.#bytes.buffer, at, PAGE_BYTES).toString('latin1'));
    }
    return pages;
  }

  entry(index: Index): Entry | undefined {
    return this.#entries[index - this.#base.index - 1];
  }

  termAt(index: Index): Term {
    return index === this.#base.index ? this.#base.term : (this.entry(index)?.term ?? 0);
  }

  /** Commands up to `index`, which is in the log or its base. */
  commandsAt(index: Index): number {
    return this.#commands[index - this.#base.index - 1] ?? this.#base.commands;
  }

  /** Where the command of this number stands; undefined where that is compacted or to come. */
  indexOf(command: number): Index | undefined {
    const at = this.#commands.indexOf(command);
    return at === -1 ? undefined : this.#base.index + 1 + at;
  }

  append(entry: Entry): void {
    const { term, kind, data } = entry;
    const start = this.#end;
    const end = start + HEADER_BYTES + data.length;
    this.#reserve(end);
    this.#view.setUint32(start, term);
    this.#view.setUint8(start + 4, kind);
    this.#view.setUint32(start + 5, data.length);
    this.#bytes.set(data, start + HEADER_BYTES);
    this.#commands.push(this.lastCommand + (kind === Kind.command ? 1 : 0));
    this.#entries.push(entry);
    this.#ends.push(end);
  }

  /** Drops every entry from `index` on. */
  truncate(index: Index): void {
    const kept = Math.max(0, index - this.#base.index - 1);
    if (kept >= this.#entries.length) return;
    // What was handed out as saved must not be written over by what is appended next.
    this.#hold(this.#bytes.slice());
    this.#entries.length = Math.min(this.#entries.length, kept);
    this.#commands.length = this.#entries.length;
    this.#ends.length = this.#entries.length;
    this.#pages = this.#pages.slice(0, Math.floor(this.#end / PAGE_BYTES));
  }

  /** Forgets everything up to and including `index`. */
  compact(index: Index): SavedLog {
    const log = new SavedLog({ index, term: this.termAt(index), commands: this.commandsAt(index) });
    for (const entry of this.#entries.slice(index - this.#base.index)) log.append(entry);
    return log;
  }

  get #end(): number {
    return this.#ends.at(-1) ?? 0;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(2 * bytes);
    grown.set(this.#bytes);
    this.#hold(grown);
  }

  #hold(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}
