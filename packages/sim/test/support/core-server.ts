/** Drives one core as a runtime does, but leaves it to the world when anything is done: disk, timers, applies and loads. */
import {
  type ApplyRange,
  type Entry,
  EntryKind,
  type Incarnation,
  type Index,
  type Input,
  type LoadRequest,
  type MemberId,
  type Message,
  type Outgoing,
  type Output,
  Raft,
  type RaftOptions,
  type Restore,
  type TimerName,
} from '@quorate/raft';
import type { WorldWatcher } from '../../src/index.ts';
import type { CoreDisk, CoreSnapshot, Machine } from './core-disk.ts';

export interface CoreSurroundings {
  readonly now: number;
  readonly watchers: readonly WorldWatcher[];
  /** Changes or replaces what a core says, for worlds in which one lies. */
  readonly distort: (output: Output, server: CoreServer) => Output;
  send(message: Message): void;
  snapshotOf(server: MemberId, index: Index): CoreSnapshot | undefined;
}

export class CoreServer {
  readonly id: MemberId;
  readonly disk: CoreDisk;
  readonly options: RaftOptions;
  raft: Raft | null = null;
  readonly timers = new Map<TimerName, number>();
  applies: ApplyRange[] = [];
  loads: LoadRequest[] = [];
  restore: Restore | null = null;
  machine: Machine = { index: 0, digest: 0 };
  /** While true, inputs gather and no output is taken, as in one turn of an event loop. */
  isGathering = false;
  #held: Outgoing[] = [];
  #durable = 0;
  readonly #world: CoreSurroundings;

  constructor(world: CoreSurroundings, disk: CoreDisk, options: RaftOptions) {
    this.#world = world;
    this.disk = disk;
    this.options = options;
    this.id = options.id;
  }

  get incarnation(): Incarnation {
    return this.options.incarnation;
  }

  get core(): Raft {
    if (this.raft === null) throw new Error(`${this.id} is down.`);
    return this.raft;
  }

