/** The servers of a scenario, and what it may do to them. */
import type { RandomStream } from '@quorate/sim';
import type { ApplyMessage, LabEnvironment, Make, Peer, PlainData, RaftServer } from '../interface.ts';
import { reservedMethods } from '../interface.ts';
import { copyPlain } from '../plain-data.ts';
import { type Dispatch, type End, LabNetwork, noTraits, type Traits } from '../network/network.ts';
import type { SharedValues } from '../race/shared-values.ts';
import type { Scheduler } from '../time/scheduler.ts';
import type { CallLimit } from './call-limit.ts';
import { ScenarioFailure } from './failure.ts';
import type { HostedService, MakeService } from './hosted-service.ts';
import type { Journal } from './journal.ts';
import { LabPersister } from './lab-persister.ts';
import { Services } from './service.ts';

export interface ClusterOptions {
  readonly servers: number;
  readonly isUnreliable: boolean;
  /** The service takes snapshots. */
  readonly hasSnapshots: boolean;
  /** Milliseconds, see NetworkOptions. */
  readonly hop: number;
  /** Milliseconds of the test's time that the scenario may take. */
  readonly limit: number;
  /** Stands on each server in place of the service that only writes down what is applied. */
  readonly makeService?: MakeService | undefined;
}

/** What a scenario runs in. */
export interface Bench {
  readonly make: Make;
  readonly scheduler: Scheduler;
  readonly random: RandomStream;
  readonly journal: Journal;
  /** Where races are looked for. */
  readonly shared?: SharedValues | undefined;
  /** Null: however many calls servers make, the test goes on. */
  readonly callLimit: CallLimit | null;
}

/** One life of a server: from its start to its crash. */
interface Run {
  raft: RaftServer | null;
  service: HostedService | null;
  /** Not known before it is made. */
  traits: Traits;
}

export class Cluster {
  readonly scheduler: Scheduler;
  readonly random: RandomStream;
  readonly journal: Journal;
  readonly network: LabNetwork;
  readonly services: Services;
  readonly servers: number;
  /** Milliseconds, see ClusterOptions. */
  readonly hop: number;
  /** See ClusterOptions. */
  readonly limit: number;
  /** What the scenario has to say beyond its figures. */
  readonly remarks: string[] = [];
  /** What clients asked of a service on the servers, and was done. */
  operations = 0;
  /** The scenario has ended, well or not. */
  isOver = false;
  readonly #callLimit: CallLimit | null;
  readonly #make: Make;
  readonly #makeService: MakeService | undefined;
  readonly #hasSnapshots: boolean;
  readonly #shared: SharedValues | undefined;
  readonly #runs: (Run | null)[];
  readonly #persisters: LabPersister[];
  readonly #connected: boolean[];
  /** The ways of each server to all others, of its present run. */
  readonly #ends: End[][];

  constructor({ make, scheduler, random, journal, shared, callLimit }: Bench, options: ClusterOptions) {
    const { servers } = options;
    this.scheduler = scheduler;
    this.random = random;
    this.journal = journal;
    this.servers = servers;
    this.hop = options.hop;
    this.limit = options.limit;
    this.#callLimit = callLimit;
    this.#make = make;
    this.#makeService = options.makeService;
    this.#hasSnapshots = options.hasSnapshots;
    this.#shared = shared;
    this.network = new LabNetwork(scheduler, random.fork(), {
      hop: options.hop,
      shared,
      observer: journal.recorder,
    });
    this.network.isReliable = !options.isUnreliable;
    this.network.hasLongDelays = true;
    this.services = new Services(servers);
    this.#runs = Array.from({ length: servers }, () => null);
    this.#persisters = Array.from({ length: servers }, () => new LabPersister(shared));
    this.#connected = Array.from({ length: servers }, () => false);
    this.#ends = Array.from({ length: servers }, () => []);
    for (let server = 0; server < servers; server++) this.start(server);
    for (let server = 0; server < servers; server++) this.connect(server);
  }

