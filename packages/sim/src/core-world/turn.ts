/**
 * One step of one server: its core is handed an input and what it says is carried out, in the order that output.ts of the core
 * prescribes. The server that was is left as it was; what comes out is a new one, and the messages that leave.
 */
import {
  type ApplyRange,
  type Entry,
  EntryKind,
  type Index,
  type Input,
  InvariantViolation,
  type LoadRequest,
  type MemberId,
  type Message,
  type Micros,
  type Outgoing,
  type Output,
  type PersistBatch,
  type Raft,
  type RaftState,
  type Restore,
} from '@quorate/raft';
import type { AppliedEntry } from '../watch.ts';
import { copyState } from './copy-state.ts';
import {
  applied,
  compacted,
  type CoreSnapshot,
  type DiskImage,
  entryOn,
  lastIndexOf,
  type Machine,
  recovered,
  termOn,
  withBytes,
  written,
} from './disk.ts';
import {
  type ArmedTimer,
  type PendingBatch,
  type Promises,
  ranked,
  type CoreServer,
  type ServerStatus,
  type SnapshotReport,
  stopped,
} from './server.ts';
import type { Span } from './options.ts';
import type { Broken, Surroundings, Turned } from './surroundings.ts';

const nothing: readonly never[] = [];

export class Turn {
  readonly #around: Surroundings;
  readonly #before: CoreServer;
  #raft: Raft | null = null;
  #status: ServerStatus;
  #failure: string | null;
  #disk: DiskImage;
  #pending: readonly PendingBatch[];
  #durableBatch: number;
  #timers: readonly ArmedTimer[];
  #held: readonly Outgoing[];
  #applies: readonly ApplyRange[];
  #applyDue: Micros;
  #loads: readonly LoadRequest[];
  #restore: Restore | null;
  #reports: readonly SnapshotReport[];
  #machine: Machine;
  #snapshotWanted: boolean;
  #crashesAtDisk: boolean;
  #armings: number;
  #promises: Promises;
  #broken: Broken | null = null;
  #inputs: Input[] = [];
  #outputs: Output[] = [];
  #sent: Message[] = [];
  #durable: PersistBatch[] = [];
  #applied: AppliedEntry[] = [];

  constructor(around: Surroundings, before: CoreServer) {
    this.#around = around;
    this.#before = before;
    this.#status = before.status;
    this.#failure = before.failure;
    this.#disk = before.disk;
    this.#pending = before.pending;
    this.#durableBatch = before.durableBatch;
    this.#timers = before.timers;
    this.#held = before.held;
    this.#applies = before.applies;
    this.#applyDue = before.applyDue;
    this.#loads = before.loads;
    this.#restore = before.restore;
    this.#reports = before.reports;
    this.#machine = before.machine;
    this.#snapshotWanted = before.snapshotWanted;
    this.#crashesAtDisk = before.crashesAtDisk;
    this.#armings = before.armings;
    this.#promises = before.promises;
    if (before.raft !== null) this.#raft = around.live ?? around.core.fromState(around.options, copyState(before.raft));
  }

  /** The server as it is now, and all that happened. To be called once, at the end. */
  end(): Turned {
    return {
      server: this.#record(),
      raft: this.#raft,
      inputs: this.#inputs,
      outputs: this.#outputs,
      sent: this.#sent,
      durable: this.#durable,
      applied: this.#applied,
      broken: this.#broken,
    };
  }

