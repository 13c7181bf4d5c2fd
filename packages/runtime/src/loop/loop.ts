/**
 * The loop: gather what arrived → step each → take the output → send what may leave → hand one batch to the log → when it is
 * durable, an input, send what waited → apply what is committed → answer the callers. It never waits for anything.
 *
 * Messages, completions and timers are stepped as they come, and ask for a turn. The turn comes after one more poll, so that all
 * that had already arrived shares it.
 */
import {
  type Configuration,
  type Incarnation,
  type Index,
  type Input,
  InvariantViolation,
  isFormer,
  type LoadRequest,
  type MemberId,
  type Message,
  type Output,
  type Propose,
  type Raft,
  type Term,
  type RaftEvent,
} from '@quorate/raft';
import type { CoreWatcher } from '../core-watcher.ts';
import type { Environment } from '../environment.ts';
import { describe, RaftError } from '../errors.ts';
import type { Settings } from '../node-options.ts';
import type { Observer } from '../observer.ts';
import type { StateMachine } from '../state-machine.ts';
import type { RaftStorage, StorageError } from '../storage.ts';
import type { Transport } from '../transport/transport.ts';
import { unspokenVersion } from '../unspoken-version.ts';
import { Applier } from './applier.ts';
import { Callers } from './callers.ts';
import { neverLeft, payload, refusedForRoom } from './carried.ts';
import { debugOutput, debugReceived, debugSent, watchesMessages } from './debug.ts';
import { LogWriter } from './log-writer.ts';
import { NamedTimers } from './named-timers.ts';
import { type Restored, storageFailed } from './restore.ts';
import { Snapshotter } from './snapshotter.ts';

/** The same kind of trouble is reported once in this time. Microseconds. */
const reportInterval = 10_000_000;

export interface LoopParts {
  readonly environment: Environment;
  readonly settings: Settings;
  readonly observer: Observer;
  readonly watcher: CoreWatcher | null;
  readonly raft: Raft;
  readonly storage: RaftStorage;
  readonly stateMachine: StateMachine;
  readonly transport: Transport;
  /** What is durable and applied at the start. */
  readonly durableTerm: Term;
  readonly applied: Index;
  readonly snapshot: Restored;
  readonly hooks: LoopHooks;
}

export interface LoopHooks {
  /** Something that the core reports. */
  onEvent(event: RaftEvent): void;
  /** After each run of applied entries. */
  onApplied(index: Index): void;
  /** A peer says that this server has left the cluster. */
  onRemoved(reason: string): void;
  /** The node has stopped for good. */
  onFatal(error: RaftError): void;
}

