import type { Index } from '@quorate/raft';
import { describe, RaftError } from '../errors.ts';
import type { SnapshotSink, StateMachine } from '../state-machine.ts';
import type { RaftStorage, SnapshotReader, StorageError } from '../storage.ts';

export interface Restored {
  readonly index: Index;
  /** Size of the snapshot on disk. */
  readonly bytes: number;
}

/** Replaces the state machine's whole state by the newest snapshot, slice by slice. */
export function restoreNewestSnapshot(
  storage: RaftStorage,
  stateMachine: StateMachine,
  done: (error: RaftError | null, restored: Restored | null) => void,
): void {
  storage.openSnapshot((error, reader) => {
    if (error !== null) done(storageFailed(error), null);
    else if (reader === null) done(null, null);
    else new Restoration(reader, stateMachine, done).start();
  });
}

/** A storage error as the reason why a node stops. */
export function storageFailed(error: StorageError): RaftError {
  return new RaftError('StorageFailed', error.message, { cause: error });
}

class Restoration {
  readonly #reader: SnapshotReader;
  readonly #stateMachine: StateMachine;
  readonly #done: (error: RaftError | null, restored: Restored | null) => void;

  constructor(
    reader: SnapshotReader,
    stateMachine: StateMachine,
    done: (error: RaftError | null, restored: Restored | null) => void,
  ) {
    this.#reader = reader;
    this.#stateMachine = stateMachine;
    this.#done = done;
  }

  start(): void {
    let sink: SnapshotSink;
    try {
      sink = this.#stateMachine.beginRestore();
    } catch (error) {
      this.#refused(error);
      return;
    }
    this.#next(sink);
  }

  #next(sink: SnapshotSink): void {
    this.#reader.readSlice((error, slice) => {
      if (error !== null) {
        sink.abort();
        this.#end(storageFailed(error), null);
        return;
      }
      try {
        if (slice === null) sink.finish(this.#reader.metadata.index);
        else sink.write(slice);
      } catch (refusal) {
        this.#refused(refusal);
        return;
      }
      if (slice !== null) this.#next(sink);
      else this.#end(null, { index: this.#reader.metadata.index, bytes: this.#reader.totalBytes });
    });
  }

  #refused(error: unknown): void {
    const message =
      `The state machine refused the snapshot at index ${this.#reader.metadata.index}: ${describe(error)} ` +
      'If the program was downgraded, start the version that wrote the snapshot.';
    this.#end(new RaftError('StateMachineFailed', message, { cause: error }), null);
  }

  #end(error: RaftError | null, restored: Restored | null): void {
    this.#reader.close();
    this.#done(error, restored);
  }
}