  start(): void {
    this.#disk = this.#wholeDisk();
    const { options, watchers, core: Core } = this.#around;
    const found = recovered(this.#disk);
    const raft = new Core(options, found);
    this.#raft = raft;
    this.#status = 'running';
    this.#machine = this.#disk.snapshot.machine;
    for (const watcher of watchers) watcher.onStart(options.id, { options, recovered: found, raft });
    this.#flush();
  }

  /** A snapshot may be ahead of the log that lies beside it: it stands for all of that log, then. */
  #wholeDisk(): DiskImage {
    const { snapshot, base } = this.#disk;
    if (base.index >= snapshot.index || termOn(this.#disk, snapshot.index) === snapshot.term) return this.#disk;
    return { ...this.#disk, base: { index: snapshot.index, term: snapshot.term }, entries: [], faulty: [] };
  }

  /** The first `keep` of the batches on their way had reached the disk. */
  crash(keep: number): void {
    for (const { batch } of this.#pending.slice(0, keep)) this.#disk = written(this.#disk, batch);
    this.#raft = null;
    const rest = stopped({ ...this.#before, disk: this.#disk, promises: this.#promises });
    this.#take(rest);
    for (const watcher of this.#around.watchers) watcher.onCrash(this.#before.id);
  }

  #take(record: CoreServer): void {
    this.#status = record.status;
    this.#pending = record.pending;
    this.#durableBatch = record.durableBatch;
    this.#timers = record.timers;
    this.#held = record.held;
    this.#applies = record.applies;
    this.#applyDue = record.applyDue;
    this.#loads = record.loads;
    this.#restore = record.restore;
    this.#reports = record.reports;
    this.#machine = record.machine;
    this.#snapshotWanted = record.snapshotWanted;
    this.#crashesAtDisk = record.crashesAtDisk;
    this.#armings = record.armings;
    this.#promises = record.promises;
  }

  /** Hands an input to the core and carries out what follows. */
  input(input: Input): void {
    if (this.#step(input)) this.#flush();
  }

  fire(timer: ArmedTimer): void {
    this.#timers = this.#timers.filter((each) => each !== timer);
    this.input({ kind: 'timeout', name: timer.name, generation: timer.generation, now: this.#around.now });
  }

  read(id: number, committed: Index): void {
    this.#promises = { ...this.#promises, reads: [...this.#promises.reads, { id, committed }] };
    this.input({ kind: 'read', id, now: this.#around.now });
  }

  /** The oldest batch is durable; unless the process was to be gone by then. */
  persist(): void {
    if (this.#crashesAtDisk) this.crash(0);
    else if (this.#writeOldest()) this.#flush();
  }

  #writeOldest(): boolean {
    const [oldest, ...rest] = this.#pending;
    if (oldest === undefined) return false;
    this.#pending = rest;
    this.#disk = written(this.#disk, oldest.batch);
    this.#durableBatch = oldest.batch.id;
    this.#durable.push(oldest.batch);
    if (!this.#step({ kind: 'persisted', id: oldest.batch.id, now: this.#around.now })) return false;
    const held = this.#held;
    this.#held = held.filter(({ after }) => after > this.#durableBatch);
    for (const outgoing of held) if (outgoing.after <= this.#durableBatch) this.#send(outgoing.message);
    return true;
  }

  /** Restores the snapshot that waits to be restored, or applies the oldest range. */
  apply(): void {
    if (this.#applyOnce()) this.#flush();
  }

  #applyOnce(): boolean {
    const { now, watchers } = this.#around;
    if (this.#restore !== null) {
      if (this.#restore.after > this.#durableBatch) return false;
      const { snapshot } = this.#restore;
      this.#restore = null;
      this.#machine = withBytes(snapshot).machine;
      for (const watcher of watchers) watcher.onRestore(this.#before.id, snapshot.index, this.#machine.digest);
      return this.#step({ kind: 'applied', index: snapshot.index, now });
    }
    const [range, ...rest] = this.#applies;
    if (range === undefined) return false;
    this.#applies = rest;
    for (let index = range.from; index <= range.to; index++) this.#applyEntry(this.#committed(index));
    return this.#step({ kind: 'applied', index: range.to, now });
  }

  /** From the core's memory, and where that has forgotten it, from the disk: never anything else. */
  #committed(index: Index): Entry {
    const entry = this.#raft?.entries(index, index, 1)[0] ?? entryOn(this.#disk, index);
    if (entry === undefined) throw new Error(`${this.#before.id} is to apply entry ${index} and has it nowhere.`);
    return entry;
  }

  #applyEntry(entry: Entry): void {
    this.#machine = applied(this.#machine, entry);
    if (entry.kind !== EntryKind.command) return;
    const { index, term, data } = entry;
    const done = { index, term, data, digest: this.#machine.digest };
    this.#applied.push(done);
    for (const watcher of this.#around.watchers) watcher.onApply(this.#before.id, done);
  }

  /** Answers the oldest request for entries from the disk. */
  load(): void {
    const [request, ...rest] = this.#loads;
    if (request === undefined) return;
    this.#loads = rest;
    const { now } = this.#around;
    const entries: Entry[] = [];
    for (let index = request.from; index <= request.to; index++) {
      const entry = this.#disk.faulty.includes(index) ? undefined : entryOn(this.#disk, index);
      if (entry === undefined) break;
      entries.push(entry);
    }
    if (entries.length > 0) this.input({ kind: 'loaded', id: request.id, entries, now });
    else {
      const reason = request.from <= this.#disk.base.index ? 'compacted' : 'faulty';
      this.input({ kind: 'loadFailed', id: request.id, reason, now });
    }
  }

  /** The core learns how the oldest transfer of a snapshot ended. */
  tellReport(): void {
    const [report, ...rest] = this.#reports;
    if (report === undefined) return;
    this.#reports = rest;
    const { peer, delivered } = report;
    this.input({ kind: 'snapshotSent', peer, delivered, now: this.#around.now });
  }

  /** A snapshot of the machine as it is now is durable, and the log forgets all that it holds. */
  compact(): void {
    const raft = this.#raft;
    if (raft === null) return;
    const { index, term } = this.#machine;
    const configuration = raft.configurationAt(index);
    const snapshot: CoreSnapshot = { index, term, configuration, machine: this.#machine };
    this.#disk = compacted(this.#disk, snapshot, index);
    this.#snapshotWanted = false;
    this.input({ kind: 'compacted', snapshot, through: index, now: this.#around.now });
  }

  /** Returns whether the core is still there: one whose invariant is broken stops its server. */
  #step(input: Input): boolean {
    const raft = this.#raft;
    if (raft === null) return false;
    this.#inputs.push(input);
    try {
      raft.step(input);
    } catch (error) {
      this.#break(error);
      return false;
    }
    for (const watcher of this.#around.watchers) watcher.onInput(this.#before.id, input);
    return true;
  }

  #flush(): void {
    do {
      const output = this.#takeOutput();
      if (output === null) return;
      this.#outputs.push(output);
      for (const watcher of this.#around.watchers) watcher.onOutput(this.#before.id, output);
      this.#carryOut(output);
    } while (this.#doAtOnce());
  }

  #takeOutput(): Output | null {
    try {
      return this.#raft?.takeOutput() ?? null;
    } catch (error) {
      this.#break(error);
      return null;
    }
  }

  #break(error: unknown): void {
    // By its name: a core with a mistake in it is a copy, and so is its error.
    if (!(error instanceof Error) || error.name !== InvariantViolation.name) throw error;
    const { id } = this.#before;
    this.#raft = null;
    this.#take(stopped({ ...this.#before, disk: this.#disk, promises: this.#promises }));
    this.#status = 'broken';
    this.#failure = error.message;
    this.#note('H6', `${id} meets nothing that a server need not be able to bear`, `its core stops: ${error.message}`);
    for (const watcher of this.#around.watchers) watcher.onFatal(id, 'InternalError', error.message);
  }

  #carryOut(output: Output): void {
    const { delays } = this.#around;
    if (output.persist !== null) {
      const due = delays === null ? 0 : this.#dueAfterPending(delays.write);
      this.#pending = [...this.#pending, { batch: output.persist, due }];
    }
    for (const outgoing of output.send) {
      if (outgoing.after > this.#durableBatch) this.#held = [...this.#held, outgoing];
      else this.#send(outgoing.message);
    }
    if (output.arm.length > 0) this.#arm(output);
    if (output.restore !== null) {
      this.#restore = output.restore;
      this.#applies = nothing;
    }
    if (output.apply !== null) this.#applies = [...this.#applies, output.apply];
    if (delays !== null && (output.apply !== null || output.restore !== null)) {
      this.#applyDue = this.#around.now + this.#around.draw(delays.apply);
    }
    if (output.load.length > 0) this.#loads = [...this.#loads, ...output.load];
    this.#snapshotWanted ||= output.takeSnapshot;
    if (output.reads.length > 0) this.#answerReads(output);
  }

  /** Batches become durable in order. */
  #dueAfterPending(span: Span): Micros {
    const last = this.#pending[this.#pending.length - 1]?.due ?? 0;
    return Math.max(last, this.#around.now) + this.#around.draw(span);
  }

  /** Without a clock timeouts do not lengthen (options.ts), so there is nothing that quiet could shorten: its timer is left out. */
  #arm({ arm }: Output): void {
    const { now, delays } = this.#around;
    this.#armings += 1;
    this.#timers = this.#timers.filter(({ name }) => !arm.some((command) => command.name === name));
    for (const { name, generation, min, max } of arm) {
      if (max === 0 || (delays === null && name === 'quiet')) continue;
      const due = delays === null ? 0 : now + this.#around.draw({ min, max });
      this.#timers = [
        ...this.#timers,
        { name, generation, min, max, arming: this.#armings, armedAt: delays === null ? 0 : now, due },
      ];
    }
  }

  /** Whatever is not a step of its own here. Returns whether anything was done. */
  #doAtOnce(): boolean {
    let acted = false;
    if (this.#around.disk === 'atOnce') while (this.#pending.length > 0 && this.#writeOldest()) acted = true;
    if (this.#around.apply === 'atOnce') while (this.#applyOnce()) acted = true;
    return acted && this.#raft !== null;
  }

  #send(message: Message): void {
    this.#checkPromise(message);
    this.#sent.push(message);
    for (const watcher of this.#around.watchers) watcher.onSend(this.#before.id, message);
  }

  /** D1, A3 and B6, as far as this server's own disk tells: the others are judged when it leaves the world's hands (judges.ts). */
  #checkPromise(message: Message): void {
    const { hardState } = this.#disk;
    const { id } = this.#before;
    if (message.term > hardState.term) {
      this.#note(
        'D1',
        `the disk of ${id} has term ${hardState.term}`,
        `it sends a ${message.kind} of term ${message.term}`,
      );
    }
    if (message.kind === 'requestVoteReply' && message.granted) this.#checkVote(message.to, message.term);
    else if (message.kind === 'appendEntriesReply' && message.accepted) this.#checkAck(message.index);
    else if (message.kind === 'installSnapshotReply') this.#checkAck(message.index);
  }

  #checkVote(candidate: MemberId, term: number): void {
    const { hardState } = this.#disk;
    const { id } = this.#before;
    if (hardState.term === term && hardState.vote !== candidate) {
      const first = `the disk of ${id} has a vote for ${hardState.vote ?? 'nobody'} in term ${term}`;
      this.#note('D1', first, `it votes for ${candidate}`);
    }
    const given = this.#promises.votes.find((vote) => vote.term === term);
    if (given === undefined)
      this.#promises = { ...this.#promises, votes: [...this.#promises.votes, { term, candidate }] };
    else if (given.candidate !== candidate) {
      this.#note('A3', `${id} sent its vote of term ${term} to ${given.candidate}`, `it sends one to ${candidate}`);
    }
  }

  #checkAck(index: Index): void {
    const last = Math.max(lastIndexOf(this.#disk), this.#disk.snapshot.index);
    if (index <= last) return;
    this.#note('D1', `the log on the disk of ${this.#before.id} ends at ${last}`, `it acknowledges ${index}`);
  }

  /** G2: a read sees all that was committed, anywhere, when it came. */
  #answerReads({ reads }: Output): void {
    for (const { id, index, refused } of reads) {
      const asked = this.#promises.reads.find((read) => read.id === id);
      this.#promises = { ...this.#promises, reads: this.#promises.reads.filter((read) => read.id !== id) };
      if (asked === undefined || refused !== null || index >= asked.committed) continue;
      const first = `entry ${asked.committed} was committed before read ${id} came to ${this.#before.id}`;
      this.#note('G2', first, `it may see only ${index}`);
    }
  }

  /** The first that is found is the one that counts. */
  #note(invariant: string, first: string, second: string): void {
    this.#broken ??= { invariant, first, second };
  }

  #record(): CoreServer {
    const timers = ranked(this.#timers);
    return {
      id: this.#before.id,
      status: this.#status,
      failure: this.#failure,
      raft: this.#stateOf(this.#raft),
      disk: this.#disk,
      pending: this.#pending,
      durableBatch: this.#durableBatch,
      timers,
      held: this.#held,
      applies: this.#applies,
      applyDue: this.#applyDue,
      loads: this.#loads,
      restore: this.#restore,
      reports: this.#reports,
      machine: this.#machine,
      snapshotWanted: this.#snapshotWanted,
      crashesAtDisk: this.#crashesAtDisk,
      armings: timers[timers.length - 1]?.arming ?? 0,
      promises: this.#promises,
    };
  }

  /** A core that lives on changes its state in place: the record has a copy. */
  #stateOf(raft: Raft | null): RaftState | null {
    if (raft === null) return null;
    return this.#around.watchers.length > 0 ? copyState(raft.state) : raft.state;
  }
}
