/** What a server's storage holds: term and vote, the newest snapshot, the log behind its base. Follows batches literally. */
import {
  type Configuration,
  decodeConfiguration,
  type Entry,
  EntryKind,
  type HardState,
  type Index,
  type LogPosition,
  type PersistBatch,
  type RecoveredState,
  type SnapshotMetadata,
  type Term,
  termRunsOf,
} from '../../src/index.ts';
import { chainEntry, emptyChain } from './chain.ts';

/** Looks up the fingerprint of the log that a snapshot at this position replaces. */
export type ChainOfSnapshot = (position: LogPosition) => number;

export class LogImage {
  hardState: HardState = { term: 0, vote: null };
  snapshot: SnapshotMetadata;
  base: LogPosition = { index: 0, term: 0 };
  entries: Entry[] = [];
  /** Entries whose record is damaged, as the server knows. */
  faulty = new Set<Index>();
  /** Entries whose record is damaged, which nobody has noticed yet. */
  rotten = new Set<Index>();
  #chains: number[] = [];
  #baseChain = emptyChain;

  constructor(configuration: Configuration) {
    this.snapshot = { index: 0, term: 0, configuration };
  }

  clone(): LogImage {
    const copy = new LogImage(this.snapshot.configuration);
    copy.hardState = this.hardState;
    copy.snapshot = this.snapshot;
    copy.base = this.base;
    copy.entries = [...this.entries];
    copy.faulty = new Set(this.faulty);
    copy.rotten = new Set(this.rotten);
    copy.#chains = [...this.#chains];
    copy.#baseChain = this.#baseChain;
    return copy;
  }

  get lastIndex(): Index {
    return this.base.index + this.entries.length;
  }

  get lastTerm(): Term {
    return this.entries.at(-1)?.term ?? this.base.term;
  }

  /** What was written at `index`, damaged or not: what the server itself may know of it, `readAt` says. */
  entryAt(index: Index): Entry | null {
    return this.entries[index - this.base.index - 1] ?? null;
  }

  readAt(index: Index): Entry | null {
    return this.isDamaged(index) ? null : this.entryAt(index);
  }

  isDamaged(index: Index): boolean {
    return this.faulty.has(index) || this.rotten.has(index);
  }

  termAt(index: Index): Term | null {
    return index === this.base.index ? this.base.term : (this.entryAt(index)?.term ?? null);
  }

  /** Fingerprint of the log up to `index`, or null if it lies before the base or behind the end. */
  chainAt(index: Index): number | null {
    return index === this.base.index ? this.#baseChain : (this.#chains[index - this.base.index - 1] ?? null);
  }

  /** Carries out one batch: repairs, snapshot, cut, entries, term and vote, in that order. */
  apply(batch: PersistBatch, chainOfSnapshot: ChainOfSnapshot): void {
    for (const entry of batch.repairs) {
      this.#repair(entry);
    }
    if (batch.adopt !== null && batch.adopt.index > this.snapshot.index) {
      this.snapshot = batch.adopt;
    }
    if (batch.snapshot !== null) {
      this.#install(batch.snapshot, chainOfSnapshot(batch.snapshot));
    }
    if (batch.truncateFrom > 0) {
      this.#truncate(batch.truncateFrom);
    }
    for (const entry of batch.entries) {
      this.append(entry);
    }
    if (batch.hardState !== null) {
      this.hardState = batch.hardState;
    }
  }

