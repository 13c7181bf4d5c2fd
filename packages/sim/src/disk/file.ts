/**
 * A file as the system sees it: what a reader sees (the page cache), what a power cut leaves for certain, and the changes between
 * the two. Those have no order among themselves until a sync puts one behind them.
 */
import type { RandomStream } from '../random.ts';
import { PAGE_BYTES, PagedBytes, SECTOR_BYTES } from './paged-bytes.ts';

type Change =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  /** Zeros up to a length, from where the file ended. */
  | { readonly kind: 'grow'; readonly from: number; readonly length: number }
  | { readonly kind: 'cut'; readonly length: number };

/** What a power cut did to the changes that were not synced. */
export interface Survival {
  kept: number;
  lost: number;
  torn: number;
}

export class VirtualFile {
  readonly visible: PagedBytes;
  readonly durable: PagedBytes;
  #unsynced: Change[] = [];

  constructor(content: PagedBytes = new PagedBytes()) {
    this.durable = content;
    this.visible = content.clone();
  }

  get dirty(): boolean {
    return this.#unsynced.length > 0;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.visible.write(offset, bytes);
    this.#unsynced.push({ kind: 'write', offset, bytes });
  }

  /** Grows the file with zeros; nothing if it is as long already. */
  grow(length: number): void {
    const from = this.visible.length;
    if (length <= from) return;
    this.visible.resize(length);
    this.#unsynced.push({ kind: 'grow', from, length });
  }

  truncate(length: number): void {
    if (length > this.visible.length) return this.grow(length);
    this.visible.resize(length);
    this.#unsynced.push({ kind: 'cut', length });
  }

  /** Everything written so far is durable from here on. */
  sync(): void {
    for (const change of this.#unsynced) this.#adoptPages(change);
    this.durable.resize(this.visible.length);
    this.#unsynced = [];
  }

  /**
   * A sync that fails as Linux fails it: some of what was written may have reached the disk, and all of it counts as clean from here
   * on. A reader still sees it, a later sync does not write it (Rebello et al., "Can Applications Recover from fsync Failures?", ATC'20).
   */
  failSync(stream: RandomStream): void {
    applySurvivors(this.durable, this.#unsynced, stream, { kept: 0, lost: 0, torn: 0 });
    this.#unsynced = [];
  }

  /** What is left after a power cut. The file itself is of no use afterwards. */
  survivors(stream: RandomStream, survival: Survival): PagedBytes {
    applySurvivors(this.durable, this.#unsynced, stream, survival);
    return this.durable;
  }

  /** Whether an unsynced change touches a page of this range: what the disk holds there will be written over. */
  isDirty(offset: number, length: number): boolean {
    const [first, end] = pagesOf(offset, length);
    return this.#unsynced.some((change) => {
      const [changed, changedEnd] =
        change.kind === 'write' ? pagesOf(change.offset, change.bytes.length) : wholeTail(change);
      return changed < end && first < changedEnd;
    });
  }

  /** Puts something onto the disk that nobody wrote, where nothing waits to be written. */
  overwriteAtRest(offset: number, bytes: Uint8Array): void {
    this.durable.write(offset, bytes);
    this.visible.write(offset, bytes);
  }

  #adoptPages(change: Change): void {
    if (change.kind !== 'write') {
      // Pages that a cut and a growth left without content are holes in both.
      const from = change.kind === 'cut' ? change.length : change.from;
      if (from < this.durable.length) this.durable.resize(from);
      if (from % PAGE_BYTES !== 0) this.durable.adopt(this.visible, Math.floor(from / PAGE_BYTES));
      return;
    }
    const [first, end] = pagesOf(change.offset, change.bytes.length);
    for (let page = first; page < end; page++) this.durable.adopt(this.visible, page);
  }
}

function pagesOf(offset: number, length: number): readonly [number, number] {
  return [Math.floor(offset / PAGE_BYTES), Math.ceil((offset + length) / PAGE_BYTES)];
}

function wholeTail(
  change: { readonly length: number } & ({ readonly kind: 'cut' } | { readonly kind: 'grow' }),
): readonly [number, number] {
  return [Math.floor(change.length / PAGE_BYTES), Number.POSITIVE_INFINITY];
}

/** Each change is kept, lost or torn on its own; later ones may survive where earlier ones do not. */
function applySurvivors(
  durable: PagedBytes,
  changes: readonly Change[],
  stream: RandomStream,
  survival: Survival,
): void {
  if (changes.length === 0) return;
  // Often nothing, or everything, had left the cache.
  const mood = stream.below(4);
  for (const change of changes) {
    const fate = mood === 0 ? 'lost' : mood === 1 ? 'kept' : stream.pick(FATES);
    survival[fate]++;
    if (fate === 'kept') keep(durable, change);
    else if (fate === 'torn') tear(durable, change, stream);
    else lose(durable, change, stream);
  }
}

const FATES = ['kept', 'lost', 'torn'] as const;

function keep(durable: PagedBytes, change: Change): void {
  if (change.kind === 'write') durable.write(change.offset, change.bytes);
  else durable.resize(change.kind === 'grow' ? Math.max(durable.length, change.length) : change.length);
}

/** Sectors arrive whole or not at all: the first few of them, or each on its own. */
function tear(durable: PagedBytes, change: Change, stream: RandomStream): void {
  if (change.kind === 'cut') return;
  if (change.kind === 'grow') return growPartly(durable, change.length, stream);
  const { offset, bytes } = change;
  const end = offset + bytes.length;
  const borders = Math.ceil(end / SECTOR_BYTES) - Math.floor(offset / SECTOR_BYTES);
  const prefix = stream.below(2) === 0 ? stream.below(borders + 1) : null;
  for (let sector = 0, from = offset; from < end; sector++) {
    const to = Math.min(end, (Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    const arrives = prefix === null ? stream.below(2) === 0 : sector < prefix;
    if (arrives) durable.write(from, bytes.subarray(from - offset, to - offset));
    from = to;
  }
  if (stream.below(2) === 0) growPartly(durable, end, stream);
}

/** The file may have grown all the same: then zeros stand where the bytes should. */
function lose(durable: PagedBytes, change: Change, stream: RandomStream): void {
  if (change.kind === 'cut' || stream.below(3) > 0) return;
  growPartly(durable, change.kind === 'grow' ? change.length : change.offset + change.bytes.length, stream);
}

function growPartly(durable: PagedBytes, end: number, stream: RandomStream): void {
  if (end > durable.length) durable.resize(stream.between(durable.length, end));
}
