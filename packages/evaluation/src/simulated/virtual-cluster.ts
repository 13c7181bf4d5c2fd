/**
 * A cluster in virtual time: the cores themselves, as production runs them, over a network whose every way has a delay of its own. No
 * processor is ever busy here and no disk fails: what is seen is what the algorithm and the distances make of it.
 */
import { defaultOptions, freshState, initialConfiguration, type Message, Raft, type RaftDefaults } from '@quorate/raft';
import type { Input, MemberId, Output, TimerCommand, TimerName } from '@quorate/raft';
import { EventQueue, QueuedEvent, type RandomStream } from '@quorate/sim';

export interface VirtualOptions {
  readonly servers: number;
  /** One way, without what chance adds. Microseconds. */
  readonly delay: (from: number, to: number) => number;
  /** What chance adds at most, in hundredths of the delay. */
  readonly jitterPercent: number;
  /** From a batch's hand-over to its being durable. Microseconds. */
  readonly syncMicros: number;
  readonly raft: Partial<RaftDefaults>;
  readonly random: RandomStream;
}

/** Something that happens to a server, unless it stands still. */
class ServerEvent extends QueuedEvent {
  readonly server: VirtualServer;
  readonly input: () => Input;

  constructor(server: VirtualServer, input: () => Input) {
    super();
    this.server = server;
    this.input = input;
  }

  override happen(): void {
    this.server.take(this);
  }
}

export class VirtualCluster {
  readonly servers: readonly VirtualServer[];
  readonly options: VirtualOptions;
  readonly #queue = new EventQueue<ServerEvent>();
  readonly #places: ReadonlyMap<MemberId, number>;
  /** When the last message of each way arrives: connections keep their order. */
  readonly #lastArrival = new Map<number, number>();
  now = 0;
  /** Messages that were sent. */
  messages = 0;

  constructor(options: VirtualOptions) {
    this.options = options;
    const ids = Array.from({ length: options.servers }, (_, at) => `s${at + 1}`);
    this.#places = new Map(ids.map((id, at) => [id, at]));
    const members = ids.map((id) => ({ id, incarnation: `${id}-1`, context: '' }));
    this.servers = ids.map((id, at) => new VirtualServer(this, id, at, members));
    for (const server of this.servers) server.flush();
  }

  /** The server of the highest term that leads and does not stand still. */
  get leader(): VirtualServer | null {
    const leading = this.servers.filter(({ core, isFrozen }) => core.role === 'leader' && !isFrozen);
    return leading.toSorted((a, b) => b.core.term - a.core.term)[0] ?? null;
  }

  get term(): number {
    return Math.max(...this.servers.map(({ core }) => core.term));
  }

  /** Lets time pass until `done`; false when `limitMicros` pass without that. */
  runUntil(done: () => boolean, limitMicros: number): boolean {
    const end = this.now + limitMicros;
    while (!done()) {
      const at = this.#queue.nextTime;
      if (at > end) {
        this.now = end;
        return false;
      }
      this.now = at;
      this.#queue.take()?.happen();
    }
    return true;
  }

  run(micros: number): void {
    this.runUntil(() => false, micros);
  }

  add(delay: number, server: VirtualServer, input: () => Input): void {
    this.#queue.add(this.now + delay, new ServerEvent(server, input));
  }

  again(event: ServerEvent): void {
    this.#queue.add(this.now, new ServerEvent(event.server, event.input));
  }

  send(from: VirtualServer, message: Message): void {
    const to = this.#places.get(message.to);
    const target = to === undefined ? undefined : this.servers[to];
    if (to === undefined || target === undefined) throw new Error(`There is no server ${message.to}.`);
    this.messages += 1;
    const { delay, jitterPercent, random, servers } = this.options;
    const least = delay(from.place, to);
    const drawn = least + random.below(Math.floor((least * jitterPercent) / 100) + 1);
    const way = from.place * servers + to;
    const arrival = Math.max(this.now + drawn, this.#lastArrival.get(way) ?? 0);
    this.#lastArrival.set(way, arrival);
    this.add(arrival - this.now, target, () => ({ kind: 'message', message, now: this.now }));
  }
}

/** What became of a write: null while it is open. */
export interface VirtualWrite {
  /** When it was known to the server that was asked. Microseconds; null if it was refused or lost. */
  servedAt: number | null;
  isOver: boolean;
}

export class VirtualServer {
  readonly core: Raft;
  readonly id: MemberId;
  readonly place: number;
  readonly #cluster: VirtualCluster;
  readonly #writes = new Map<number, VirtualWrite & { index: number; term: number }>();
  /** Timers that ran out while it stood still. */
  #held: ServerEvent[] = [];
  readonly #waiting: { readonly after: number; readonly message: Message }[] = [];
  #nextWrite = 1;
  #applied = 0;
  isFrozen = false;