  #repair(entry: Entry): void {
    const written = this.entryAt(entry.index);
    if (entry.index <= this.base.index) {
      // Compacted since the batch was made.
      return;
    }
    if (written === null || formatted(written) !== formatted(entry)) {
      throw new Error(`entry ${entry.index} is repaired with other content than it had`);
    }
    this.faulty.delete(entry.index);
    this.rotten.delete(entry.index);
  }

  append(entry: Entry): void {
    if (entry.index !== this.lastIndex + 1) {
      throw new Error(`entry ${entry.index} appended behind ${this.lastIndex}: the log would have a hole`);
    }
    this.#chains.push(chainEntry(this.chainAt(this.lastIndex) ?? emptyChain, entry));
    this.entries.push(entry);
  }

  /** This server's own snapshot is durable and the log forgets everything up to `through`. */
  compact(snapshot: SnapshotMetadata, through: Index): void {
    if (snapshot.index > this.snapshot.index) {
      this.snapshot = snapshot;
    }
    if (through > this.base.index && through <= this.lastIndex) {
      const term = this.termAt(through) ?? 0;
      const chain = this.chainAt(through) ?? emptyChain;
      const count = through - this.base.index;
      this.entries = this.entries.slice(count);
      this.#chains = this.#chains.slice(count);
      this.base = { index: through, term };
      this.#baseChain = chain;
      this.#keepDamage((index) => index > through);
    }
  }

  #keepDamage(keep: (index: Index) => boolean): void {
    this.faulty = new Set([...this.faulty].filter(keep));
    this.rotten = new Set([...this.rotten].filter(keep));
  }

  /** What storage hands to a server that starts from this image. `applied`: what a durable state machine already holds. */
  recovered(
    chainOfSnapshot: ChainOfSnapshot,
    tailLength: number,
    applied: Index = this.snapshot.index,
    knowsKinds = true,
  ): RecoveredState {
    if (this.termAt(this.snapshot.index) !== this.snapshot.term && this.base.index < this.snapshot.index) {
      // The snapshot was taken of entries that this log had not yet received: they, and all before them, are behind it.
      this.#install(this.snapshot, chainOfSnapshot(this.snapshot));
    }
    this.faulty = new Set([...this.faulty, ...this.rotten]);
    this.rotten.clear();
    const faulty = this.entries.filter(({ index }) => this.faulty.has(index));
    const whole = this.entries.filter(({ index }) => !this.faulty.has(index));
    const behindSnapshot = whole.filter((entry) => entry.index > this.snapshot.index);
    const cacheable = this.entries.filter(({ index }) => index > (faulty.at(-1)?.index ?? 0));
    return {
      hardState: this.hardState,
      snapshot: this.snapshot,
      base: this.base,
      lastIndex: this.lastIndex,
      termRuns: termRunsOf(this.entries),
      configurations: behindSnapshot.filter((entry) => entry.kind === EntryKind.configuration).map(configurationOf),
      faulty: faulty.map(({ index, term, kind }) => ({ index, term, kind: knowsKinds ? kind : null })),
      tail: tailLength === 0 ? [] : cacheable.slice(-tailLength),
      applied: Math.max(applied, this.snapshot.index),
    };
  }

  /** The newest configuration in this log, committed or not (in force from the moment it is appended, §6). */
  get configuration(): Configuration {
    return this.configurationAt(this.lastIndex);
  }

  configurationAt(index: Index): Configuration {
    for (let at = Math.min(index, this.lastIndex); at > this.snapshot.index; at--) {
      const entry = this.entryAt(at);
      if (entry?.kind === EntryKind.configuration) {
        return configurationOf(entry);
      }
    }
    return this.snapshot.configuration;
  }

  #install(snapshot: SnapshotMetadata, chain: number): void {
    this.snapshot = snapshot;
    this.base = { index: snapshot.index, term: snapshot.term };
    this.#baseChain = chain;
    this.entries = [];
    this.#chains = [];
    this.#keepDamage(() => false);
  }

  #truncate(from: Index): void {
    if (from <= this.base.index) {
      throw new Error(`cut from ${from}, but everything up to ${this.base.index} is compacted`);
    }
    if (from > this.lastIndex) {
      return;
    }
    this.entries.length = from - this.base.index - 1;
    this.#chains.length = from - this.base.index - 1;
    this.#keepDamage((index) => index < from);
  }
}

export function configurationOf(entry: Entry): Configuration {
  const configuration = decodeConfiguration(entry.data, entry.index);
  if (configuration === null) {
    throw new Error(`entry ${entry.index} is no well-formed configuration`);
  }
  return configuration;
}

function formatted(entry: Entry): string {
  return `${entry.index}/${entry.term} ${entry.kind} ${entry.data.join(' ')}`;
}
