/**
 * What memory keeps of a log on disk: its bounds, the terms of its entries, and where to find them. About a quarter of a byte
 * an entry, so that a million entries of any size weigh nothing.
 */
import type { Index, LogPosition, Term, TermRun } from '@quorate/raft';

/** Every how many entries of an extent a position is kept; a reader walks over at most this many less one. */
const STRIDE = 16;

/** Entries that lie one behind the other in one segment, with at most seals and padding between them; or that are lost there. */
interface Extent {
  readonly segment: number;
  readonly first: Index;
  count: number;
  /** Nobody knows where they stood: only that it was not before this segment. */
  readonly lost: boolean;
  /** Offsets of the entries first, first + STRIDE, …; the array grows by doubling. */
  offsets: Uint32Array;
  /** Where the last entry ends. Exact after an append, an upper bound after a truncation. */
  end: number;
  /** More entries may follow in the same extent: nothing was truncated since. */
  open: boolean;
}

/** Where to begin to walk in order to find an entry. */
export interface EntryPlace {
  readonly segment: number;
  readonly offset: number;
  /** The entry at `offset`: the wanted one or one shortly before it. */
  readonly index: Index;
  /** The last entry that can be reached from here without another look-up. */
  readonly last: Index;
  /** No entry up to `last` begins at or behind this offset. */
  readonly end: number;
}

/** Where an entry stands whose first record is lost. */
interface Relocated {
  readonly first: Index;
  readonly segment: number;
  readonly offset: number;
}

export class LogIndex {
  #base: LogPosition;
  #lastIndex: Index;
  #runs: TermRun[] = [];
  #extents: Extent[] = [];
  /** Ascending. An entry in here is not where its extent has it. */
  #relocated: Relocated[] = [];

  constructor(base: LogPosition) {
    this.#base = base;
    this.#lastIndex = base.index;
  }

  /** The position behind which the log begins. */
  get base(): LogPosition {
    return this.#base;
  }

  get lastIndex(): Index {
    return this.#lastIndex;
  }

  get termRuns(): readonly TermRun[] {
    return this.#runs;
  }

  get lastTerm(): Term {
    return this.#runs.at(-1)?.term ?? this.#base.term;
  }

