import type { Outgoing, Message, PersistBatch, Term } from '@quorate/raft';
import type { RaftStorage, StorageError } from '../storage.ts';

export interface LogWriterHost {
  send(message: Message): void;
  /** Every batch up to and including `id` is durable. Comes before the messages that waited are sent. */
  onDurable(id: number): void;
  onStorageError(error: StorageError): void;
}

/**
 * Makes the core's batches durable, one call in flight; what arises meanwhile goes together into the next. Keeps the messages
 * that wait for a batch (persist before promise).
 */
export class LogWriter {
  readonly #storage: RaftStorage;
  readonly #host: LogWriterHost;
  #waiting: PersistBatch[] = [];
  #held: Outgoing[] = [];
  #isBusy = false;
  #handedId = 0;
  #durableId = 0;
  #durableTerm: Term;

  constructor(storage: RaftStorage, host: LogWriterHost, durableTerm: Term) {
    this.#storage = storage;
    this.#host = host;
    this.#durableTerm = durableTerm;
  }

  /** The newest durable term. */
  get durableTerm(): Term {
    return this.#durableTerm;
  }

  get isIdle(): boolean {
    return !this.#isBusy && this.#waiting.length === 0;
  }

  isDurable(id: number): boolean {
    return id <= this.#durableId;
  }

  /** Id of the last batch that the core handed out; what waits for it may leave once it is durable. */
  get lastId(): number {
    return this.#handedId;
  }

  add(batch: PersistBatch): void {
    this.#handedId = batch.id;
    this.#waiting.push(batch);
  }

  /** Sends a message at once, or when its batch is durable. */
  send(outgoing: Outgoing): void {
    if (outgoing.after <= this.#durableId) this.#host.send(outgoing.message);
    else this.#held.push(outgoing);
  }

  /** Hands what waits to the storage unless a call is in flight. */
  kick(): void {
    if (this.#isBusy || this.#waiting.length === 0) return;
    const batches = this.#waiting;
    this.#waiting = [];
    this.#isBusy = true;
    this.#storage.append(batches, (error) => {
      this.#isBusy = false;
      if (error === null) this.#onDurable(batches);
      else this.#host.onStorageError(error);
    });
  }

  #onDurable(batches: readonly PersistBatch[]): void {
    for (const batch of batches) {
      if (batch.hardState !== null) this.#durableTerm = batch.hardState.term;
      this.#durableId = batch.id;
    }
    this.#host.onDurable(this.#durableId);
    this.#release();
  }

  #release(): void {
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    for (const outgoing of held) this.send(outgoing);
  }
}