  /** Starts a server, or crashes it first and starts it again from what it saved. It is not connected if it was not. */
  start(server: number): void {
    this.crash(server);
    const persister = this.#persister(server).successor();
    this.#persisters[server] = persister;
    const isWritingDown = this.#hasSnapshots && this.#makeService === undefined;
    this.services.restart(server, isWritingDown ? persister.readSnapshot() : null);
    const ends = Array.from({ length: this.servers }, (_, to) => this.network.makeEnd(String(server), String(to)));
    this.#ends[server] = ends;
    this.journal.note(server, 'starts');
    this.journal.recorder?.note(server, { kind: 'start' });
    const run: Run = { raft: null, service: null, traits: noTraits };
    this.#runs[server] = run;
    const peers = ends.map((end) => this.#peer(server, run, end));
    const { recorder } = this.journal;
    const made = this.#make(
      peers,
      server,
      recorder?.persister(server, persister) ?? persister,
      (message) => this.#apply(server, run, message),
      this.#environment(server, run),
    );
    const raft = recorder?.raft(server, made) ?? made;
    const service = this.#makeService?.({ server, raft, persister, scheduler: this.scheduler }) ?? null;
    run.raft = raft;
    run.service = service;
    run.traits = this.#traitsOf(raft, service);
    persister.isSharing = run.traits.isSharing;
    const dispatch: Dispatch = (method, args, answer) => {
      if (service?.handle(method, args, answer) !== true) this.#dispatch(made, method, args, answer);
    };
    this.network.addServer(String(server), dispatch, run.traits);
  }

  /** As `start`, and connects it. */
  restart(server: number): void {
    this.start(server);
    this.connect(server);
  }

  /** Ends a server, whatever it is doing. What it has saved is left. */
  crash(server: number): void {
    this.disconnect(server);
    this.network.deleteServer(String(server));
    this.#persisters[server] = this.#persister(server).successor();
    const run = this.#runs[server];
    if (run === null || run === undefined) return;
    this.journal.note(server, 'crashes');
    this.journal.recorder?.note(server, { kind: 'crash' });
    this.#runs[server] = null;
    run.service?.kill();
    run.raft?.kill();
  }

