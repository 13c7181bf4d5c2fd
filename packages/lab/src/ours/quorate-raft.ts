/**
 * Our Raft behind the suite's interface: a thin driver of the core of `@quorate/raft`. The suite counts commands from 1 on; our log
 * also holds an entry for the beginning of each term (§8), so indexes are translated at this border.
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
  Raft,
  type RaftDefaults,
  type SnapshotMetadata,
  type TimerCommand,
  type TimerName,
} from '@quorate/raft';
import type {
  ApplyMessage,
  LabEnvironment,
  Make,
  Peer,
  Persister,
  PlainData,
  RaftServer,
  StartResult,
} from '../interface.ts';
import { Disk } from './disk.ts';

/** An input without its time. */
type Step = Input extends infer Each ? (Each extends Input ? Omit<Each, 'now'> : never) : never;

/** The suite allows ten heartbeats a second. Microseconds. */
const labOptions: RaftDefaults = {
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
interface Install {
  readonly message: Message;
  readonly data: Uint8Array;
  readonly commands: number;
}

/** Our Raft as a module for the suite; `options` replace what the suite's own limits suggest. */
export function quorateRaft(options: Partial<RaftDefaults> = {}): Make {
  return (peers, me, persister, apply, environment) =>
    new QuorateServer(peers, me, persister, apply, environment, { ...labOptions, ...options });
}

function nameOf(server: number): MemberId {
  return `s${server}`;
}

function configurationOf(servers: number): Configuration {
  const member = (_: unknown, server: number) => ({
    id: nameOf(server),
    incarnation: `run of s${server}`,
    context: '',
  });
  return initialConfiguration(Array.from({ length: servers }, member));
}

class QuorateServer implements RaftServer {
  readonly #peers: readonly Peer[];
  readonly #apply: (message: ApplyMessage) => void;
  readonly #environment: LabEnvironment;
  readonly #raft: Raft;
  readonly #disk: Disk;
  readonly #timers = new Map<TimerName, () => void>();
  /** Snapshots that arrived and that the core has not taken yet, by their index. */
  readonly #received = new Map<Index, Install>();
  #isKilled = false;
  #isFlushDue = false;
  /** Commands handed to the core since the last flush. */
  #started = 0;
  #nextProposal = 1;
  #nextChange = 1;
  /** Whose call is being handled, and what the core answers it. */
  #caller: { readonly id: MemberId; reply: Message | null } | null = null;

  constructor(
    peers: readonly Peer[],
    me: number,
    persister: Persister,
    apply: (message: ApplyMessage) => void,
    environment: LabEnvironment,
    options: RaftDefaults,
  ) {
    this.#peers = peers;
    this.#apply = apply;
    this.#environment = environment;
    this.#disk = new Disk(persister, configurationOf(peers.length));
    const own = { ...options, id: nameOf(me), incarnation: `run of ${nameOf(me)}` };
    this.#raft = new Raft(own, this.#disk.recovered());
    // The first output arms the election timer; make() may not apply anything before it has returned.
    this.#flushSoon();
  }

  start(command: unknown): StartResult {
    const raft = this.#raft;
    const refused = { index: 0, term: raft.term, isLeader: false };
    if (this.#isKilled || raft.role !== 'leader') return refused;
    const before = raft.lastIndex;
    this.#step({
      kind: 'propose',
      id: this.#nextProposal++,
      commands: [new TextEncoder().encode(JSON.stringify(command))],
    });
    if (raft.lastIndex === before) return refused;
    this.#started += 1;
    // What is started at the same moment goes to the others as one message.
    this.#flushSoon();
    return { index: this.#disk.log.lastCommand + this.#started, term: raft.term, isLeader: true };
  }

  getState(): { readonly term: number; readonly isLeader: boolean } {
    return { term: this.#raft.term, isLeader: this.#raft.role === 'leader' };
  }

  snapshot(index: number, data: Uint8Array): void {
    const at = this.#disk.log.indexOf(index);
    if (this.#isKilled || at === undefined) return;
    const snapshot = this.#disk.compact(at, data, this.#raft.configurationAt(at));
    this.#step({ kind: 'compacted', snapshot, through: at });
    this.#flushSoon();
  }

  change(members: readonly number[]): boolean {
    const raft = this.#raft;
    if (this.#isKilled || raft.role !== 'leader') return false;
    const wanted = members.map(nameOf);
    const present = raft.configuration.members.map(({ id }) => id);
    const changes: MemberChange[] = [
      ...wanted
        .filter((id) => !present.includes(id))
        .map((id) => ({ op: 'add', id, context: '', voter: true }) as const),
      ...present.filter((id) => !wanted.includes(id)).map((id) => ({ op: 'remove', id }) as const),
    ];
    const id = this.#nextChange++;
    this.#step({ kind: 'change', id, changes, version: null });
    return this.#flush().some((result) => result.id === id && result.refused === null);
  }

  kill(): void {
    this.#isKilled = true;
    for (const cancel of this.#timers.values()) cancel();
  }

  /** What peers call: each kind of message, answered by the reply that the core gives at once; false if it gives none. */
  preVote = (message: Message): Message | false => this.#handle(message);
  requestVote = (message: Message): Message | false => this.#handle(message);
  appendEntries = (message: Message): Message | false => this.#handle(message);
  heartbeat = (message: Message): Message | false => this.#handle(message);
  timeoutNow = (message: Message): Message | false => this.#handle(message);
  installSnapshot = (install: Install): Message | false => {
    if (install.message.kind === 'installSnapshot') this.#received.set(install.message.snapshot.index, install);
    return this.#handle(install.message);
  };

  #handle(message: Message): Message | false {
    if (this.#isKilled) return false;
    const caller = { id: message.from, reply: null };
    this.#caller = caller;
    this.#step({ kind: 'message', message });
    this.#flush();
    this.#caller = null;
    return caller.reply ?? false;
  }

  #step(step: Step): void {
    this.#raft.step({ ...step, now: this.#now() });
  }

  #now(): Micros {
    return Math.round(this.#environment.now() * 1000);
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#environment.after(
      0,
      () => {
        this.#isFlushDue = false;
        if (!this.#isKilled) this.#flush();
      },
      '',
    );
  }

  /** Carries out what the core wants, until it wants nothing more. Returns what came of changes of membership. */
  #flush(): Output['changes'] {
    const changes: Output['changes'][number][] = [];
    for (;;) {
      const output = this.#raft.takeOutput();
      changes.push(...output.changes);
      for (const timer of output.arm) this.#arm(timer);
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

  #arm({ name, generation, min, max }: TimerCommand): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
    if (max === 0) return;
    const delay = (min + this.#environment.below(max - min + 1)) / 1000;
    const cancel = this.#environment.after(
      delay,
      () => {
        if (this.#isKilled) return;
        this.#step({ kind: 'timeout', name, generation });
        this.#flush();
      },
      name,
    );
    this.#timers.set(name, cancel);
  }

  #persist(batch: PersistBatch): void {
    const received = batch.snapshot === null ? undefined : this.#received.get(batch.snapshot.index);
    if (batch.snapshot !== null) this.#received.clear();
    this.#disk.write(batch, received ?? null);
    this.#started = 0;
    this.#step({ kind: 'persisted', id: batch.id });
  }

  #applyEntries(from: Index, to: Index): void {
    for (let index = from; index <= to && !this.#isKilled; index++) {
      const { log } = this.#disk;
      const entry = log.entry(index);
      const number = log.commandsAt(index);
      // Said first: the service may take its snapshot while it is handed the command.
      this.#step({ kind: 'applied', index });
      if (entry?.kind !== EntryKind.command) continue;
      const command = JSON.parse(new TextDecoder().decode(entry.data)) as PlainData;
      this.#apply({ kind: 'command', index: number, command });
    }
  }

  #restore({ index }: SnapshotMetadata): void {
    const { log, snapshotData } = this.#disk;
    if (snapshotData !== null) {
      this.#apply({ kind: 'snapshot', index: log.commandsAt(index), term: log.termAt(index), data: snapshotData });
    }
    this.#step({ kind: 'applied', index });
  }

  #load({ id, from, to }: LoadRequest): void {
    const { log } = this.#disk;
    const entries = log.entries.slice(from - log.base.index - 1, to - log.base.index);
    if (from <= log.base.index) this.#step({ kind: 'loadFailed', id, reason: 'compacted' });
    else this.#step({ kind: 'loaded', id, entries });
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
    const peer = this.#peers[Number(message.to.slice(1))];
    void peer?.call(message.kind, args).then((reply) => this.#onAnswer(message, reply as Message | false | null));
  }

  #onAnswer(message: Message, reply: Message | false | null): void {
    if (this.#isKilled) return;
    const peer = message.to;
    if (message.kind === 'installSnapshot') this.#step({ kind: 'snapshotSent', peer, delivered: reply !== null });
    else if (reply === null && message.kind === 'appendEntries') this.#step({ kind: 'unreachable', peer });
    if (reply !== null && reply !== false) this.#step({ kind: 'message', message: reply });
    this.#flush();
  }
}
