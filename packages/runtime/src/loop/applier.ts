import { type ApplyRange, type Entry, EntryKind, type Index, type Raft, type Restore, type Term } from '@quorate/raft';
import type { Environment } from '../environment.ts';
import { describe, RaftError } from '../errors.ts';
import type { NodeLimits } from '../node-options.ts';
import { continueApply, type StateMachine } from '../state-machine.ts';
import type { RaftStorage, StorageError } from '../storage.ts';
import { type Restored, restoreNewestSnapshot, storageFailed } from './restore.ts';

/** The clock is read once in so many commands. */
const commandsPerClockReading = 16;

export interface ApplierHost {
  /** Asks for another turn after one more poll. */
  schedule(): void;
  /** One entry took effect. `result` is undefined where it was not a command. */
  onEntry(index: Index, term: Term, result: unknown): void;
  onRestored(restored: Restored): void;
  /** The next entry to apply is damaged on disk. The applier goes on once the core says that it is whole. */
  onFaulty(error: StorageError): void;
  onFatal(error: RaftError): void;
}

/** Feeds committed entries to the state machine, in order, a few milliseconds at a time. */
export class Applier {
  readonly #environment: Environment;
  readonly #limits: NodeLimits;
  readonly #raft: Raft;
  readonly #storage: RaftStorage;
  readonly #stateMachine: StateMachine;
  readonly #host: ApplierHost;
  #applied: Index;
  #target: Index;
  /** Entries fetched and not all applied; the next one is at `#position`. */
  #entries: readonly Entry[] = [];
  #position = 0;
  #isReading = false;
  #restore: Restore | null = null;
  #isRestoring = false;
  /** Counts restores, so that a read begun before one is not used after it. */
  #epoch = 0;

  constructor(
    environment: Environment,
    limits: NodeLimits,
    raft: Raft,
    storage: RaftStorage,
    stateMachine: StateMachine,
    host: ApplierHost,
    applied: Index,
  ) {
    this.#environment = environment;
    this.#limits = limits;
    this.#raft = raft;
    this.#storage = storage;
    this.#stateMachine = stateMachine;
    this.#host = host;
    this.#applied = applied;
    this.#target = applied;
  }

  get appliedIndex(): Index {
    return this.#applied;
  }

  /** The state machine is being replaced: it must be neither read for a snapshot nor applied to. */
  get isRestoring(): boolean {
    return this.#isRestoring || this.#restore !== null;
  }

  /** These entries are committed. */
  extend(range: ApplyRange): void {
    this.#target = Math.max(this.#target, range.to);
  }

  /** Takes the place of all that is left to apply, as soon as its batch is durable (see `startRestore`). */
  replace(restore: Restore): void {
    this.#restore = restore;
    this.#target = restore.snapshot.index;
    this.#entries = [];
    this.#epoch++;
  }

  /** Starts a waiting restore whose batch is durable. */
  startRestore(isDurable: (batch: number) => boolean): void {
    const restore = this.#restore;
    if (restore === null || this.#isRestoring || !isDurable(restore.after)) return;
    this.#restore = null;
    this.#isRestoring = true;
    restoreNewestSnapshot(this.#storage, this.#stateMachine, (error, restored) => {
      this.#isRestoring = false;
      if (error !== null) this.#host.onFatal(error);
      else if (restored === null || restored.index < restore.snapshot.index) {
        this.#host.onFatal(
          new RaftError('InternalError', `The snapshot at ${restore.snapshot.index} was installed but is not there.`),
        );
      } else this.#onRestored(restored);
    });
  }

  /** Applies for one slice. True if anything was applied; whatever is left comes in a later turn. */
  run(): boolean {
    if (this.isRestoring || this.#isReading || this.#applied >= this.#target) return false;
    const before = this.#applied;
    const start = this.#environment.clock.now();
    let count = 0;
    while (this.#applied < this.#target) {
      const entry = this.#nextEntry();
      if (entry === null) break;
      if (!this.#applyOne(entry)) {
        this.#host.schedule();
        break;
      }
      count++;
      if (count % commandsPerClockReading === 0 && this.#isSliceOver(start)) {
        this.#host.schedule();
        break;
      }
    }
    return this.#applied > before;
  }

  #isSliceOver(start: number): boolean {
    return this.#environment.clock.now() - start >= this.#limits.applySlice;
  }

  /** The entry behind the last applied one, or null after asking storage for it. */
  #nextEntry(): Entry | null {
    const next = this.#entries[this.#position];
    if (next !== undefined) return next;
    this.#position = 0;
    this.#entries = this.#raft.entries(this.#applied + 1, this.#target, this.#limits.maxApplyBytes);
    const cached = this.#entries[0];
    if (cached !== undefined) return cached;
    // Of a damaged entry the core says when it is whole again; that comes with an input, and so with a turn.
    if (!this.#raft.isFaulty(this.#applied + 1)) this.#read();
    return null;
  }

  /** Only what is durable: behind it storage may still have what was cut off in memory. Memory holds the rest. */
  #read(): void {
    this.#isReading = true;
    const epoch = this.#epoch;
    const to = Math.min(this.#target, this.#raft.durableIndex);
    this.#storage.read(this.#applied + 1, to, this.#limits.maxApplyBytes, (error, entries) => {
      this.#isReading = false;
      this.#host.schedule();
      if (epoch !== this.#epoch) return;
      if (error?.code === 'FaultyEntry') this.#host.onFaulty(error);
      else if (error !== null) this.#host.onFatal(storageFailed(error));
      else this.#entries = entries;
    });
  }

  /** False if the state machine wants to go on with the same command later. */
  #applyOne(entry: Entry): boolean {
    let result: unknown;
    if (entry.kind === EntryKind.command) {
      try {
        result = this.#stateMachine.apply(entry);
      } catch (error) {
        const message = `The state machine threw on the command at index ${entry.index}: ${describe(error)}`;
        throw new RaftError('StateMachineFailed', message, { cause: error });
      }
      if (result === continueApply) return false;
    }
    this.#applied = entry.index;
    this.#position++;
    this.#host.onEntry(entry.index, entry.term, result);
    return true;
  }

  #onRestored(restored: Restored): void {
    this.#applied = restored.index;
    this.#target = Math.max(this.#target, restored.index);
    this.#entries = [];
    this.#position = 0;
    this.#host.onRestored(restored);
  }
}
