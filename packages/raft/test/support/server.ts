/**
 * Drives one core as a runtime does, but lets the test decide when anything happens: disk, timers, applies and loads
 * complete on command (or at once, where a test does not care).
 */
import { deepFreeze } from '../../../../test-support/deep-freeze.ts';
import {
  type ApplyRange,
  type Entry,
  EntryKind,
  type Incarnation,
  type Index,
  type Input,
  type LoadRequest,
  type LogPosition,
  type MemberChange,
  type MemberId,
  type Message,
  type Micros,
  type Outgoing,
  type Output,
  type ProposalResult,
  Raft,
  type RaftEvent,
  type RaftOptions,
  type ReadResult,
  type Release,
  type Restore,
  type SnapshotMetadata,
  type TimerName,
} from '../../src/index.ts';
import type { Disk } from './disk.ts';
import type { Observer } from './observer.ts';

/** A state machine that keeps every command it was given, in order. */
export interface Machine {
  /** The last entry that went into it. */
  readonly position: LogPosition;
  readonly commands: readonly string[];
}

export interface ArmedTimer {
  readonly name: TimerName;
  readonly generation: number;
  readonly min: Micros;
  readonly max: Micros;
  /** Drawn by the world when the timer was armed. */
  readonly due: Micros;
}

/** What the surroundings of a server provide. */
export interface World {
  readonly now: Micros;
  /** Puts a message on the network. */
  send(message: Message): void;
  /** Draws a timer's delay. */
  draw(server: TestServer, name: TimerName, min: Micros, max: Micros): Micros;
  /** The state of a peer's machine as the snapshot at this position holds it. */
  snapshotState(position: LogPosition): Machine;
  readonly observers: readonly Observer[];
}

/** Which duties a server carries out at once. What is not automatic waits for the test's command. */
export interface Automation {
  disk: boolean;
  apply: boolean;
  load: boolean;
}

const text = new TextDecoder();

export class TestServer {
  readonly id: MemberId;
  incarnation: Incarnation;
  readonly disk: Disk;
  readonly automatic: Automation = { disk: true, apply: true, load: true };
  /** Entries of the log that a start hands over in memory; the rest must be loaded. */
  tailLength = 1000;
  machine: Machine = { position: { index: 0, term: 0 }, commands: [] };
  /** What survives in a state machine that is durable in itself; null for one that lives in memory. */
  durableMachine: Machine | null = null;
  readonly timers = new Map<TimerName, ArmedTimer>();
  /** Messages that wait for a batch. */
  held: Outgoing[] = [];
  applies: ApplyRange[] = [];
  loads: LoadRequest[] = [];
  restore: Restore | null = null;
  /** The core asked for a snapshot that was not taken yet. */
  snapshotWanted = false;
  readonly proposals: ProposalResult[] = [];
  readonly reads: ReadResult[] = [];
  readonly events: RaftEvent[] = [];
  /** While true, inputs gather and no output is taken, as in a turn of an event loop. */
  gathering = false;
  readonly #world: World;
  /** What it speaks from its next start on. */
  release: Release;
  readonly #options: Omit<RaftOptions, 'id' | 'incarnation'>;
  #core: Raft | null = null;
  #flushing = false;

  constructor(
    id: MemberId,
    incarnation: Incarnation,
    disk: Disk,
    world: World,
    options: Omit<RaftOptions, 'id' | 'incarnation'>,
  ) {
    this.id = id;
    this.incarnation = incarnation;
    this.disk = disk;
    this.#world = world;
    this.#options = options;
    this.release = options.release;
  }

  get running(): boolean {
    return this.#core !== null;
  }

  get core(): Raft {
    if (this.#core === null) {
      throw new Error(`${this.id} is down`);
    }
    return this.#core;
  }

