/** What our Raft saves: term and vote, the log, and the snapshot. */
import type { Configuration, Index, PersistBatch, RecoveredState, SnapshotMetadata, TermRun } from '@quorate/raft';
import type { Persister } from '../interface.ts';
import { type LogBase, SavedLog } from './saved-log.ts';

interface Saved {
  readonly term: number;
  readonly vote: string | null;
  readonly base: LogBase;
  /** Encoded entries behind the base. */
  readonly log: Uint8Array;
}

/** A snapshot that came from another server. */
export interface ReceivedSnapshot {
  readonly data: Uint8Array;
  readonly commands: number;
}

export class Disk {
  readonly #persister: Persister;
  readonly #configuration: Configuration;
  #hardState: { readonly term: number; readonly vote: string | null } = { term: 0, vote: null };
  #log = new SavedLog({ index: 0, term: 0, commands: 0 });
  #snapshotData: Uint8Array | null;

  constructor(persister: Persister, configuration: Configuration) {
    this.#persister = persister;
    this.#configuration = configuration;
    this.#snapshotData = persister.readSnapshot();
    const saved = persister.readState() as Saved | null;
    if (saved === null) return;
    this.#hardState = { term: saved.term, vote: saved.vote };
    this.#log = SavedLog.decode(saved.base, saved.log);
  }

  get log(): SavedLog {
    return this.#log;
  }

  /** Of the state behind the log's base; null if that is the beginning. */
  get snapshotData(): Uint8Array | null {
    return this.#snapshotData;
  }

  recovered(): RecoveredState {
    const { base, lastIndex, entries } = this.#log;
    const termRuns: TermRun[] = [];
    for (const { index, term } of entries) if (termRuns.at(-1)?.term !== term) termRuns.push({ first: index, term });
    return {
      hardState: this.#hardState,
      snapshot: this.#metadata(base),
      base,
      lastIndex,
      termRuns,
      configurations: [],
      faulty: [],
      tail: entries,
      applied: base.index,
    };
  }

  /** One save for all of it. */
  write(batch: PersistBatch, received: ReceivedSnapshot | null): void {
    if (batch.snapshot !== null && received !== null) {
      const { index, term } = batch.snapshot;
      this.#log = new SavedLog({ index, term, commands: received.commands });
      this.#snapshotData = received.data;
    }
    if (batch.truncateFrom > 0) this.#log.truncate(batch.truncateFrom);
    for (const entry of batch.entries) this.#log.append(entry);
    if (batch.hardState !== null) this.#hardState = batch.hardState;
    this.#save();
  }

  /** The service's state up to `index` is in `data`. */
  compact(index: Index, data: Uint8Array): SnapshotMetadata {
    this.#log = this.#log.compact(index);
    this.#snapshotData = data;
    this.#save();
    return this.#metadata(this.#log.base);
  }

  #metadata({ index, term }: LogBase): SnapshotMetadata {
    return { index, term, configuration: this.#configuration };
  }

  #save(): void {
    const { base, bytes: log } = this.#log;
    this.#persister.save({ ...this.#hardState, base, log } satisfies Saved, this.#snapshotData);
  }
}
