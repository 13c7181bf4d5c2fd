/**
 * A thin driver of the core of `@quorate/raft`, as the suite needs it: what the core wants written, sent and applied is done at once. The
 * suite counts commands from 1 on; our log also holds an entry for the beginning of each term (§8), so indexes are translated here.
 */
import {
  type Configuration,
  defaultOptions,
  EntryKind,
  type Index,
  initialConfiguration,
  type Input,
  type LoadRequest,
  type MemberChange,
  type MemberId,
  type Message,
  type Micros,
  type Output,
  type PersistBatch,
  type Raft,
  type RaftDefaults,
  type SnapshotMetadata,
  type TimerCommand,
} from '@quorate/raft';
import type { ApplyMessage, PlainData, StartResult } from '../interface.ts';
import type { Disk } from './disk.ts';

/** An input without its time. */
type Step = Input extends infer Each ? (Each extends Input ? Omit<Each, 'now'> : never) : never;

/** The suite allows ten heartbeats a second. Microseconds. */
export const labOptions: RaftDefaults = {
  ...defaultOptions,
  heartbeatInterval: 100_000,
  // A slow leader's round trip takes 300 ms in the part `beyond`: a majority must have answered within the shortest timeout.
  electionTimeoutMin: 320_000,
  electionTimeoutMax: 450_000,
  // Elections fail here because messages are lost or late, hardly because servers stand at the same time. Much wider timeouts cost more than
  // they win: a lost vote is asked for again only when they end.
  maxElectionBackoff: 3,
  // Nothing is ever asked back from the disk.
  maxLogCacheBytes: 2 ** 40,
};

/** The snapshot's bytes travel with the message that speaks of them. */
export interface Install {
  readonly message: Message;
  readonly data: Uint8Array;
  readonly commands: number;
}

export function nameOf(server: number): MemberId {
  return `s${server}`;
}

export function incarnationOf(server: number): string {
  return `run of ${nameOf(server)}`;
}

export function configurationOf(servers: number): Configuration {
  const member = (_: unknown, server: number) => ({
    id: nameOf(server),
    incarnation: incarnationOf(server),
    context: '',
  });
  return initialConfiguration(Array.from({ length: servers }, member));
}

/** What the driver finds around it. */
export interface Host {
  now(): Micros;
  /** Calls the method of the message's kind of server `to`; `Driver.answered` is to be told what comes of it. */
  call(to: number, message: Message, args: Message | Install): void;
  /** A timer of the same name is armed anew; one that ends at 0 is disarmed. */
  arm(timer: TimerCommand): void;
  apply(message: ApplyMessage): void;
}

/** What it remembers between two steps, besides the core and the disk. */
export interface DriverMemory {
  /** Commands handed to the core since it last wrote. */
  started: number;
  nextProposal: number;
  nextChange: number;
  /** Snapshots that arrived and that the core has not taken yet. */
  received: readonly Install[];
}

export function newMemory(): DriverMemory {
  return { started: 0, nextProposal: 1, nextChange: 1, received: [] };
}

export class Driver {
  readonly raft: Raft;
  readonly memory: DriverMemory;
  isKilled = false;
  readonly #disk: Disk;
  readonly #host: Host;
  /** Whose call is being handled, and what the core answers it. */
  #caller: { readonly id: MemberId; reply: Message | null } | null = null;

  constructor(raft: Raft, disk: Disk, host: Host, memory: DriverMemory) {
    this.raft = raft;
    this.memory = memory;
    this.#disk = disk;
    this.#host = host;
  }

  /** Does not flush: what is started at the same moment goes to the others as one message. */
  start(command: unknown): StartResult {
    const { raft, memory } = this;
    const refused = { index: 0, term: raft.term, isLeader: false };
    if (this.isKilled || raft.role !== 'leader') return refused;
    const before = raft.lastIndex;
    this.step({
      kind: 'propose',
      id: memory.nextProposal++,
      commands: [new TextEncoder().encode(JSON.stringify(command))],
    });
    if (raft.lastIndex === before) return refused;
    memory.started += 1;
    return { index: this.#disk.log.lastCommand + memory.started, term: raft.term, isLeader: true };
  }

  getState(): { readonly term: number; readonly isLeader: boolean } {
    return { term: this.raft.term, isLeader: this.raft.role === 'leader' };
  }

  /** Returns whether there is anything to flush. */
  snapshot(index: number, data: Uint8Array): boolean {
    const at = this.#disk.log.indexOf(index);
    if (this.isKilled || at === undefined) return false;
    const snapshot = this.#disk.compact(at, data, this.raft.configurationAt(at));
    this.step({ kind: 'compacted', snapshot, through: at });
    return true;
  }

  change(members: readonly number[]): boolean {
    const { raft } = this;
    if (this.isKilled || raft.role !== 'leader') return false;
    const wanted = members.map(nameOf);
    const present = raft.configuration.members.map(({ id }) => id);
    const changes: MemberChange[] = [
      ...wanted
        .filter((id) => !present.includes(id))
        .map((id) => ({ op: 'add', id, context: '', voter: true }) as const),
      ...present.filter((id) => !wanted.includes(id)).map((id) => ({ op: 'remove', id }) as const),
    ];
    const id = this.memory.nextChange++;
    this.step({ kind: 'change', id, changes, version: null });
    return this.flush().some((result) => result.id === id && result.refused === null);
  }

  /** A call of a peer, answered by the reply that the core gives at once; false if it gives none. */
  handle(args: Message | Install): Message | false {
    if (this.isKilled) return false;
    const message = 'message' in args ? args.message : args;
    if ('message' in args) this.#receive(args);
    const caller = { id: message.from, reply: null };
    this.#caller = caller;
    this.step({ kind: 'message', message });
    this.flush();
    this.#caller = null;
    return caller.reply ?? false;
  }

  #receive(install: Install): void {
    const indexOf = ({ message }: Install): Index => (message.kind === 'installSnapshot' ? message.snapshot.index : 0);
    const others = this.memory.received.filter((each) => indexOf(each) !== indexOf(install));
    this.memory.received = [...others, install];
  }