  get options(): RaftOptions {
    return { ...this.#options, release: this.release, id: this.id, incarnation: this.incarnation };
  }

  start(): void {
    if (this.#core !== null) {
      throw new Error(`${this.id} runs already`);
    }
    const recovered = this.disk.durable.recovered(
      this.disk.chainOfSnapshot,
      this.tailLength,
      this.durableMachine?.position.index,
      this.disk.knowsFaultyKinds,
    );
    this.disk.latest = this.disk.durable.clone();
    this.machine =
      this.durableMachine !== null && this.durableMachine.position.index >= recovered.snapshot.index
        ? this.durableMachine
        : this.#world.snapshotState(recovered.snapshot);
    this.#notify((observer) => observer.starting?.(this, recovered));
    this.#core = new Raft(this.options, recovered);
    this.#notify((observer) => observer.started?.(this));
    this.flush();
  }

  /** Stops the server at once. Of the batches on their way the first `survivors` reach the disk. */
  crash(survivors = 0): void {
    this.#notify((observer) => observer.crashing?.(this));
    this.disk.crash(survivors);
    this.#core = null;
    this.gathering = false;
    this.timers.clear();
    this.held = [];
    this.applies = [];
    this.loads = [];
    this.restore = null;
    this.snapshotWanted = false;
    this.#notify((observer) => observer.crashed?.(this));
  }

  /** Steps one input and carries out what follows. */
  input(input: Input): void {
    this.step(input);
    this.flush();
  }

  /** Steps one input and leaves the output untaken, as a driver does that gathers inputs. */
  step(input: Input): void {
    const core = this.core;
    // Whoever made it may show it to others, and so may whoever is handed an output: nobody may write to either.
    deepFreeze(input);
    this.#notify((observer) => observer.stepping?.(this, input));
    core.step(input);
    this.#notify((observer) => observer.stepped?.(this, input));
  }

  /** Takes outputs and carries them out until nothing automatic is left to do. */
  flush(): void {
    if (this.#flushing || this.gathering) {
      return;
    }
    this.#flushing = true;
    try {
      do {
        this.#carryOut(deepFreeze(this.core.takeOutput()));
      } while (this.#core !== null && this.#automate());
    } finally {
      this.#flushing = false;
    }
  }

  receive(message: Message): void {
    this.input({ kind: 'message', message, now: this.#world.now });
  }

  /** Fires an armed timer. */
  fire(name: TimerName): void {
    const timer = this.timers.get(name);
    if (timer === undefined) {
      throw new Error(`${this.id} has no ${name} timer armed`);
    }
    this.timers.delete(name);
    this.input({ kind: 'timeout', name, generation: timer.generation, now: this.#world.now });
  }

  propose(id: number, commands: readonly string[]): void {
    const encoder = new TextEncoder();
    this.input({
      kind: 'propose',
      id,
      commands: commands.map((command) => encoder.encode(command)),
      now: this.#world.now,
    });
  }

  read(id: number): void {
    this.input({ kind: 'read', id, now: this.#world.now });
  }

  change(id: number, changes: readonly MemberChange[], version: number | null = null): void {
    this.input({ kind: 'change', id, changes, version, now: this.#world.now });
  }

  transfer(id: number, target: MemberId | null): void {
    this.input({ kind: 'transfer', id, target, now: this.#world.now });
  }

  /** The next `count` pending batches become durable; then the core is told once, of the last of them. */
  completeDisk(count = this.disk.pending.length): void {
    this.#completeBatches(count);
    this.flush();
  }

  /** Applies what is committed, or at most `count` entries of it. */
  completeApply(count = Number.POSITIVE_INFINITY): void {
    this.#applySome(count);
    this.flush();
  }

  /** Answers the oldest load request from the disk, with at most `count` entries. */
  completeLoad(count = Number.POSITIVE_INFINITY): void {
    this.#answerLoad(count);
    this.flush();
  }

  failLoad(reason: 'compacted' | 'faulty'): void {
    const request = this.loads.shift();
    if (request === undefined) {
      throw new Error(`${this.id} asked for no entries`);
    }
    this.input({ kind: 'loadFailed', id: request.id, reason, now: this.#world.now });
  }

  /** A snapshot of the state machine as it is now becomes durable, and the log forgets what lies up to `through`. */
  compact(through: Index = this.machine.position.index): SnapshotMetadata {
    const snapshot: SnapshotMetadata = {
      ...this.machine.position,
      configuration: this.core.configurationAt(this.machine.position.index),
    };
    this.disk.compact(snapshot, through);
    this.#notify((observer) => observer.compacted?.(this, snapshot, through));
    this.input({ kind: 'compacted', snapshot, through, now: this.#world.now });
    return snapshot;
  }

  #carryOut(output: Output): void {
    this.#notify((observer) => observer.output?.(this, output));
    const { persist } = output;
    if (persist !== null) {
      this.disk.submit(persist);
      this.#notify((observer) => observer.submitted?.(this, persist));
    }
    for (const outgoing of output.send) {
      if (outgoing.after > this.disk.durableId) {
        this.held.push(outgoing);
      } else {
        this.#send(outgoing);
      }
    }
    for (const command of output.arm) {
      if (command.max === 0) {
        this.timers.delete(command.name);
      } else {
        const due = this.#world.now + this.#world.draw(this, command.name, command.min, command.max);
        this.timers.set(command.name, { ...command, due });
      }
    }
    if (output.restore !== null) {
      this.restore = output.restore;
      this.applies = [];
    }
    if (output.apply !== null) {
      this.applies.push(output.apply);
    }
    this.loads.push(...output.load);
    this.snapshotWanted ||= output.takeSnapshot;
    this.proposals.push(...output.proposals);
    this.reads.push(...output.reads);
    this.events.push(...output.events);
  }

  /** Does one round of whatever is automatic; false if there was nothing. */
  #automate(): boolean {
    let acted = false;
    if (this.automatic.disk && this.disk.pending.length > 0) {
      this.#completeBatches(this.disk.pending.length);
      acted = true;
    }
    if (this.automatic.apply && this.canApply) {
      this.#applySome(Number.POSITIVE_INFINITY);
      acted = true;
    }
    if (this.automatic.load && this.loads.length > 0) {
      this.#answerLoad(Number.POSITIVE_INFINITY);
      acted = true;
    }
    if (this.snapshotWanted && this.automatic.apply && this.mayCompact) {
      this.snapshotWanted = false;
      this.compact();
      acted = true;
    }
    return acted;
  }

  /** A driver snapshots what is applied, stands in its durable log, and has a known configuration. */
  get mayCompact(): boolean {
    const { index } = this.machine.position;
    const isNew = index > this.core.status().snapshot.index;
    return isNew && this.restore === null && this.core.knowsConfigurationAt(index) && this.disk.holdsDurably(index);
  }

  #completeBatches(count: number): void {
    let last = 0;
    for (let done = 0; done < count; done++) {
      const batch = this.disk.completeOne();
      last = batch.id;
      this.#notify((observer) => observer.durable?.(this, batch));
      const released = this.held.filter((outgoing) => outgoing.after <= batch.id);
      this.held = this.held.filter((outgoing) => outgoing.after > batch.id);
      for (const outgoing of released) {
        this.#send(outgoing);
      }
    }
    this.step({ kind: 'persisted', id: last, now: this.#world.now });
  }

  /** Whether there is something to apply or to restore, and nothing damaged stands in its way. */
  get canApply(): boolean {
    if (this.restore !== null) {
      return this.#restoreReady();
    }
    const next = this.applies[0];
    return next !== undefined && !this.core.isFaulty(next.from);
  }

  #restoreReady(): boolean {
    return this.restore !== null && this.restore.after <= this.disk.durableId;
  }

  #applySome(count: number): void {
    if (this.#restoreReady() && this.restore !== null) {
      const { snapshot } = this.restore;
      this.restore = null;
      this.#moveMachine(this.#world.snapshotState(snapshot));
      this.#notify((observer) => observer.restored?.(this, snapshot));
      this.step({ kind: 'applied', index: snapshot.index, now: this.#world.now });
      return;
    }
    const range = this.applies.shift();
    if (this.restore !== null || range === undefined) {
      throw new Error(`${this.id} has nothing to apply yet`);
    }
    const to = Math.min(range.to, range.from + count - 1);
    const entries = this.#committedEntries(range.from, to);
    const last = entries.at(-1)?.index ?? range.from - 1;
    if (last < range.to) {
      this.applies = [{ from: last + 1, to: range.to }, ...this.applies.filter((other) => other.from > range.to)];
    }
    if (entries.length > 0) {
      this.#applyEntries(entries);
      this.step({ kind: 'applied', index: last, now: this.#world.now });
    }
    if (last < to) {
      this.#meetDamage(last + 1);
    }
  }

  #applyEntries(entries: readonly Entry[]): void {
    const commands: string[] = [];
    let position = this.machine.position;
    for (const entry of entries) {
      if (entry.index !== position.index + 1) {
        throw new Error(`${this.id} was told to apply ${entry.index} after ${position.index}`);
      }
      position = { index: entry.index, term: entry.term };
      if (entry.kind === EntryKind.command) {
        commands.push(text.decode(entry.data));
      }
    }
    this.#moveMachine({ position, commands: [...this.machine.commands, ...commands] });
    this.#notify((observer) => observer.applied?.(this, entries));
  }

  /** From the core's memory, and where that has forgotten them, from the disk: never anything else. Ends before a damaged one. */
  #committedEntries(from: Index, to: Index): readonly Entry[] {
    const entries: Entry[] = [];
    for (let next = from; next <= to; next = from + entries.length) {
      const cached = this.core.entries(next, to, 1 << 20);
      if (cached.length > 0) {
        entries.push(...cached);
        continue;
      }
      const stored = this.disk.holdsDurably(next) ? this.disk.durable.readAt(next) : null;
      if (stored === null && this.disk.durable.isDamaged(next)) {
        break;
      }
      if (stored === null) {
        throw new Error(`${this.id} is to apply entry ${next}, which is neither in memory nor on its disk`);
      }
      entries.push(stored);
    }
    return entries;
  }

  #moveMachine(machine: Machine): void {
    this.machine = machine;
    if (this.durableMachine !== null) {
      this.durableMachine = machine;
    }
  }

  #answerLoad(count: number): void {
    const request = this.loads.shift();
    if (request === undefined) {
      throw new Error(`${this.id} asked for no entries`);
    }
    const entries: Entry[] = [];
    let bytes = 0;
    for (let index = request.from; index <= request.to && entries.length < count; index++) {
      const entry = this.disk.durable.readAt(index);
      if (entry === null || (entries.length > 0 && bytes + entry.data.length > request.maxBytes)) {
        break;
      }
      bytes += entry.data.length;
      entries.push(entry);
    }
    const now = this.#world.now;
    if (entries.length === 0 && this.disk.durable.isDamaged(request.from)) {
      this.#meetDamage(request.from);
    }
    this.step(
      entries.length > 0
        ? { kind: 'loaded', id: request.id, entries, now }
        : { kind: 'loadFailed', id: request.id, reason: this.#whyNotLoaded(request.from), now },
    );
  }

  #whyNotLoaded(from: Index): 'compacted' | 'faulty' {
    return from <= this.disk.durable.base.index ? 'compacted' : 'faulty';
  }

  /** A read found the record at `index` damaged. */
  #meetDamage(index: Index): void {
    this.disk.notice(index);
    this.step({ kind: 'faulty', index, now: this.#world.now });
  }

  #send(outgoing: Outgoing): void {
    this.#notify((observer) => observer.sent?.(this, outgoing));
    this.#world.send(outgoing.message);
  }

  #notify(call: (observer: Observer) => void): void {
    for (const observer of this.#world.observers) {
      call(observer);
    }
  }
}
