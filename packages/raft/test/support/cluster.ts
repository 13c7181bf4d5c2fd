/**
 * A cluster of cores in memory: their disks, the messages between them, one clock. Nothing happens by itself: tests,
 * scripts and random runs decide what comes next, so that every run can be repeated.
 */
import {
  type Configuration,
  defaultOptions,
  type Incarnation,
  type LogPosition,
  type MemberId,
  type Message,
  type MessageKind,
  type Micros,
  type RaftDefaults,
  type TimerName,
} from '../../src/index.ts';
import { emptyChain } from './chain.ts';
import { firstIncarnation } from './configurations.ts';
import { Disk } from './disk.ts';
import type { Observer } from './observer.ts';
import { type Machine, TestServer, type World } from './server.ts';

/** A message on its way. */
export interface Flight {
  /** Counts from 1 in the order of sending; a duplicate gets a number of its own. */
  readonly number: number;
  readonly message: Message;
}

export interface FlightFilter {
  readonly from?: MemberId;
  readonly to?: MemberId;
  readonly kind?: MessageKind;
}

export interface ClusterOptions {
  readonly configuration: Configuration;
  /** Servers besides the members of the configuration. */
  readonly strangers?: readonly MemberId[];
  readonly options?: Partial<RaftDefaults>;
  readonly observers?: readonly Observer[];
  readonly draw?: Draw;
}

export type Draw = (server: TestServer, name: TimerName, min: Micros, max: Micros) => Micros;

const emptyMachine: Machine = { position: { index: 0, term: 0 }, commands: [] };

export class Cluster implements World {
  now: Micros = 0;
  readonly configuration: Configuration;
  readonly servers = new Map<MemberId, TestServer>();
  flights: Flight[] = [];
  readonly observers: Observer[];
  readonly #draw: Draw;
  #lastFlight = 0;
  /** Ordered pairs `from>to` that hear nothing. */
  readonly #cuts = new Set<string>();
  /** Every snapshot ever taken: what it holds, and the fingerprint of the log that it replaces. */
  readonly #snapshots = new Map<string, { readonly machine: Machine; readonly chain: number }>();