  /** The term of the entry at `index`, or null outside of base … lastIndex. */
  termAt(index: Index): Term | null {
    if (index < this.#base.index || index > this.#lastIndex) return null;
    const run = this.#runs[lastAtMost(this.#runs, index)];
    return run?.term ?? this.#base.term;
  }

  /** Forgets everything: the log is empty and begins behind `base`. */
  reset(base: LogPosition): void {
    this.#base = base;
    this.#lastIndex = base.index;
    this.#runs = [];
    this.#extents = [];
    this.#relocated = [];
  }

  append(index: Index, term: Term, segment: number, offset: number, bytes: number): void {
    this.#addTerm(index, term);
    let extent = this.#extents.at(-1);
    if (extent === undefined || !extent.open || extent.segment !== segment) {
      extent = { segment, first: index, count: 0, lost: false, offsets: new Uint32Array(8), end: offset, open: true };
      this.#extents.push(extent);
    }
    if (extent.count % STRIDE === 0) {
      const at = extent.count / STRIDE;
      if (at === extent.offsets.length) extent.offsets = grown(extent.offsets);
      extent.offsets[at] = offset;
    }
    extent.count += 1;
    extent.end = offset + bytes;
  }

  /** An entry of the log whose record is lost, in `segment` or a later one. */
  appendLost(index: Index, term: Term, segment: number): void {
    this.#addTerm(index, term);
    const extent = this.#extents.at(-1);
    if (extent?.lost === true && extent.segment === segment) extent.count += 1;
    else this.#extents.push({ segment, first: index, count: 1, lost: true, offsets: NO_OFFSETS, end: 0, open: false });
  }

  /** The next entry does not lie directly behind the last one. */
  breakOff(): void {
    const extent = this.#extents.at(-1);
    if (extent !== undefined) extent.open = false;
  }

  /** The entry at `index` has been written once more. Also of one that the log has dropped since: then nothing happens. */
  relocate(index: Index, segment: number, offset: number): void {
    if (index <= this.#base.index || index > this.#lastIndex) return;
    const at = lastAtMost(this.#relocated, index);
    const replaced = this.#relocated[at]?.first === index ? 1 : 0;
    this.#relocated.splice(at + 1 - replaced, replaced, { first: index, segment, offset });
  }

  #addTerm(index: Index, term: Term): void {
    if (this.lastTerm !== term || this.#runs.length === 0) this.#runs.push({ first: index, term });
    this.#lastIndex = index;
  }

  /**
   * Drops every entry from `from` on; `before` is the term of the entry at from - 1. May reach below the base while a log is
   * scanned whose first segments are gone.
   */
  truncate(from: Index, before: Term): void {
    while ((this.#runs.at(-1)?.first ?? 0) >= from) this.#runs.pop();
    while ((this.#extents.at(-1)?.first ?? 0) >= from) this.#extents.pop();
    while ((this.#relocated.at(-1)?.first ?? 0) >= from) this.#relocated.pop();
    const extent = this.#extents.at(-1);
    if (extent !== undefined) {
      extent.open = false;
      const count = Math.min(extent.count, from - extent.first);
      // Behind what is left, as closely as positions are kept.
      const next = Math.ceil(count / STRIDE);
      if (next * STRIDE < extent.count && !extent.lost) extent.end = extent.offsets[next] ?? extent.end;
      extent.count = count;
    }
    this.#lastIndex = from - 1;
    if (this.#lastIndex < this.#base.index) this.#base = { index: from - 1, term: before };
  }

  /** Forgets the entries in segments before `segment`, which are about to be removed. */
  dropSegmentsBefore(segment: number): void {
    const kept = this.#extents.findIndex((extent) => extent.segment >= segment);
    this.#extents = kept < 0 ? [] : this.#extents.slice(kept);
    const index = this.#extents[0] === undefined ? this.#lastIndex : this.#extents[0].first - 1;
    this.#forgetThrough(index);
  }

  /** Forgets entries up to `index`, which must be in the log; what is behind stays as it is. */
  forgetThrough(index: Index): void {
    const kept = this.#extents.findIndex((extent) => extent.first + extent.count - 1 > index);
    this.#extents = kept < 0 ? [] : this.#extents.slice(kept);
    this.#forgetThrough(index);
  }

  #forgetThrough(index: Index): void {
    if (index <= this.#base.index) return;
    const term = this.termAt(index) ?? this.#base.term;
    const run = lastAtMost(this.#runs, index + 1);
    this.#base = { index, term };
    this.#runs = index === this.#lastIndex ? [] : this.#runs.slice(run);
    this.#relocated = this.#relocated.slice(lastAtMost(this.#relocated, index) + 1);
    const first = this.#runs[0];
    if (first !== undefined && first.first <= index) this.#runs[0] = { first: index + 1, term: first.term };
  }

  /** The last entry that is kept in a segment before `segment`; the base if there is none. */
  lastIndexBefore(segment: number): Index {
    let last = this.#base.index;
    for (const extent of this.#extents) {
      if (extent.segment >= segment) break;
      last = extent.first + extent.count - 1;
    }
    return last;
  }

  /** Where to look for the entry at `index`, or null if the log does not hold it or its record is lost. */
  locate(index: Index): EntryPlace | null {
    const before = lastAtMost(this.#relocated, index);
    const moved = this.#relocated[before];
    if (moved?.first === index) {
      const { segment, offset } = moved;
      return { segment, offset, index, last: index, end: offset + 1 };
    }
    const extent = this.#extents[lastAtMost(this.#extents, index)];
    if (extent === undefined || index >= extent.first + extent.count) return null;
    const at = Math.floor((index - extent.first) / STRIDE);
    const offset = extent.offsets[at];
    if (offset === undefined) return null;
    const next = this.#relocated[before + 1]?.first ?? Number.POSITIVE_INFINITY;
    const last = Math.min(extent.first + extent.count, next) - 1;
    return { segment: extent.segment, offset, index: extent.first + at * STRIDE, last, end: extent.end };
  }

  /** About how many bytes the entries behind `index` take on disk: exact to fifteen entries. */
  bytesAfter(index: Index): number {
    let bytes = 0;
    for (let at = this.#extents.length - 1; at >= 0; at--) {
      const extent = this.#extents[at]!;
      if (extent.first + extent.count - 1 <= index) break;
      const from = Math.max(0, Math.floor((index + 1 - extent.first) / STRIDE));
      if (!extent.lost) bytes += extent.end - extent.offsets[from]!;
    }
    return bytes;
  }
}

const NO_OFFSETS = new Uint32Array(0);

function grown(offsets: Uint32Array): Uint32Array {
  const larger = new Uint32Array(offsets.length * 2);
  larger.set(offsets);
  return larger;
}

/** The place of the last element whose `first` is at most `index`; -1 if there is none. */
function lastAtMost(sorted: readonly { readonly first: Index }[], index: Index): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]!.first <= index) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