  answered(message: Message, reply: Message | false | null): void {
    if (this.isKilled) return;
    const peer = message.to;
    if (message.kind === 'installSnapshot') this.step({ kind: 'snapshotSent', peer, delivered: reply !== null });
    else if (reply === null && message.kind === 'appendEntries') this.step({ kind: 'unreachable', peer });
    if (reply !== null && reply !== false) this.step({ kind: 'message', message: reply });
    this.flush();
  }

  timeout({ name, generation }: Pick<TimerCommand, 'name' | 'generation'>): void {
    if (this.isKilled) return;
    this.step({ kind: 'timeout', name, generation });
    this.flush();
  }

  step(step: Step): void {
    this.raft.step({ ...step, now: this.#host.now() });
  }

  /** Carries out what the core wants, until it wants nothing more. Returns what came of changes of membership. */
  flush(): Output['changes'] {
    const changes: Output['changes'][number][] = [];
    for (;;) {
      const output = this.raft.takeOutput();
      changes.push(...output.changes);
      for (const timer of output.arm) this.#host.arm(timer);
      if (output.persist !== null) this.#persist(output.persist);
      for (const { message } of output.send) this.#send(message);
      for (const request of output.load) this.#load(request);
      if (!this.#isMoreToDo(output)) return changes;
    }
  }

  #isMoreToDo({ persist, restore, apply, load }: Output): boolean {
    if (restore !== null) this.#restore(restore.snapshot);
    else if (apply !== null) this.#applyEntries(apply.from, apply.to);
    return persist !== null || restore !== null || apply !== null || load.length > 0;
  }

  #persist(batch: PersistBatch): void {
    const { snapshot } = batch;
    const received = this.memory.received.find(
      ({ message }) => message.kind === 'installSnapshot' && message.snapshot.index === snapshot?.index,
    );
    if (snapshot !== null) this.memory.received = [];
    this.#disk.write(batch, received ?? null);
    this.memory.started = 0;
    this.step({ kind: 'persisted', id: batch.id });
  }

  #applyEntries(from: Index, to: Index): void {
    for (let index = from; index <= to && !this.isKilled; index++) {
      const { log } = this.#disk;
      const entry = log.entry(index);
      const number = log.commandsAt(index);
      // Said first: the service may take its snapshot while it is handed the command.
      this.step({ kind: 'applied', index });
      if (entry?.kind !== EntryKind.command) continue;
      const command = JSON.parse(new TextDecoder().decode(entry.data)) as PlainData;
      this.#host.apply({ kind: 'command', index: number, command });
    }
  }

  #restore({ index }: SnapshotMetadata): void {
    const { log, snapshotData } = this.#disk;
    if (snapshotData !== null) {
      const [number, term] = [log.commandsAt(index), log.termAt(index)];
      this.#host.apply({ kind: 'snapshot', index: number, term, data: snapshotData });
    }
    this.step({ kind: 'applied', index });
  }

  #load({ id, from, to }: LoadRequest): void {
    const { log } = this.#disk;
    const entries = log.entries.slice(from - log.base.index - 1, to - log.base.index);
    if (from <= log.base.index) this.step({ kind: 'loadFailed', id, reason: 'compacted' });
    else this.step({ kind: 'loaded', id, entries });
  }

  /** The answer to the call at hand goes back as its answer; everything else is a call of its own. */
  #send(message: Message): void {
    const caller = this.#caller;
    if (caller !== null && caller.reply === null && message.to === caller.id && message.kind.endsWith('Reply')) {
      caller.reply = message;
      return;
    }
    const { snapshotData, log } = this.#disk;
    const isInstall = message.kind === 'installSnapshot';
    const args: Message | Install = isInstall
      ? { message, data: snapshotData ?? new Uint8Array(0), commands: log.commandsAt(message.snapshot.index) }
      : message;
    this.#host.call(Number(message.to.slice(1)), message, args);
  }
}
