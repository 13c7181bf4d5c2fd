/** What our Raft saves: term and vote, the log, and the snapshot. */
import {
  type Configuration,
  configurationsIn,
  decodeConfiguration,
  encodeConfiguration,
  type Index,
  type PersistBatch,
  type RecoveredState,
  type SnapshotMetadata,
  termRunsOf,
} from '@quorate/raft';
import type { Persister } from '../interface.ts';
import { type LogBase, type LogBytes, SavedLog } from './saved-log.ts';

interface Saved {
  readonly term: number;
  readonly vote: string | null;
  readonly base: LogBase;
  /** In force at the base, and where it was defined; left out: that of the beginning. */
  readonly configuration?: SavedConfiguration | undefined;
  /** Encoded entries behind the base. */
  readonly log: LogBytes;
}

interface SavedConfiguration {
  readonly index: Index;
  readonly data: Uint8Array;
}

/** A snapshot that came from another server. */
export interface ReceivedSnapshot {
  readonly data: Uint8Array;
  readonly commands: number;
}

export class Disk {
  readonly #persister: Persister;
  /** In force at the log's base. */
  #configuration: Configuration;
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
    this.#configuration = decoded(saved.configuration) ?? configuration;
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
    return {
      hardState: this.#hardState,
      snapshot: this.#metadata(base),
      base,
      lastIndex,
      termRuns: termRunsOf(entries),
      configurations: configurationsIn(entries),
      faulty: [],
      tail: entries,
      applied: base.index,
    };
  }

  /** One save for all of it. */
  write(batch: PersistBatch, received: ReceivedSnapshot | null): void {
    if (batch.snapshot !== null && received !== null) {
      const { index, term, configuration } = batch.snapshot;
      this.#configuration = configuration;
      this.#log = new SavedLog({ index, term, commands: received.commands });
      this.#snapshotData = received.data;
    }
    if (batch.truncateFrom > 0) this.#log.truncate(batch.truncateFrom);
    for (const entry of batch.entries) this.#log.append(entry);
    if (batch.hardState !== null) this.#hardState = batch.hardState;
    this.#save();
  }

  /** The service's state up to `index` is in `data`; `configuration` is in force there. */
  compact(index: Index, data: Uint8Array, configuration: Configuration): SnapshotMetadata {
    this.#configuration = configuration;
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
    const { index } = this.#configuration;
    const configuration = index === 0 ? undefined : { index, data: encodeConfiguration(this.#configuration) };
    const { term, vote } = this.#hardState;
    this.#persister.save({ term, vote, base, configuration, log } satisfies Saved, this.#snapshotData);
  }
}

function decoded(saved: SavedConfiguration | undefined): Configuration | null {
  return saved === undefined ? null : decodeConfiguration(saved.data, saved.index);
}
