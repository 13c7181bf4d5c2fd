/**
 * The multi-version store: every key with all its versions since the last compaction. A transaction's changes bear
 * `revision + 1` and become visible all at once, when `commit` moves `revision`; until then every reader, who asks for a
 * revision, passes them by. That is why a transaction, a large read and a snapshot may each work in slices.
 */
import type { ByteString } from '../byte-string.ts';
import { BPlusTree, type Cursor } from './b-plus-tree.ts';
import { KeyHistory, Version } from './key-history.ts';
import { ValueSlabs } from './value-slabs.ts';

/** The revision of an empty store, as etcd counts. */
export const firstRevision = 1;
/** The compact revision before the first compaction, as etcd counts: even revision 0 may be compacted once. */
export const neverCompacted = -1;

export type CompactRefusal = 'compacted' | 'futureRevision';

/** A promise that everything needed at `floor` and later stays. */
export interface Pin {
  readonly floor: number;
}

export interface StoreStatistics {
  /** Keys with at least one kept version, deleted ones included until they are reclaimed. */
  readonly keys: number;
  /** Kept versions, tombstones included. */
  readonly versions: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  /** Bytes of memory set aside for values. */
  readonly valueBytesAllocated: number;
}

export class MvccStore {
  readonly #tree = new BPlusTree<KeyHistory>();
  readonly #slabs = new ValueSlabs();
  #revision: number;
  #compactRevision: number;
  /** Changes of the transaction in progress. */
  #changes = 0;

  readonly #pins = new Set<Pin>();
  /** Up to where dead versions are known to be gone. */
  #reclaimed: number;
  #sweep: { readonly floor: number; readonly cursor: Cursor<KeyHistory> } | null = null;

  /** The key that a restore has come to. */
  #restored: { readonly key: ByteString; readonly history: KeyHistory } | null = null;

  #versions = 0;
  #keyBytes = 0;

  constructor(revision: number = firstRevision, compactRevision: number = neverCompacted) {
    this.#revision = revision;
    this.#compactRevision = compactRevision;
    this.#reclaimed = compactRevision;
  }

  /** The revision of the last transaction that changed something. */
  get revision(): number {
    return this.#revision;
  }

  /** Reads before this revision are refused. */
  get compactRevision(): number {
    return this.#compactRevision;
  }

  /** The revision that the transaction in progress sees: its own changes included. */
  get viewRevision(): number {
    return this.#changes > 0 ? this.#revision + 1 : this.#revision;
  }

  statistics(): StoreStatistics {
    return {
      keys: this.#tree.size,
      versions: this.#versions,
      keyBytes: this.#keyBytes,
      valueBytes: this.#slabs.liveBytes,
      valueBytesAllocated: this.#slabs.allocatedBytes,
    };
  }

  // ------------------------------------------------------------------------------------------------------------- reads

  get(key: ByteString, revision: number): Version | null {
    const history = this.#tree.get(key);
    return history === undefined ? null : history.liveAt(revision);
  }

  /** A walk over keys ≥ `from`, in order. It may pause: what happens to the store meanwhile does not disturb it. */
  cursor(from: ByteString): Cursor<KeyHistory> {
    return this.#tree.cursor(from);
  }

  /** Keeps everything that a read at `floor` or later needs until `unpin`. */
  pin(floor: number): Pin {
    const pin = { floor };
    this.#pins.add(pin);
    return pin;
  }

  unpin(pin: Pin): void {
    this.#pins.delete(pin);
  }

  // ------------------------------------------------------------------------------------------------------------ writes

  /** Part of the transaction in progress. */
  put(key: ByteString, value: Uint8Array, lease: bigint): void {
    const revision = this.#revision + 1;
    const history = this.#tree.get(key);
    const before = history?.newest;
    const lives = before !== undefined && before.version !== 0;
    const version = new Version(
      revision,
      this.#changes++,
      lives ? before.createRevision : revision,
      lives ? before.version + 1 : 1,
      lease,
    );
    this.#slabs.store(value, 0, value.length, version);
    this.#add(key, history, version);
  }

  /** Part of the transaction in progress. The key, whose history this is, must live in the transaction's view. */
  delete(history: KeyHistory): void {
    history.append(new Version(this.#revision + 1, this.#changes++, 0, 0, 0n));
    this.#versions++;
  }

  /** Ends the transaction in progress: its changes, if there were any, become visible. */
  commit(): void {
    if (this.#changes > 0) this.#revision++;
    this.#changes = 0;
  }

  /** For a restore: a version as the snapshot tells it; keys come in order, and the versions of a key in theirs. */
  restore(key: ByteString, version: Version, source: Uint8Array, from: number, length: number): void {
    this.#slabs.store(source, from, length, version);
    const last = this.#restored;
    if (last !== null && last.key === key) {
      this.#versions++;
      last.history.append(version);
    } else {
      this.#restored = { key, history: this.#addKey(key, version) };
    }
  }

  #add(key: ByteString, history: KeyHistory | undefined, version: Version): void {
    if (history === undefined) {
      this.#addKey(key, version);
    } else {
      this.#versions++;
      history.append(version);
    }
  }

  #addKey(key: ByteString, version: Version): KeyHistory {
    const history = new KeyHistory(version);
    this.#tree.set(key, history);
    this.#versions++;
    this.#keyBytes += key.length;
    return history;
  }

  // -------------------------------------------------------------------------------------------------------- compaction

  /** From now on reads before `revision` are refused. What they would have needed goes later, by `reclaim`. */
  compact(revision: number): CompactRefusal | null {
    if (revision <= this.#compactRevision) return 'compacted';
    if (revision > this.#revision) return 'futureRevision';
    this.#compactRevision = revision;
    return null;
  }

  get hasReclaimable(): boolean {
    return this.#sweep !== null || this.#reclaimFloor() > this.#reclaimed;
  }

  /**
   * Frees what compaction made unreachable, visiting at most `keys` keys; true if there is more to visit. How far it got
   * shows in memory alone: reads and snapshots leave out what is unreachable whether it is gone or not.
   */
  reclaim(keys: number): boolean {
    this.#sweep ??= this.#beginSweep();
    if (this.#sweep === null) return false;
    const { floor, cursor } = this.#sweep;
    for (let visited = 0; visited < keys; visited++) {
      if (!cursor.next()) {
        this.#reclaimed = floor;
        this.#sweep = null;
        return this.hasReclaimable;
      }
      this.#reclaimKey(cursor.key, cursor.value, floor);
    }
    return true;
  }

  #beginSweep(): { readonly floor: number; readonly cursor: Cursor<KeyHistory> } | null {
    const floor = this.#reclaimFloor();
    // A pin taken later cannot lie below: reads before the compact revision are refused.
    return floor > this.#reclaimed ? { floor, cursor: this.#tree.cursor('') } : null;
  }

  #reclaimKey(key: ByteString, history: KeyHistory, floor: number): void {
    const before = history.length;
    if (history.compact(floor, this.#slabs)) {
      this.#versions -= before;
      this.#keyBytes -= key.length;
      this.#tree.delete(key);
    } else {
      this.#versions -= before - history.length;
    }
  }

  #reclaimFloor(): number {
    let floor = this.#compactRevision;
    for (const pin of this.#pins) floor = Math.min(floor, pin.floor);
    return floor;
  }
}
