import type { Index, Micros, Raft, SnapshotMetadata } from '@quorate/raft';
import type { Environment } from '../environment.ts';
import { describe, RaftError } from '../errors.ts';
import type { NodeLimits } from '../node-options.ts';
import type { SnapshotSource, StateMachine } from '../state-machine.ts';
import type { RaftStorage, SnapshotWriter, StorageError } from '../storage.ts';

/** How many times the log that calls for a snapshot may be held for followers on their way to an earlier one. */
const maxHeldRatio = 8;

export interface SnapshotterHost {
  appliedIndex(): Index;
  /** The lowest snapshot that a peer is about to go on from; null if there is none. */
  snapshotFloor(): Index | null;
  /** The snapshot is durable; the log may forget everything up to `through`. */
  onSnapshot(snapshot: SnapshotMetadata, through: Index): void;
  onFatal(error: RaftError): void;
}

/**
 * A snapshot rests for so many times as long as its slices took to make: commands go on meanwhile, and the rest is theirs. Nobody waits
 * for a snapshot.
 */
const restRatio = 3;
/** Shorter rests are put together. Microseconds. */
const shortestRest = 1_000;

/** A snapshot under way. */
interface Running {
  readonly metadata: SnapshotMetadata;
  readonly source: SnapshotSource;
  readonly writer: SnapshotWriter;
  bytes: number;
  /** How long it has still to rest. Microseconds. */
  rest: Micros;
}

/**
 * Takes a snapshot of this server's state whenever the log has outgrown the last one, slice by slice beside everything else, and
 * lets the log go behind it.
 */
export class Snapshotter {
  readonly #environment: Environment;
  readonly #limits: NodeLimits;
  readonly #raft: Raft;
  readonly #storage: RaftStorage;
  readonly #stateMachine: StateMachine;
  readonly #host: SnapshotterHost;
  #lastIndex: Index;
  #lastBytes: number;
  #running: Running | null = null;
  #isWanted = false;
  /** All slices are written; the commit waits until the log is durable up to the snapshot's index. */
  #isWaiting = false;
  #notBefore: Micros = 0;
  #isStopped = false;

  constructor(
    environment: Environment,
    limits: NodeLimits,
    raft: Raft,
    storage: RaftStorage,
    stateMachine: StateMachine,
    host: SnapshotterHost,
    last: { readonly index: Index; readonly bytes: number },
  ) {
    this.#environment = environment;
    this.#limits = limits;
    this.#raft = raft;
    this.#storage = storage;
    this.#stateMachine = stateMachine;
    this.#host = host;
    this.#lastIndex = last.index;
    this.#lastBytes = last.bytes;
  }

