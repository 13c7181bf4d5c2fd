/**
 * A thin driver of the core of `@quorate/raft`, as the suite needs it: what the core wants written, sent and applied is done at once. The
 * suite counts commands from 1 on; our log also holds an entry for the beginning of each term (§8), so indexes are translated here.
 */
import {
  type Configuration,
  defaultOptions,
  type Entry,
  EntryKind,
  type Index,
  initialConfiguration,
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

const toBytes = new TextEncoder();
const toText = new TextDecoder();

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

/** Commands that were decoded last: where servers share what they send, all of them apply the same bytes, one soon after the other. */
const recent = new Map<number, { readonly data: Uint8Array; readonly command: PlainData }>();
const MAX_RECENT = 256;

function decoded({ index, data }: Entry): PlainData {
  const place = index % MAX_RECENT;
  const known = recent.get(place);
  if (known?.data === data) return known.command;
  const command = JSON.parse(toText.decode(data)) as PlainData;
  recent.set(place, { data, command });
  return command;
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
    this.raft.step({
      now: this.#now,
      kind: 'propose',
      id: memory.nextProposal++,
      commands: [toBytes.encode(JSON.stringify(command))],
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
    this.raft.step({ now: this.#now, kind: 'compacted', snapshot, through: at });
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
    this.raft.step({ now: this.#now, kind: 'change', id, changes, version: null });
    return this.flush().some((result) => result.id === id && result.refused === null);
  }

  /** A call of a peer, answered by the reply that the core gives at once; false if it gives none. */
  handle(args: Message | Install): Message | false {
    if (this.isKilled) return false;
    const message = 'message' in args ? args.message : args;
    if ('message' in args) this.#receive(args);
    const caller = { id: message.from, reply: null };
    this.#caller = caller;
    this.raft.step({ now: this.#now, kind: 'message', message });
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
    if (message.kind === 'installSnapshot')
      this.raft.step({ now: this.#now, kind: 'snapshotSent', peer, delivered: reply !== null });
    else if (reply === null && message.kind === 'appendEntries')
      this.raft.step({ now: this.#now, kind: 'unreachable', peer });
    if (reply !== null && reply !== false) this.raft.step({ now: this.#now, kind: 'message', message: reply });
    this.flush();
  }

  timeout({ name, generation }: Pick<TimerCommand, 'name' | 'generation'>): void {
    if (this.isKilled) return;
    this.raft.step({ now: this.#now, kind: 'timeout', name, generation });
    this.flush();
  }

  get #now(): Micros {
    return this.#host.now();
  }

  /** Carries out what the core wants, until it wants nothing more. Returns what came of changes of membership. */
  flush(): Output['changes'] {
    const changes: Output['changes'][number][] = [];
    for (;;) {
      const output = this.raft.takeOutput();
      if (output.changes.length > 0) changes.push(...output.changes);
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
    this.raft.step({ now: this.#now, kind: 'persisted', id: batch.id });
  }

  #applyEntries(from: Index, to: Index): void {
    for (let index = from; index <= to && !this.isKilled; index++) {
      const { log } = this.#disk;
      const entry = log.entry(index);
      const number = log.commandsAt(index);
      // Said first: the service may take its snapshot while it is handed the command.
      this.raft.step({ now: this.#now, kind: 'applied', index });
      if (entry?.kind !== EntryKind.command) continue;
      this.#host.apply({ kind: 'command', index: number, command: decoded(entry) });
    }
  }

  #restore({ index }: SnapshotMetadata): void {
    const { log, snapshotData } = this.#disk;
    if (snapshotData !== null) {
      const [number, term] = [log.commandsAt(index), log.termAt(index)];
      this.#host.apply({ kind: 'snapshot', index: number, term, data: snapshotData });
    }
    this.raft.step({ now: this.#now, kind: 'applied', index });
  }

  #load({ id, from, to }: LoadRequest): void {
    const { log } = this.#disk;
    const entries = log.entries.slice(from - log.base.index - 1, to - log.base.index);
    if (from <= log.base.index) this.raft.step({ now: this.#now, kind: 'loadFailed', id, reason: 'compacted' });
    else this.raft.step({ now: this.#now, kind: 'loaded', id, entries });
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
