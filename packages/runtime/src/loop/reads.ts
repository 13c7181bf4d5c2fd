import type { Index, Input, Micros, ReadResult } from '@quorate/raft';
import { type ReadOutcome, type ReadRefusal, refusalMessage } from '../outcome.ts';
import { NumberMap } from './number-map.ts';

/** A read of a local caller. */
export interface PendingRead {
  done: (outcome: ReadOutcome) => void;
  isSettled: boolean;
}

interface ReadBatch {
  readonly reads: readonly PendingRead[];
  readonly deadline: Micros;
}

/** Read barriers of local callers (dissertation §6.4). All that gather in one turn share one read index. */
export class Reads {
  readonly #maxPending: number;
  readonly #timeout: Micros;
  #gathered: PendingRead[] = [];
  /** Asked, and not answered by the core yet. */
  readonly #asked = new NumberMap<ReadBatch>();
  /** Confirmed, and waiting for `index` to be applied; few at a time. */
  #confirmed: { readonly index: Index; readonly reads: readonly PendingRead[]; readonly deadline: Micros }[] = [];
  #count = 0;
  #nextId: number;

  constructor(maxPending: number, timeout: Micros, firstId: number) {
    this.#maxPending = maxPending;
    this.#timeout = timeout;
    this.#nextId = firstId;
  }

  get count(): number {
    return this.#count;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get isFull(): boolean {
    return this.#count >= this.#maxPending;
  }

  add(done: (outcome: ReadOutcome) => void): PendingRead {
    const read: PendingRead = { done, isSettled: false };
    this.#gathered.push(read);
    this.#count++;
    return read;
  }

  /** Asks the core once for all that have gathered. */
  flush(now: Micros, step: (input: Input) => void): void {
    if (this.#gathered.length === 0) return;
    const reads = this.#gathered;
    this.#gathered = [];
    const id = this.#nextId++;
    this.#asked.set(id, { reads, deadline: now + this.#timeout });
    step({ kind: 'read', now, id });
  }

  onResult(result: ReadResult, appliedIndex: Index): void {
    const batch = this.#asked.get(result.id);
    if (batch === undefined) return;
    this.#asked.delete(result.id);
    if (result.refused !== null) {
      // A read has no size and writes nothing; a leader that said so would be wrong, and "busy" makes the caller try again.
      const isOfCommands = result.refused === 'tooLarge' || result.refused === 'leaderDiskFull';
      const reason = isOfCommands ? 'busy' : result.refused;
      this.#refuse(batch.reads, reason);
    } else if (result.index <= appliedIndex) this.#ready(batch.reads, appliedIndex);
    else this.#confirmed.push({ index: result.index, reads: batch.reads, deadline: batch.deadline });
  }

  onApplied(appliedIndex: Index): void {
    if (this.#confirmed.length === 0) return;
    const confirmed = this.#confirmed;
    this.#confirmed = [];
    for (const batch of confirmed) {
      if (batch.index <= appliedIndex) this.#ready(batch.reads, appliedIndex);
      else this.#confirmed.push(batch);
    }
  }

  expire(now: Micros): void {
    for (const [id, batch] of this.#asked.entries()) {
      if (batch.deadline > now) continue;
      this.#asked.delete(id);
      this.#refuse(batch.reads, 'timeout');
    }
    const late = this.#confirmed.filter((batch) => batch.deadline <= now);
    if (late.length === 0) return;
    this.#confirmed = this.#confirmed.filter((batch) => batch.deadline > now);
    for (const batch of late) this.#refuse(batch.reads, 'timeout');
  }

  /** The caller waits no longer. */
  abandon(read: PendingRead): void {
    if (read.isSettled) return;
    read.isSettled = true;
    this.#count--;
  }

  stop(): void {
    const all = [...this.#gathered];
    for (const [, batch] of this.#asked.entries()) all.push(...batch.reads);
    for (const batch of this.#confirmed) all.push(...batch.reads);
    this.#gathered = [];
    this.#asked.clear();
    this.#confirmed = [];
    this.#refuse(all, 'shuttingDown');
  }

  #ready(reads: readonly PendingRead[], index: Index): void {
    for (const read of reads) this.#settle(read, { kind: 'ready', index });
  }

  #refuse(reads: readonly PendingRead[], reason: ReadRefusal): void {
    for (const read of reads) this.#settle(read, { kind: 'refused', reason, message: refusalMessage(reason) });
  }

  #settle(read: PendingRead, outcome: ReadOutcome): void {
    if (read.isSettled) return;
    read.isSettled = true;
    this.#count--;
    read.done(outcome);
  }
}