  constructor(
    cluster: VirtualCluster,
    id: MemberId,
    place: number,
    members: readonly { readonly id: MemberId; readonly incarnation: string; readonly context: string }[],
  ) {
    this.#cluster = cluster;
    this.id = id;
    this.place = place;
    const options = { ...defaultOptions, ...cluster.options.raft, id, incarnation: `${id}-1` };
    this.core = new Raft(options, freshState(initialConfiguration(members)));
  }

  /** Whether it leads and has committed something in its own term: from then on it serves (§8). */
  get serves(): boolean {
    const { core } = this;
    return core.role === 'leader' && !this.isFrozen && core.termAt(core.commitIndex) === core.term;
  }

  /** Asks it to write: it carries the command to the leader if it is not that itself. */
  write(): VirtualWrite {
    const write = { servedAt: null, isOver: false, index: 0, term: 0 };
    const id = this.#nextWrite++;
    this.#writes.set(id, write);
    this.step({ kind: 'propose', id, commands: [new Uint8Array(256)], now: this.#cluster.now });
    return write;
  }

  /** Leadership is to go to `target` (dissertation §3.10). */
  handOver(target: VirtualServer): void {
    this.step({ kind: 'transfer', id: this.#nextWrite++, target: target.id, now: this.#cluster.now });
  }

  /** Stands still from now on: what comes is lost, what would run out waits. */
  freeze(): void {
    this.isFrozen = true;
  }

  /** Goes on. Its connections have lost messages, and both ends know. */
  thaw(): void {
    this.isFrozen = false;
    for (const event of this.#held.splice(0)) this.#cluster.again(event);
    for (const other of this.#cluster.servers) {
      if (other === this) continue;
      this.step({ kind: 'unreachable', peer: other.id, now: this.#cluster.now });
      if (!other.isFrozen) other.step({ kind: 'unreachable', peer: this.id, now: this.#cluster.now });
    }
  }

  take(event: ServerEvent): void {
    if (!this.isFrozen) {
      this.step(event.input());
      return;
    }
    // What its own machine has to tell waits for it; messages are lost.
    if (event.input().kind !== 'message') this.#held.push(event);
  }

  step(input: Input): void {
    this.core.step(input);
    if (input.kind === 'persisted') this.#release(input.id);
    this.flush();
  }

  #release(id: number): void {
    while (this.#waiting[0] !== undefined && this.#waiting[0].after <= id) {
      const first = this.#waiting.shift();
      if (first !== undefined) this.#cluster.send(this, first.message);
    }
  }

  flush(): void {
    let output = this.core.takeOutput();
    while (this.#carryOut(output)) output = this.core.takeOutput();
  }

  /** Returns whether the core was told anything, so that it may have more to say. */
  #carryOut(output: Output): boolean {
    const { now, options } = this.#cluster;
    const { persist } = output;
    if (output.load.length > 0) throw new Error(`${this.id} asks for entries that memory does not hold.`);
    if (persist !== null) {
      this.#cluster.add(options.syncMicros, this, () => ({
        kind: 'persisted',
        id: persist.id,
        now: this.#cluster.now,
      }));
    }
    for (const { message, after } of output.send) {
      if (after === 0) this.#cluster.send(this, message);
      else this.#waiting.push({ message, after });
    }
    for (const timer of output.arm) this.#arm(timer);
    for (const { id, index, term, refused, unknown } of output.proposals)
      this.#onProposal(id, index, term, refused !== null || unknown);
    if (output.apply === null) return false;
    const { to } = output.apply;
    this.core.step({ kind: 'applied', index: to, now });
    this.#applied = to;
    this.#answer(now);
    return true;
  }

  #arm({ name, generation, min, max }: TimerCommand): void {
    if (max === 0) return;
    const delay = min + this.#cluster.options.random.below(max - min + 1);
    this.#cluster.add(delay, this, () => this.#timeout(name, generation));
  }

  #timeout(name: TimerName, generation: number): Input {
    return { kind: 'timeout', name, generation, now: this.#cluster.now };
  }

  #onProposal(id: number, index: number, term: number, failed: boolean): void {
    const write = this.#writes.get(id);
    if (write === undefined) return;
    if (failed) {
      write.isOver = true;
      this.#writes.delete(id);
    } else Object.assign(write, { index, term });
    this.#answer(this.#cluster.now);
  }

  #answer(now: number): void {
    for (const [id, write] of this.#writes) {
      if (write.index === 0 || write.index > this.#applied) continue;
      write.isOver = true;
      if (this.core.termAt(write.index) === write.term) write.servedAt = now;
      this.#writes.delete(id);
    }
  }
}