  start(tailLength: number): void {
    const recovered = this.disk.recovered(tailLength);
    const raft = new Raft(this.options, recovered);
    this.raft = raft;
    this.machine = this.disk.snapshot.machine;
    this.#durable = 0;
    for (const watcher of this.#world.watchers) watcher.onStart(this.id, { options: this.options, recovered, raft });
    this.flush();
  }

  crash(survivors: number): void {
    this.disk.crash(survivors);
    this.raft = null;
    this.isGathering = false;
    this.timers.clear();
    this.#held = [];
    this.applies = [];
    this.loads = [];
    this.restore = null;
    for (const watcher of this.#world.watchers) watcher.onCrash(this.id);
  }

  input(input: Input): void {
    this.core.step(input);
    for (const watcher of this.#world.watchers) watcher.onInput(this.id, input);
    if (!this.isGathering) this.flush();
  }

  flush(): void {
    const output = this.#world.distort(this.core.takeOutput(), this);
    for (const watcher of this.#world.watchers) watcher.onOutput(this.id, output);
    if (output.persist !== null) this.disk.pending.push(output.persist);
    for (const outgoing of output.send) {
      if (outgoing.after > this.#durable) this.#held.push(outgoing);
      else this.#send(outgoing.message);
    }
    for (const { name, generation, max } of output.arm) {
      if (max === 0) this.timers.delete(name);
      else this.timers.set(name, generation);
    }
    if (output.restore !== null) {
      this.restore = output.restore;
      this.applies = [];
    }
    if (output.apply !== null) this.applies.push(output.apply);
    this.loads.push(...output.load);
  }

  fire(name: TimerName): void {
    const generation = this.timers.get(name);
    if (generation === undefined) return;
    this.timers.delete(name);
    this.input({ kind: 'timeout', name, generation, now: this.#world.now });
  }

  /** The next `count` batches become durable; the core is told once, and then what waited for them leaves. */
  persist(count: number): void {
    for (let done = 0; done < count; done++) this.#durable = this.disk.complete().id;
    this.core.step({ kind: 'persisted', id: this.#durable, now: this.#world.now });
    const input: Input = { kind: 'persisted', id: this.#durable, now: this.#world.now };
    for (const watcher of this.#world.watchers) watcher.onInput(this.id, input);
    const held = this.#held;
    this.#held = [];
    for (const outgoing of held) {
      if (outgoing.after > this.#durable) this.#held.push(outgoing);
      else this.#send(outgoing.message);
    }
    if (!this.isGathering) this.flush();
  }

  get hasToApply(): boolean {
    return this.#restoreReady !== null || (this.restore === null && this.applies.length > 0);
  }

  get #restoreReady(): Restore | null {
    return this.restore !== null && this.restore.after <= this.#durable ? this.restore : null;
  }

  /** Restores what waits to be restored, or applies at most `count` entries. */
  apply(count: number): void {
    const restore = this.#restoreReady;
    if (restore !== null) {
      this.restore = null;
      this.machine = this.disk.snapshot.machine;
      for (const watcher of this.#world.watchers)
        watcher.onRestore(this.id, restore.snapshot.index, this.machine.digest);
      this.input({ kind: 'applied', index: restore.snapshot.index, now: this.#world.now });
      return;
    }
    const range = this.applies.shift();
    if (range === undefined) return;
    const to = Math.min(range.to, range.from + count - 1);
    if (to < range.to) this.applies.unshift({ from: to + 1, to: range.to });
    for (let index = range.from; index <= to; index++) this.#applyOne(this.#committed(index));
    this.input({ kind: 'applied', index: to, now: this.#world.now });
  }

  #committed(index: Index): Entry {
    const entry = this.core.entries(index, index, 1)[0] ?? this.disk.entryAt(index);
    if (entry === undefined) throw new Error(`${this.id} is to apply entry ${index} and has it nowhere.`);
    return entry;
  }

  #applyOne({ index, term, kind, data }: Entry): void {
    let { digest } = this.machine;
    if (kind === EntryKind.command) for (const byte of data) digest = Math.imul(digest ^ byte, 0x01000193) >>> 0;
    this.machine = { index, digest };
    if (kind !== EntryKind.command) return;
    for (const watcher of this.#world.watchers) watcher.onApply(this.id, { index, term, data, digest });
  }

  /** Answers the oldest load request from the disk. */
  load(): void {
    const request = this.loads.shift();
    if (request === undefined) return;
    const entries: Entry[] = [];
    for (let index = request.from; index <= request.to; index++) {
      const entry = this.disk.entryAt(index);
      if (entry === undefined) break;
      entries.push(entry);
    }
    const { now } = this.#world;
    if (entries.length > 0) this.input({ kind: 'loaded', id: request.id, entries, now });
    else this.input({ kind: 'loadFailed', id: request.id, reason: 'compacted', now });
  }

  /** A snapshot of the machine as it is becomes durable; the log keeps a tail of `keep` entries. */
  compact(keep: number): void {
    const { index } = this.machine;
    const term = this.core.termAt(index);
    if (term === null || index <= this.disk.snapshot.index || this.restore !== null || !this.#isDurable(index)) return;
    const snapshot = { index, term, configuration: this.core.configurationAt(index), machine: this.machine };
    const through = Math.max(0, index - keep);
    this.disk.compact(snapshot, through);
    this.input({ kind: 'compacted', snapshot, through, now: this.#world.now });
  }

  #isDurable(index: Index): boolean {
    return this.disk.pending.length === 0 && index <= this.disk.lastIndex && !this.isGathering;
  }

  /** A message has arrived; with a snapshot come its bytes. */
  receive(message: Message): void {
    if (message.kind === 'installSnapshot') {
      const snapshot = this.#world.snapshotOf(message.from, message.snapshot.index);
      if (snapshot === undefined) return;
      this.disk.received.set(snapshot.index, snapshot);
    }
    this.input({ kind: 'message', message, now: this.#world.now });
  }

  #send(message: Message): void {
    for (const watcher of this.#world.watchers) watcher.onSend(this.id, message);
    this.#world.send(message);
  }
}
