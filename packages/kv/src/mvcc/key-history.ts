import { emptySlab, type Slab, type ValuePlace, type ValueSlabs } from './value-slabs.ts';

/** One state of one key. Everything but the place of its value never changes. */
export class Version implements ValuePlace {
  readonly modRevision: number;
  /** The change's number within its transaction, from 0. */
  readonly subRevision: number;
  /** The revision at which the key's present life began; 0 in a tombstone. */
  readonly createRevision: number;
  /** Puts since then, this one included; 0 in a tombstone, which ends a life. */
  readonly version: number;
  readonly lease: bigint;
  slab: Slab = emptySlab;
  offset = 0;
  length = 0;

  constructor(modRevision: number, subRevision: number, createRevision: number, version: number, lease: bigint) {
    this.modRevision = modRevision;
    this.subRevision = subRevision;
    this.createRevision = createRevision;
    this.version = version;
    this.lease = lease;
  }

  get isTombstone(): boolean {
    return this.version === 0;
  }

  /** A view of the value. It holds until the next compaction: copy what must last. */
  value(): Uint8Array {
    return this.slab.bytes.subarray(this.offset, this.offset + this.length);
  }
}

/** All versions of one key that are still kept, by rising (modRevision, subRevision). Never empty. */
export class KeyHistory {
  #newest: Version;
  /** Everything before `#newest`; most keys have one version and no array. */
  #older: Version[] | null = null;

  constructor(first: Version) {
    this.#newest = first;
  }

  get newest(): Version {
    return this.#newest;
  }

  get length(): number {
    return this.#older === null ? 1 : this.#older.length + 1;
  }

  version(index: number): Version {
    return index === this.length - 1 ? this.#newest : ((this.#older as Version[])[index] as Version);
  }

  append(version: Version): void {
    if (this.#older === null) this.#older = [this.#newest];
    else this.#older.push(this.#newest);
    this.#newest = version;
  }

  /** What a read at `revision` finds: the last version at or before it, or null if there is none or it is a tombstone. */
  liveAt(revision: number): Version | null {
    const found = this.#newest.modRevision <= revision ? this.#newest : this.#olderAt(revision);
    return found === null || found.version === 0 ? null : found;
  }

  /**
   * The first version that a read or a watch at `floor` or later can need; `length` if none. That is whatever happened at
   * `floor` or later, and before it the last version unless it is a tombstone or was replaced at `floor` itself.
   */
  firstNeeded(floor: number): number {
    const from = this.#firstAtOrAfter(floor);
    if (from === 0) return 0;
    if (from < this.length && this.version(from).modRevision === floor) return from;
    return this.version(from - 1).isTombstone ? from : from - 1;
  }

  /** Drops what no read at `floor` or later needs. True if nothing is left: the key itself can go. */
  compact(floor: number, slabs: ValueSlabs): boolean {
    const needed = this.firstNeeded(floor);
    const length = this.length;
    for (let i = 0; i < needed; i++) slabs.release(this.version(i));
    if (needed === length) return true;
    if (needed > 0) this.#older = needed === length - 1 ? null : (this.#older as Version[]).slice(needed);
    for (let i = 0; i < length - needed; i++) slabs.repack(this.version(i));
    return false;
  }

  #olderAt(revision: number): Version | null {
    if (this.#older === null) return null;
    const end = firstAfter(this.#older, revision);
    return end === 0 ? null : (this.#older[end - 1] as Version);
  }

  #firstAtOrAfter(revision: number): number {
    const older = this.#older;
    const before = older === null ? 0 : firstAfter(older, revision - 1);
    if (older !== null && before < older.length) return before;
    return this.#newest.modRevision >= revision ? before : before + 1;
  }
}

/** Place of the first version after `revision`. */
function firstAfter(versions: readonly Version[], revision: number): number {
  let low = 0;
  let high = versions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((versions[middle] as Version).modRevision <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}