export class Loop {
  readonly raft: Raft;
  readonly #parts: LoopParts;
  readonly #environment: Environment;
  readonly #observer: Observer;
  readonly #storage: RaftStorage;
  readonly #transport: Transport;
  readonly #timers: NamedTimers;
  readonly #writer: LogWriter;
  readonly #applier: Applier;
  readonly #snapshotter: Snapshotter;
  readonly #callers: Callers;
  readonly #watcher: CoreWatcher | null;
  readonly #step = (input: Input): void => {
    this.#watcher?.onStep?.(input);
    this.raft.step(input);
    this.#watcher?.onInput(input);
  };
  readonly #onPoll = (): void => {
    this.#isTurnDue = false;
    try {
      this.#turn();
    } catch (error) {
      this.#broken(error);
    }
  };
  readonly #hasRoomFor = (bytes: number, entries: number): boolean => this.#storage.hasRoomFor(bytes, entries);
  /** Inputs that arose inside a turn, for the next. */
  #deferred: Input[] = [];
  /** Commands of others for which the disk has no room, to be refused in the next turn. */
  #roomless: Propose[] = [];
  #isTurnDue = false;
  #state: 'running' | 'closing' | 'stopped' = 'running';
  #onIdle: (() => void) | null = null;
  #reportedFullAt = Number.NEGATIVE_INFINITY;
  /** The batch behind which the last received snapshot is installed; 'stepped' until the core has handed that batch out. */
  #installing: number | 'stepped' = 0;

  constructor(parts: LoopParts) {
    const { environment, settings, raft, storage, stateMachine } = parts;
    this.#parts = parts;
    this.raft = raft;
    this.#environment = environment;
    this.#observer = parts.observer;
    this.#watcher = parts.watcher;
    this.#storage = storage;
    this.#transport = parts.transport;
    this.#timers = new NamedTimers(environment, {
      onDue: () => this.#schedule(),
      onLate: (lateness) => this.#onLate(lateness),
    });
    this.#writer = new LogWriter(
      storage,
      {
        send: (message) => this.#send(message),
        onDurable: (id) => this.#arrived({ kind: 'persisted', now: environment.clock.now(), id }),
        onStorageError: (error) => this.fail(storageFailed(error)),
      },
      parts.durableTerm,
    );
    this.#applier = new Applier(
      environment,
      settings.limits,
      raft,
      storage,
      stateMachine,
      {
        schedule: () => this.#schedule(),
        onEntry: (index, term, result) => this.#callers.onEntry(index, term, result),
        onRestored: (restored) => this.#onRestored(restored),
        onFaulty: (error) => this.#onFaulty(error),
        onFatal: (error) => this.fail(error),
      },
      parts.applied,
    );
    this.#snapshotter = new Snapshotter(
      environment,
      settings.limits,
      raft,
      storage,
      stateMachine,
      {
        appliedIndex: () => this.#applier.appliedIndex,
        snapshotFloor: () => this.#transport.snapshotFloor(),
        onSnapshot: (snapshot, through) =>
          this.#arrived({ kind: 'compacted', now: environment.clock.now(), snapshot, through }),
        onFatal: (error) => this.fail(error),
      },
      parts.snapshot,
    );
    storage.onFailure((error) => this.fail(storageFailed(error)));
    this.#callers = new Callers(environment, settings, {
      isRunning: () => this.isRunning,
      isStopped: () => this.#state === 'stopped',
      schedule: () => this.#schedule(),
      guard: (work) => this.#guard(work),
    });
  }

  /** Takes messages from here on, and carries out what the core wants first. */
  start(): void {
    this.#transport.start({
      storage: this.#storage,
      durableTerm: () => this.#writer.durableTerm,
      versionInUse: () => this.raft.versionInUse,
      boundIncarnation: (member) => boundIncarnation(this.raft, member),
      isFormer: (member, incarnation) => isFormer(committedConfiguration(this.raft), member, incarnation),
      onRemoved: (reason) => this.#parts.hooks.onRemoved(reason),
      needsSnapshot: (index) => this.raft.needsSnapshot(index),
      isInstalling: () => this.#isInstalling(),
      onMessage: (message) => this.#onMessage(message),
      onUnreachable: (peer) => this.#defer({ kind: 'unreachable', now: this.#environment.clock.now(), peer }),
      onGone: (peer) => this.#defer({ kind: 'peerGone', now: this.#environment.clock.now(), peer }),
      onSnapshotSent: (peer, delivered) =>
        this.#defer({ kind: 'snapshotSent', now: this.#environment.clock.now(), peer, delivered }),
      onStorageError: (error) => this.#onSideError(error),
    });
    this.#schedule();
  }

  get appliedIndex(): Index {
    return this.#applier.appliedIndex;
  }

  get durableTerm(): number {
    return this.#writer.durableTerm;
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** This server's own clients. */
  get callers(): Callers {
    return this.#callers;
  }

  /** Stops for good because of `error`. Whoever waits is told what is certain. */
  fail(error: RaftError): void {
    if (this.#state === 'stopped') return;
    this.#stop('The server has stopped.');
    this.#parts.hooks.onFatal(error);
  }

  /** Accepts nothing more; calls back when all that waits is answered or `closeTimeout` is over, and everything has stopped. */
  close(done: () => void): void {
    if (this.#state === 'stopped') {
      this.#environment.timers.afterPoll(done);
      return;
    }
    this.#state = 'closing';
    let isOver = false;
    const finish = (): void => {
      if (isOver) return;
      isOver = true;
      this.#environment.timers.clear(limit);
      this.#stop('The server was closed before the outcome was known.');
      done();
    };
    const limit = this.#environment.timers.set(this.#parts.settings.limits.closeTimeout, finish);
    this.#onIdle = finish;
    this.#schedule();
  }

  // ------------------------------------------------------------------------------------------------------------ inputs

  /** An input that comes from the event loop: stepped at once. */
  #arrived(input: Input): void {
    if (this.#state === 'stopped') return;
    // Written out, as in `#onPoll`: a closure for each input would be one for every message.
    try {
      this.#step(input);
      this.#schedule();
    } catch (error) {
      this.#broken(error);
    }
  }

  /** An input that may arise inside a turn: stepped in the next. */
  #defer(input: Input): void {
    if (this.#state === 'stopped') return;
    this.#deferred.push(input);
    this.#schedule();
  }

  #onMessage(message: Message): void {
    if (watchesMessages(this.#observer)) debugReceived(this.#observer, message);
    if (!this.#hasRoomForMessage(message)) return;
    if (message.kind === 'installSnapshot') this.#installing = 'stepped';
    this.#arrived({ kind: 'message', now: this.#environment.clock.now(), message });
  }

  #isInstalling(): boolean {
    if (this.#installing === 'stepped' || this.#applier.isRestoring) return true;
    return !this.#writer.isDurable(this.#installing);
  }

  /** The disk reserve is looked at before anything is appended: a refusal now is definite, one later could not be. */
  #hasRoomForMessage(message: Message): boolean {
    const { bytes, entries } = payload(message);
    if (entries === 0 || this.#storage.hasRoomFor(bytes, entries)) return true;
    const now = this.#environment.clock.now();
    if (now - this.#reportedFullAt > reportInterval) {
      this.#reportedFullAt = now;
      const what = 'the disk is full up to its reserve, new entries are refused. Free some space.';
      this.#environment.logger.log('error', what);
    }
    if (message.kind === 'propose') {
      this.#roomless.push(message);
      this.#schedule();
    }
    return false;
  }

  #onLate(lateness: number): void {
    if (lateness <= this.#parts.settings.raft.electionTimeoutMin / 2) return;
    const stalledFor = Math.round(lateness / 1000);
    this.#environment.logger.log('warn', `this process stood still for about ${stalledFor} ms`, { stalledFor });
  }

  // -------------------------------------------------------------------------------------------------------------- turn

  #schedule(): void {
    if (this.#isTurnDue || this.#state === 'stopped') return;
    this.#isTurnDue = true;
    this.#environment.timers.afterPoll(this.#onPoll);
  }

  #turn(): void {
    this.#callers.answerRefused();
    if (this.#state === 'stopped') return;
    for (const input of this.#takeDeferred()) this.#step(input);
    this.#fireTimers();
    const now = this.#environment.clock.now();
    this.#callers.flush(now, this.#hasRoomFor, this.#step);
    this.#drain();
    if (this.#onIdle !== null) this.#closeWhenIdle(this.#onIdle);
  }

  #takeDeferred(): readonly Input[] {
    const inputs = this.#deferred;
    if (inputs.length > 0) this.#deferred = [];
    return inputs;
  }

  /** Timers that ran out before the last poll. One that something armed anew since has another generation: the core ignores it. */
  #fireTimers(): void {
    const due = this.#timers.takeDue();
    if (due.length === 0) return;
    const now = this.#environment.clock.now();
    for (const { name, generation } of due) this.#step({ kind: 'timeout', now, name, generation });
  }

  /** Carries out outputs until the core has nothing more to say. */
  #drain(): void {
    do {
      const output = this.raft.takeOutput();
      this.#watcher?.onOutput(output);
      this.#carryOut(output);
      this.#refuseRoomless();
      if (this.#installing === 'stepped') this.#installing = this.#writer.lastId;
      this.#transport.flush();
      this.#writer.kick();
    } while (this.#state !== 'stopped' && this.#apply());
  }

  /** Like every message of the core, each waits until the term it speaks of is durable: the batch with it was handed out just now. */
  #refuseRoomless(): void {
    if (this.#roomless.length === 0) return;
    const { incarnation } = this.#transport.context.identity;
    for (const message of this.#roomless) {
      const answer = refusedForRoom(message, this.raft.term, incarnation);
      this.#writer.send({ message: answer, after: this.#writer.lastId });
    }
    this.#roomless = [];
  }

  #carryOut(output: Output): void {
    if (watchesMessages(this.#observer)) debugOutput(this.#observer, output);
    this.#timers.arm(output.arm, this.#environment.clock.now());
    if (output.persist !== null) this.#writer.add(output.persist);
    for (const outgoing of output.send) this.#writer.send(outgoing);
    for (const request of output.load) this.#load(request);
    if (output.restore !== null) this.#replace(output.restore);
    if (output.apply !== null) this.#applier.extend(output.apply);
    if (output.takeSnapshot) this.#snapshotter.want();
    this.#callers.onOutput(output, this.#applier.appliedIndex);
    for (const event of output.events) this.#onEvent(event);
  }

  #send(message: Message): void {
    if (watchesMessages(this.#observer)) debugSent(this.#observer, message);
    this.#watcher?.onSend(message);
    const isTaken = this.#transport.send(message);
    // Their callers need not be left in doubt: the answer is stepped in the leader's stead.
    if (!isTaken && (message.kind === 'propose' || message.kind === 'changeMembers')) {
      const incarnation = boundIncarnation(this.raft, message.to) ?? '';
      const answer = neverLeft(message, this.raft.term, incarnation);
      this.#defer({ kind: 'message', now: this.#environment.clock.now(), message: answer });
    }
  }

  #onEvent(event: RaftEvent): void {
    if (event.kind === 'leader' && event.leader === null) this.#callers.onLeaderLost();
    this.#parts.hooks.onEvent(event);
    if (event.kind !== 'configuration') return;
    const unspoken = unspokenVersion(event.configuration, this.#parts.settings.raft.release);
    if (unspoken !== null) this.fail(unspoken);
  }

  #load({ id, from, to, maxBytes }: LoadRequest): void {
    this.#storage.read(from, to, maxBytes, (error, entries) => {
      const now = this.#environment.clock.now();
      if (error === null) this.#arrived({ kind: 'loaded', now, id, entries });
      else if (error.code === 'Compacted') this.#arrived({ kind: 'loadFailed', now, id, reason: 'compacted' });
      else if (error.code === 'FaultyEntry') {
        this.#onFaulty(error);
        this.#arrived({ kind: 'loadFailed', now, id, reason: 'faulty' });
      } else this.fail(storageFailed(error));
    });
  }

  /** A record has rotted since it was written: the core gets the entry from another server. */
  #onFaulty(error: StorageError): void {
    const { message, index, path, offset } = error;
    if (index === null) return this.fail(storageFailed(error));
    this.#environment.logger.log('error', message, { index, path, offset });
    this.#arrived({ kind: 'faulty', now: this.#environment.clock.now(), index });
  }

  #replace(restore: NonNullable<Output['restore']>): void {
    this.#snapshotter.onRestored({ index: restore.snapshot.index, bytes: 0 });
    this.#applier.replace(restore);
  }

  /** Applies for one slice; true if the core has something new to say because of it. */
  #apply(): boolean {
    this.#applier.startRestore((batch) => this.#writer.isDurable(batch));
    if (!this.#applier.run()) {
      this.#snapshotter.onDurable();
      return false;
    }
    this.#afterApplied();
    return true;
  }

  #afterApplied(): void {
    const index = this.#applier.appliedIndex;
    this.#step({ kind: 'applied', now: this.#environment.clock.now(), index });
    this.#callers.onApplied(index);
    this.#parts.hooks.onApplied(index);
    if (this.#state === 'running') this.#snapshotter.check();
  }

  #onRestored(restored: Restored): void {
    if (this.#state === 'stopped') return;
    this.#guard(() => {
      this.#environment.logger.log('info', 'state restored from a snapshot', { index: restored.index });
      this.#snapshotter.onRestored(restored);
      this.#callers.onRestored(restored.index);
      this.#afterApplied();
      this.#schedule();
    });
  }

  // --------------------------------------------------------------------------------------------------------------- end

  /** An error of the disk beside the log: reading a snapshot, receiving one. */
  #onSideError(error: StorageError): void {
    if (error.code === 'DiskFull') this.#environment.logger.log('error', error.message);
    else if (error.code === 'CorruptSnapshot') this.#replaceSnapshot(error);
    else this.fail(storageFailed(error));
  }

  /** The snapshot on disk has rotted since it was written: what it stood for is in the state machine, and the next one takes its place. */
  #replaceSnapshot({ message, path, offset }: StorageError): void {
    this.#environment.logger.log('error', message, { path, offset });
    this.#snapshotter.want();
  }

  #closeWhenIdle(finish: () => void): void {
    if (this.#callers.isEmpty && this.#writer.isIdle) finish();
  }

  #stop(why: string): void {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    this.#watcher?.onStop?.();
    this.#timers.stop();
    this.#snapshotter.stop();
    this.#transport.close();
    this.#callers.stop(why);
  }

  /** Whatever is thrown in here breaks an invariant, ours or the state machine's: the node stops rather than go on. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#broken(error);
    }
  }

  #broken(error: unknown): void {
    if (error instanceof RaftError) {
      this.fail(error);
      return;
    }
    const what =
      error instanceof InvariantViolation ? 'An invariant of the algorithm was broken' : 'An internal error occurred';
    const message = `${what}: ${describe(error)} The server stopped to protect its data. Please report this.`;
    this.fail(new RaftError('InternalError', message, { cause: error }));
  }
}

/** The newest configuration that is certain to stand. */
function committedConfiguration(raft: Raft): Configuration {
  const { configuration, commitIndex } = raft;
  return configuration.index <= commitIndex ? configuration : raft.configurationAt(commitIndex);
}

function boundIncarnation(raft: Raft, member: MemberId): Incarnation | null {
  return raft.configuration.members.find((it) => it.id === member)?.incarnation ?? null;
}