  constructor(given: ClusterOptions) {
    this.configuration = given.configuration;
    this.#draw = given.draw ?? drawByPosition;
    this.observers = [...(given.observers ?? [])];
    this.observers.push({ compacted: (server, position) => this.#recordSnapshot(server, position) });
    const options: RaftDefaults = {
      ...defaultOptions,
      // Told at once, unless a test is about the wait: stories are shorter so.
      commitNoticeDelay: 0,
      ...given.options,
    };
    for (const id of [...given.configuration.members.map((member) => member.id), ...(given.strangers ?? [])]) {
      const disk = new Disk(given.configuration, (position) => this.chainOfSnapshot(position));
      this.servers.set(id, new TestServer(id, firstIncarnation(id), disk, this, options));
    }
  }

  start(): this {
    for (const server of this.servers.values()) {
      server.start();
    }
    return this;
  }

  server(id: MemberId): TestServer {
    const server = this.servers.get(id);
    if (server === undefined) {
      throw new Error(`there is no server ${id}`);
    }
    return server;
  }

  get running(): TestServer[] {
    return [...this.servers.values()].filter((server) => server.running);
  }

  /** The leader of the highest term among the running servers. */
  get leader(): TestServer | null {
    const leaders = this.running.filter((server) => server.core.role === 'leader');
    return leaders.sort((a, b) => b.core.term - a.core.term)[0] ?? null;
  }

  send(message: Message): void {
    if (this.isCut(message.from, message.to)) {
      this.#lose(message);
    } else {
      this.#lastFlight++;
      this.flights.push({ number: this.#lastFlight, message });
    }
  }

  draw(server: TestServer, name: TimerName, min: Micros, max: Micros): Micros {
    return this.#draw(server, name, min, max);
  }

  snapshotState(position: LogPosition): Machine {
    return position.index === 0 ? emptyMachine : this.#snapshotAt(position).machine;
  }

  chainOfSnapshot(position: LogPosition): number {
    return position.index === 0 ? emptyChain : this.#snapshotAt(position).chain;
  }

  find(filter: FlightFilter): Flight[] {
    return this.flights.filter(
      ({ message }) =>
        (filter.from === undefined || filter.from === message.from) &&
        (filter.to === undefined || filter.to === message.to) &&
        (filter.kind === undefined || filter.kind === message.kind),
    );
  }

  /** Delivers what matches now; what is sent in answer stays in flight. Returns how many messages left the network. */
  deliver(filter: FlightFilter = {}): number {
    const found = this.find(filter);
    for (const flight of found) {
      this.deliverFlight(flight);
    }
    return found.length;
  }

  deliverFlight(flight: Flight): void {
    this.#remove(flight);
    const receiver = this.servers.get(flight.message.to);
    if (receiver?.running) {
      for (const observer of this.observers) {
        observer.arrived?.(flight.message);
      }
      receiver.receive(flight.message);
    } else {
      this.#lose(flight.message);
    }
  }

  drop(filter: FlightFilter = {}): number {
    const found = this.find(filter);
    for (const flight of found) {
      this.dropFlight(flight);
    }
    return found.length;
  }

  dropFlight(flight: Flight): void {
    this.#remove(flight);
    this.#lose(flight.message);
  }

  duplicate(flight: Flight): Flight {
    this.#lastFlight++;
    const copy: Flight = { number: this.#lastFlight, message: flight.message };
    this.flights.push(copy);
    return copy;
  }

  /** Delivers everything, answers included, until the network is empty. */
  settle(limit = 5_000): void {
    for (let delivered = 0; this.flights.length > 0; delivered++) {
      const flight = this.flights[0];
      if (flight === undefined || delivered >= limit) {
        throw new Error(`the network did not fall silent within ${limit} messages`);
      }
      this.deliverFlight(flight);
    }
  }

  /** Only servers of the same group hear each other from now on; what is in flight between groups is lost. */
  partition(...groups: readonly (readonly MemberId[])[]): void {
    const groupOf = (id: MemberId): number => groups.findIndex((group) => group.includes(id));
    for (const from of this.servers.keys()) {
      for (const to of this.servers.keys()) {
        if (groupOf(from) === groupOf(to) && groupOf(from) >= 0) {
          this.#cuts.delete(`${from}>${to}`);
        } else if (from !== to) {
          this.cut(from, to);
        }
      }
    }
  }

  /** `to` no longer hears `from`; the other direction stays as it is. */
  cut(from: MemberId, to: MemberId): void {
    this.#cuts.add(`${from}>${to}`);
    this.drop({ from, to });
  }

  mend(from: MemberId, to: MemberId): void {
    this.#cuts.delete(`${from}>${to}`);
  }

  heal(): void {
    this.#cuts.clear();
  }

  isCut(from: MemberId, to: MemberId): boolean {
    return this.#cuts.has(`${from}>${to}`);
  }

  /** Fires the armed timer that is due next, moving the clock there. False if none is armed. */
  fireNext(until = Number.POSITIVE_INFINITY): boolean {
    const due = this.running
      .flatMap((server) => [...server.timers.values()].map((timer) => ({ server, timer })))
      .sort((a, b) => a.timer.due - b.timer.due || precedence(a.timer.name) - precedence(b.timer.name))[0];
    if (due === undefined || due.timer.due > until) {
      return false;
    }
    this.now = Math.max(this.now, due.timer.due);
    due.server.fire(due.timer.name);
    return true;
  }

  /** Lets virtual time pass on a network without delay: timers fire when due, messages arrive at once. */
  run(duration: Micros): void {
    const end = this.now + duration;
    this.settle();
    while (this.fireNext(end)) {
      this.settle();
    }
    this.now = end;
  }

  /** Elects `id` by its timers and a silent network in between: pre-vote, vote, first commit. */
  elect(id: MemberId): TestServer {
    const server = this.server(id);
    for (const other of this.running) {
      if (other !== server && other.timers.has('stickiness')) {
        other.fire('stickiness');
      }
    }
    if (server.timers.has('stickiness')) {
      server.fire('stickiness');
    }
    server.fire('election');
    this.settle();
    if (server.core.role !== 'leader') {
      throw new Error(`${id} did not become leader: it is ${server.core.role} of term ${server.core.term}`);
    }
    return server;
  }

  /** A snapshot that some test puts on a disk before the start. */
  registerSnapshot(position: LogPosition, machine: Machine, chain: number): void {
    this.#snapshots.set(`${position.index}/${position.term}`, { machine, chain });
  }

  /** A new data directory: an empty disk and another incarnation. */
  wipe(id: MemberId, incarnation: Incarnation, configuration: Configuration = this.configuration): void {
    const server = this.server(id);
    server.disk.lose(configuration);
    server.incarnation = incarnation;
    if (server.durableMachine !== null) {
      server.durableMachine = emptyMachine;
    }
  }

  #recordSnapshot(server: TestServer, position: LogPosition): void {
    const chain = server.disk.latest.chainAt(position.index);
    if (chain === null) {
      throw new Error(`${server.id} took a snapshot at ${position.index}, where it has no log`);
    }
    this.registerSnapshot(position, server.machine, chain);
  }

  #snapshotAt(position: LogPosition): { readonly machine: Machine; readonly chain: number } {
    const snapshot = this.#snapshots.get(`${position.index}/${position.term}`);
    if (snapshot === undefined) {
      throw new Error(`no server ever took a snapshot at ${position.index}/${position.term}`);
    }
    return snapshot;
  }

  #remove(flight: Flight): void {
    const position = this.flights.indexOf(flight);
    if (position < 0) {
      throw new Error(`message ${flight.number} is not in flight`);
    }
    this.flights.splice(position, 1);
  }

  #lose(message: Message): void {
    for (const observer of this.observers) {
      observer.lost?.(message);
    }
  }
}

/** A server's stickiness ends before its election timer when both are due at once. */
function precedence(name: TimerName): number {
  return name === 'stickiness' ? 0 : 1;
}

/** The first server draws the shortest delay, the next a longer one: scripts can tell who comes first. */
const drawByPosition: Draw = (server, _name, min, max) => {
  const position = Number(server.id.slice(1)) - 1;
  return min + Math.floor(((max - min) * (Number.isNaN(position) ? 0 : position % 8)) / 8);
};