  /** Begins a snapshot if it is time for one. Cheap: called after every run of applied commands. */
  check(): void {
    if (this.#running !== null || this.#isStopped) return;
    const applied = this.#host.appliedIndex();
    if (applied <= this.#lastIndex) return;
    // What is in the log and not applied yet, as after a start, is not in this snapshot either.
    const covered = this.#storage.logBytesSince(this.#lastIndex) - this.#storage.logBytesSince(applied);
    if (covered <= this.#threshold() && !this.#isWanted) return;
    if (this.#notBefore > 0 && this.#environment.clock.now() < this.#notBefore) return;
    this.#begin(applied);
  }

  /** The core wants one, however short the log is: its state stands for what is damaged there. */
  want(): void {
    this.#isWanted = true;
    this.check();
  }

  /** More of the log is durable. */
  onDurable(): void {
    if (this.#isWaiting && this.#running !== null) this.#commitWhenDurable(this.#running);
  }

  /** The state came from a snapshot: that is the last one now, and one under way is worth nothing. */
  onRestored(last: { readonly index: Index; readonly bytes: number }): void {
    this.#abandon();
    this.#lastIndex = last.index;
    this.#lastBytes = last.bytes;
  }

  stop(): void {
    this.#isStopped = true;
    this.#abandon();
  }

  #begin(applied: Index): void {
    const term = this.#raft.termAt(applied);
    // Whose configuration stands in a damaged entry must not be guessed.
    if (term === null || !this.#raft.knowsConfigurationAt(applied)) return;
    const metadata = { index: applied, term, configuration: this.#raft.configurationAt(applied) };
    const source = this.#guarded(() => this.#stateMachine.openSnapshot());
    if (source === null) return;
    const running = { metadata, source, writer: this.#storage.createSnapshot(metadata), bytes: 0, rest: 0 };
    this.#running = running;
    this.#isWanted = false;
    this.#environment.logger.log('info', 'taking a snapshot', { index: applied });
    this.#environment.timers.afterPoll(() => this.#writeNext(running));
  }

  #writeNext(running: Running): void {
    if (this.#running !== running) return;
    const began = this.#environment.clock.now();
    const slice = this.#guarded(() => ({ bytes: running.source.next() }));
    if (slice === null) return;
    running.rest += restRatio * (this.#environment.clock.now() - began);
    if (slice.bytes === null) {
      this.#commitWhenDurable(running);
      return;
    }
    running.bytes += slice.bytes.length;
    running.writer.write(slice.bytes, (error) => {
      if (this.#running !== running) return;
      if (error !== null) this.#failed(error);
      else this.#restAndGoOn(running);
    });
  }

  #restAndGoOn(running: Running): void {
    const { timers } = this.#environment;
    const { rest } = running;
    if (rest < shortestRest) {
      timers.afterPoll(() => this.#writeNext(running));
      return;
    }
    running.rest = 0;
    timers.set(rest, () => this.#writeNext(running));
  }

  /**
   * A snapshot must never say more than the log can vouch for: others may have committed what our own disk still lacks, or still has other
   * entries for. So the core is asked, which counts none as durable that it has replaced.
   */
  #commitWhenDurable(running: Running): void {
    this.#isWaiting = this.#raft.durableIndex < running.metadata.index;
    if (this.#isWaiting) return;
    running.writer.commit((error) => {
      if (this.#running !== running) return;
      if (error !== null) this.#failed(error);
      else this.#committed(running);
    });
  }

  #committed(running: Running): void {
    this.#running = null;
    running.source.close();
    this.#lastIndex = running.metadata.index;
    this.#lastBytes = running.bytes;
    const { index } = running.metadata;
    const through = this.#forgettable(index);
    this.#environment.logger.log('info', 'snapshot taken', { index, bytes: running.bytes, logKeptFrom: through + 1 });
    this.#host.onSnapshot(running.metadata, through);
    this.#storage.compact(through, (error) => {
      if (error !== null) this.#environment.logger.log('error', `the log was not shortened: ${error.message}`);
    });
  }

  /**
   * How far the log may go. A follower that is just receiving a snapshot will want the log behind it; if that were gone when it
   * is done, it would need the next snapshot, and so on for ever. But no follower may hold on to more than so much log.
   */
  #forgettable(index: Index): Index {
    const through = Math.max(0, index - this.#limits.snapshotTrailingEntries);
    const floor = this.#host.snapshotFloor();
    if (floor === null || floor >= through) return through;
    return this.#storage.logBytesSince(floor) > maxHeldRatio * this.#threshold() ? through : floor;
  }

  #threshold(): number {
    return Math.max(this.#limits.snapshotMinLogBytes, this.#limits.snapshotLogRatio * this.#lastBytes);
  }

  #failed(error: StorageError): void {
    this.#environment.logger.log('error', `no snapshot was taken: ${error.message}`);
    this.#notBefore = this.#environment.clock.now() + this.#limits.snapshotRetryAfter;
    this.#abandon();
  }

  #abandon(): void {
    const running = this.#running;
    if (running === null) return;
    this.#running = null;
    this.#isWaiting = false;
    running.writer.abort();
    running.source.close();
  }

  /** Calls into the state machine; a throw stops the node, and then the answer is null. */
  #guarded<Result>(call: () => Result): Result | null {
    try {
      return call();
    } catch (error) {
      const message = `The state machine threw while a snapshot was taken: ${describe(error)}`;
      this.#host.onFatal(new RaftError('StateMachineFailed', message, { cause: error }));
      return null;
    }
  }
}