  connect(server: number): void {
    if (this.#connected[server] !== true) this.journal.note(server, 'is connected');
    this.#connected[server] = true;
    this.#switch(server, true);
    this.#recordLinks(`server ${server} is connected`);
  }

  disconnect(server: number): void {
    if (this.#connected[server] === true) this.journal.note(server, 'is disconnected');
    const wasConnected = this.#connected[server] === true;
    this.#connected[server] = false;
    this.#switch(server, false);
    if (wasConnected) this.#recordLinks(`server ${server} is disconnected`);
  }

  /** Connects all, and cuts the ways from each side to the others. */
  partition(sides: readonly (readonly number[])[]): void {
    for (const [number, side] of sides.entries()) {
      for (const server of side) {
        this.journal.note(server, `is on side ${number + 1} of a partition`);
        this.#connected[server] = true;
        for (const [to, end] of (this.#ends[server] ?? []).entries()) end.isOn = side.includes(to);
      }
    }
    const words = sides.filter((side) => side.length > 0).map((side) => side.join(' '));
    this.#recordLinks(words.length === 1 ? 'all servers are connected' : `the network parts: ${words.join(' | ')}`);
  }

  /** A client's way to a server. */
  clientEnd(server: number): End {
    const end = this.network.makeEnd('client', String(server));
    end.isOn = true;
    return end;
  }

  isConnected(server: number): boolean {
    return this.#connected[server] === true;
  }

  isRunning(server: number): boolean {
    return this.raft(server) !== null;
  }

  raft(server: number): RaftServer | null {
    return this.#runs[server]?.raft ?? null;
  }

  /** Bytes of the largest saved state. */
  logSize(): number {
    return Math.max(...this.#persisters.map((persister) => persister.stateSize()));
  }

  /** Bytes of the largest snapshot; 0 if there is none. */
  snapshotSize(): number {
    return Math.max(...this.#persisters.map((persister) => persister.snapshotSize()));
  }

  /** A line that is printed with the test's own. */
  say(remark: string): void {
    this.remarks.push(remark);
  }

  sleep(milliseconds: number): Promise<void> {
    return this.scheduler.sleep(milliseconds);
  }

  end(): void {
    this.isOver = true;
    for (let server = 0; server < this.servers; server++) this.crash(server);
  }

  /** Only between servers that are connected both. */
  #switch(server: number, isOn: boolean): void {
    for (let other = 0; other < this.servers; other++) {
      if (isOn && !this.isConnected(other)) continue;
      for (const end of [this.#ends[server]?.[other], this.#ends[other]?.[server]])
        if (end !== undefined) end.isOn = isOn;
    }
  }

  #recordLinks(text: string): void {
    const { recorder } = this.journal;
    if (recorder === null) return;
    const cut = this.#ends.flatMap((ends) => ends.filter(({ from, server, isOn }) => !isOn && from !== server));
    recorder.links(cut, text);
  }

  #peer(from: number, run: Run, end: End): Peer {
    const call = (method: string, args: unknown, done: (reply: unknown) => void, traits: Traits): void => {
      this.journal.note(from, `calls ${method} of server ${end.server}`);
      const excess = end.isOn ? this.#callLimit?.called(from, end.server, method, args) : null;
      // Thrown here it would only reject what nobody may await.
      if (excess !== null && excess !== undefined) this.scheduler.fail(excess);
      const noted = (reply: PlainData): void => {
        if (reply === null) this.journal.note(from, `has no answer to ${method} from server ${end.server}`);
        done(reply);
      };
      this.network.call(end, method, args, noted, traits);
    };
    return {
      call: (method, args) => new Promise((resolve) => call(method, args, resolve, { ...run.traits, isQuiet: false })),
      ask: (method, args, done) => call(method, args, done, run.traits),
    };
  }

  #dispatch(raft: RaftServer, method: string, args: PlainData, answer: (reply: unknown) => void): void {
    const handler: unknown = Reflect.get(raft, method);
    if (typeof handler !== 'function' || reservedMethods.has(method)) {
      throw new ScenarioFailure(
        `a server calls '${method}', and servers have no such method: make() must return an object that has it`,
      );
    }
    const reply: unknown = handler.call(raft, args);
    if (reply instanceof Promise) {
      this.scheduler.wakes();
      reply.then(answer, (error: unknown) => this.scheduler.fail(error));
      return;
    }
    answer(reply);
  }

  #apply(server: number, run: Run, message: ApplyMessage): void {
    // Who was killed may still have something to hand over; nobody listens to it.
    if (this.#runs[server] !== run) return;
    const { raft } = run;
    if (raft === null)
      throw new ScenarioFailure(`server ${server} applies index ${message.index} before make() has returned`);
    this.journal.note(
      server,
      message.kind === 'command' ? `applies ${message.index}` : `applies a snapshot up to ${message.index}`,
    );
    this.journal.recorder?.applied(server, message);
    this.#callLimit?.applied(message.index);
    const handed = run.traits.isSharing ? message : copied(message);
    if (run.service !== null) return run.service.apply(handed);
    if (!this.#hasSnapshots) return this.services.apply(server, handed);
    this.services.applyWithSnapshots(server, handed, (index, data) => raft.snapshot(index, data));
  }

  #environment(server: number, run: Run): LabEnvironment {
    const random = this.random.fork();
    const { scheduler } = this;
    const { recorder } = this.journal;
    const after = (milliseconds: number, happen: () => void): (() => void) =>
      run.traits.isQuiet ? scheduler.afterQuietly(milliseconds, happen) : scheduler.after(milliseconds, happen);
    return {
      now: () => scheduler.now,
      after: (milliseconds, happen, name) => {
        if (recorder === null) return after(milliseconds, happen);
        return after(milliseconds, () => {
          if (name !== '') recorder.note(server, { kind: 'timer', name: name ?? 'its' });
          happen();
        });
      },
      below: (bound) => random.below(bound),
    };
  }

  /** What both promise. Who looks for races takes nobody's word. */
  #traitsOf(raft: RaftServer, service: HostedService | null): Traits {
    const both = service === null ? [raft] : [raft, service];
    return {
      isQuiet: both.every(({ isSynchronous }) => isSynchronous === true),
      isSharing: this.#shared === undefined && both.every(({ isSharing }) => isSharing === true),
    };
  }

  #persister(server: number): LabPersister {
    const persister = this.#persisters[server];
    if (persister === undefined) throw new RangeError(`There is no server ${server}.`);
    return persister;
  }
}

function copied(message: ApplyMessage): ApplyMessage {
  return message.kind === 'command' ? { ...message, command: copyPlain(message.command).value } : message;
}
