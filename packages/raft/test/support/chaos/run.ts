/** Carries out a plan. An action that is not possible at its turn does nothing, so that any part of a plan is a plan. */
import type { Incarnation, InstallSnapshot, MemberId, Message, Output } from '../../../src/index.ts';
import { checkedCluster } from '../checked.ts';
import type { Cluster } from '../cluster.ts';
import { configuration, firstIncarnation } from '../configurations.ts';
import { type Ghosts, InvariantViolation } from '../invariants/index.ts';
import type { Observer } from '../observer.ts';
import { Random } from '../random.ts';
import type { TestServer } from '../server.ts';
import { sleep, stallDisk } from './gray.ts';
import { canDoWithout, drawWish, readmission, readmitted, strangers } from './membership.ts';
import type { Action, ActionKind, Plan } from './plan.ts';
import { Upgrades } from './upgrades.ts';

/** A transfer of a snapshot that ended, and of which the sender has not been told. */
interface SnapshotReport {
  readonly from: MemberId;
  /** The sender's run: a report is void once it crashed. */
  readonly run: number;
  readonly peer: MemberId;
  readonly delivered: boolean;
}

export class ChaosRun {
  readonly cluster: Cluster;
  readonly ghosts: Ghosts;
  /** How often each kind of action found something to do. */
  readonly done = new Map<ActionKind, number>();
  readonly wiped = new Set<MemberId>();
  readonly #plan: Plan;
  readonly #random: Random;
  #reports: SnapshotReport[] = [];
  readonly #runs = new Map<MemberId, number>();
  #lastId = 0;
  #commands = 0;

  constructor(plan: Plan, observers: readonly Observer[] = []) {
    this.#plan = plan;
    this.#random = new Random(plan.seed);
    const { cluster, ghosts } = checkedCluster({
      configuration: configuration(plan.shape),
      options: plan.options,
      strangers: plan.changes ? strangers : [],
      draw: (_server, _name, min, max) => min + this.#random.below(max - min + 1),
      observers: [
        ...observers,
        new Upgrades(plan),
        {
          arrived: (message) => this.#snapshotEnded(message, true),
          lost: (message) => this.#snapshotEnded(message, false),
          output: (server, output) => accuseNobody(server, output),
          crashed: (server) => this.#runs.set(server.id, this.#runOf(server.id) + 1),
        },
      ],
    });
    this.cluster = cluster;
    this.ghosts = ghosts;
    for (const server of cluster.servers.values()) {
      server.tailLength = plan.tailLength;
      server.disk.knowsFaultyKinds = plan.knowsFaultyKinds;
      Object.assign(server.automatic, plan.automatic);
      server.durableMachine = plan.durableMachines ? server.machine : null;
    }
  }

  start(): void {
    this.cluster.start();
  }

  /** The plan's actions in order. */
  misbehave(): void {
    for (const action of this.#plan.actions) {
      if (this.#actions[action.kind](action)) {
        this.done.set(action.kind, (this.done.get(action.kind) ?? 0) + 1);
      }
    }
  }

  /** Ends all faults, then expects what Raft promises: one leader, equal logs, every question answered (H1). */
  heal(): void {
    const { cluster } = this;
    cluster.heal();
    for (const server of cluster.servers.values()) {
      Object.assign(server.automatic, { disk: true, apply: true, load: true });
      if (server.running) {
        server.gathering = false;
        server.flush();
      } else {
        server.start();
      }
    }
    this.#converge('after the faults end');
    for (const server of this.#lasting()) {
      this.#propose(server, 1, 3);
      this.#read(server);
    }
    this.#converge('after new proposals');
  }

  #converge(when: string): void {
    for (let second = 0; second < 120; second++) {
      for (let report = this.#reports.shift(); report !== undefined; report = this.#reports.shift()) {
        this.#deliverReport(report);
      }
      this.cluster.run(1_000_000);
      if (this.#reports.length === 0 && this.#converged()) {
        return;
      }
    }
    throw new Error(`H1 convergence: no agreement ${when}, within two minutes without a fault\n${this.#describe()}`);
  }

  #converged(): boolean {
    const { leader } = this.cluster;
    if (leader === null) {
      return false;
    }
    const last = leader.core.lastIndex;
    // What was begun is ended, but for a server without its disk, which nobody readmits.
    const { target, outgoing } = leader.core.configuration;
    if (outgoing.length > 0 || (target !== null && this.wiped.size === 0)) {
      return false;
    }
    return this.#lasting().every(
      ({ core, machine, disk }) =>
        core.leader === leader.id &&
        core.term === leader.core.term &&
        core.lastIndex === last &&
        core.commitIndex === last &&
        core.status().appliedIndex === last &&
        machine.position.index === last &&
        disk.durable.lastIndex === last,
    );
  }

  #noteReadmitted(): void {
    for (const id of readmitted(this.cluster)) this.wiped.delete(id);
  }

  /** Servers that the cluster counts on. */
  #lasting(): TestServer[] {
    this.#noteReadmitted();
    const { leader } = this.cluster;
    const members = (leader?.core.configuration ?? this.cluster.configuration).members.map((member) => member.id);
    return [...this.cluster.servers.values()].filter(({ id }) => members.includes(id) && !this.wiped.has(id));
  }

  #describe(): string {
    return this.cluster.running
      .map((server) =>
        JSON.stringify({
          ...server.core.status(),
          configuration: undefined,
          snapshot: server.core.status().snapshot.index,
          timers: [...server.timers.keys()],
        }),
      )
      .join('\n');
  }

  readonly #actions: Readonly<Record<ActionKind, (action: Action) => boolean>> = {
    deliver: ({ a }) => this.#flight(a, (flight) => this.cluster.deliverFlight(flight)),
    deliverOldest: () => this.#flight(0, (flight) => this.cluster.deliverFlight(flight)),
    drop: ({ a }) => this.#flight(a, (flight) => this.cluster.dropFlight(flight)),
    duplicate: ({ a }) => this.#duplicate(a),
    fire: ({ a, b }) => this.#fire(a, b),
    staleTimeout: ({ a, b }) => this.#staleTimeout(a, b),
    persist: ({ a, b }) =>
      this.#among(a, hasPending, (server) => server.completeDisk(1 + (b % server.disk.pending.length))),
    apply: ({ a, b }) => this.#among(a, hasToApply, (server) => server.completeApply(1 + (b % 5))),
    load: ({ a, b }) => this.#among(a, hasLoads, (server) => server.completeLoad(1 + (b % 4))),
    damage: ({ a, b }) => this.#damage(a, b),
    propose: ({ a, b }) => this.#running(a, (server) => this.#propose(server, 1 + (b % 3), b % 7 === 0 ? 20 : 3)),
    read: ({ a, b }) => this.#anyOrLeading(a, b, (server) => this.#read(server)),
    change: ({ a, b }) => this.#anyOrLeading(a, b, (server) => this.#change(server, Math.floor(b / 2))),
    transfer: ({ a, b }) => this.#anyOrLeading(a, b, (server) => this.#transfer(server, b)),
    compact: ({ a, b }) => this.#among(a, mayCompact, (server) => this.#compact(server, b % 3)),
    reportSnapshot: ({ a }) => this.#report(a),
    crash: ({ a, b }) => this.#running(a, (server) => this.#crash(server, b)),
    restart: ({ a }) => this.#restart(a),
    wipe: ({ a }) => this.#wipe(a),
    isolate: ({ a, b }) => this.#anyOrLeading(a, b, (server) => this.#isolate(server)),
    cut: ({ a, b }) => this.#cut(a, b),
    heal: () => this.#heal(),
    unreachable: ({ a, b }) => this.#tellOfPeer('unreachable', a, b),
    gone: ({ a, b }) => this.#tellOfPeer('peerGone', a, b),
    sleep: () => sleep(this.cluster),
    stall: ({ a }) => this.#anyOrLeading(a, 0, (server) => stallDisk(this.cluster, server)),
    gather: ({ a }) => this.#running(a, (server) => this.#gather(server)),
    flush: ({ a }) => this.#among(a, isGathering, (server) => this.#flush(server)),
  };

  #flight(choice: number, act: (flight: Cluster['flights'][number]) => void): boolean {
    const flight = pick(this.cluster.flights, choice);
    if (flight === null) {
      return false;
    }
    act(flight);
    return true;
  }

  /** A transport never delivers a Propose twice (a proposal is carried once); anything else it may. */
  #duplicate(choice: number): boolean {
    const flight = pick(this.cluster.flights, choice);
    if (flight === null || flight.message.kind === 'propose') {
      return false;
    }
    this.cluster.duplicate(flight);
    return true;
  }

  #fire(a: number, b: number): boolean {
    return this.#running(a, (server) => {
      const timer = pick([...server.timers.values()], b);
      if (timer === null) {
        return false;
      }
      this.cluster.now += 1000;
      // A lease trusts that nobody's protection ends before its time.
      if (this.#plan.options.leaseReads === true) this.cluster.now = Math.max(this.cluster.now, timer.due);
      // A server's stickiness ends no later than its patience.
      if (timer.name === 'election' && server.timers.has('stickiness')) {
        server.fire('stickiness');
      }
      if (server.timers.get(timer.name)?.generation === timer.generation) {
        server.fire(timer.name);
      }
      return true;
    });
  }

  #staleTimeout(a: number, b: number): boolean {
    return this.#running(a, (server) => {
      const timer = pick([...server.timers.values()], b);
      if (timer === null || timer.generation === 0) {
        return false;
      }
      server.input({ kind: 'timeout', name: timer.name, generation: timer.generation - 1, now: this.cluster.now });
      return true;
    });
  }

  #propose(server: TestServer, count: number, bytes: number): boolean {
    const commands = Array.from({ length: count }, () => `${++this.#commands}`.padEnd(bytes, '.'));
    const id = this.#lastId + 1;
    this.#lastId += count;
    server.propose(id, commands);
    return true;
  }

  #read(server: TestServer): boolean {
    server.read(++this.#lastId);
    return true;
  }

  /** One wish or two for the membership. While a disk is lost, none but to take that server in again. */
  #change(server: TestServer, choice: number): boolean {
    if (!this.#plan.changes) {
      return false;
    }
    this.#noteReadmitted();
    const [lost] = this.wiped;
    const wishes =
      lost === undefined
        ? [drawWish(this.cluster, choice), drawWish(this.cluster, choice >>> 6)].slice(choice % 2)
        : [readmission(this.cluster, lost)];
    server.change(++this.#lastId, wishes);
    return true;
  }

  #transfer(server: TestServer, choice: number): boolean {
    const target = choice % 3 === 0 ? null : pick([...this.cluster.servers.keys()], choice);
    server.transfer(++this.#lastId, target);
    return true;
  }

  /** A snapshot of what is applied here; the log keeps a tail of `keep` entries. */
  #compact(server: TestServer, keep: number): void {
    server.compact(Math.max(server.core.status().baseIndex, server.machine.position.index - keep));
  }

  #crash(server: TestServer, choice: number): boolean {
    server.crash(choice % (server.disk.pending.length + 1));
    return true;
  }

  #restart(choice: number): boolean {
    const down = [...this.cluster.servers.values()].filter((server) => !server.running);
    const server = pick(down, choice);
    server?.start();
    return server !== null;
  }

  /** A minority of each half loses its disks, and comes back as another incarnation. */
  #wipe(choice: number): boolean {
    if (this.#plan.changes) {
      return this.#wipeOne(choice);
    }
    const { voters, outgoing, members } = this.cluster.configuration;
    const server = pick([...this.cluster.servers.values()], choice);
    if (server === null || members.some((member) => member.incarnation === null)) {
      return false;
    }
    if (!this.#maySpare(server)) {
      return false;
    }
    const after = new Set(this.wiped).add(server.id);
    if (
      [voters, outgoing].some((half) => half.length > 0 && half.filter((id) => after.has(id)).length * 2 >= half.length)
    ) {
      return false;
    }
    return this.#lose(server);
  }

  /** Its disk is lost; it comes back as another incarnation. */
  #lose(server: TestServer): boolean {
    if (server.running) {
      server.crash();
    }
    this.wiped.add(server.id);
    this.cluster.wipe(server.id, this.#nextIncarnation(server));
    server.start();
    return true;
  }

  /** Where the membership changes, one server at a time. */
  #wipeOne(choice: number): boolean {
    this.#noteReadmitted();
    const server = pick([...this.cluster.servers.values()], choice);
    if (server === null || this.wiped.size > 0 || !canDoWithout(this.cluster, server)) {
      return false;
    }
    return this.#lose(server);
  }

  /** Whether no entry would be lost on too many servers without this one. */
  #maySpare(server: TestServer): boolean {
    const damaged = [...this.cluster.servers.values()].filter(
      (other) => other !== server && (other.disk.durable.faulty.size > 0 || other.disk.durable.rotten.size > 0),
    );
    return damaged.length === 0;
  }

  #nextIncarnation(server: TestServer): Incarnation {
    return `${firstIncarnation(server.id)}-${this.#runOf(server.id)}`;
  }

  /** A durable record rots, as long as so few copies of that entry are lost that the others can decide what it was. */
  #damage(a: number, b: number): boolean {
    const server = pick([...this.cluster.servers.values()], a);
    const index = pick(server?.disk.durable.entries ?? [], b)?.index;
    if (this.#plan.changes || server === null || index === undefined || server.disk.durable.isDamaged(index)) {
      return false;
    }
    const { voters, outgoing } = this.cluster.configuration;
    const isLost = (id: MemberId): boolean =>
      id === server.id || this.wiped.has(id) || this.cluster.server(id).disk.durable.isDamaged(index);
    // Who may not know its configuration does not stand for election, whichever entry it is.
    const mayNotLead = (id: MemberId): boolean => isLost(id) || this.cluster.server(id).disk.hidesConfiguration;
    const counts = server.disk.wouldHide(index) ? mayNotLead : isLost;
    if ([voters, outgoing].some((half) => half.length > 0 && half.filter(counts).length * 2 >= half.length)) {
      return false;
    }
    server.disk.damage(index);
    return true;
  }

  #isolate(server: TestServer): boolean {
    if (this.cluster.servers.size === 1) return false;
    const others = [...this.cluster.servers.keys()].filter((id) => id !== server.id);
    this.cluster.partition([server.id], others);
    return true;
  }

  #cut(a: number, b: number): boolean {
    const ids = [...this.cluster.servers.keys()];
    const from = pick(ids, a);
    const to = pick(ids, b);
    if (from === null || to === null || from === to) return false;
    this.cluster.cut(from, to);
    return true;
  }

  #heal(): boolean {
    this.cluster.heal();
    return true;
  }

  #tellOfPeer(kind: 'unreachable' | 'peerGone', a: number, b: number): boolean {
    const peer = pick([...this.cluster.servers.keys()], b);
    return this.#running(a, (server) => {
      if (peer === null || peer === server.id) {
        return false;
      }
      server.input({ kind, peer, now: this.cluster.now });
      return true;
    });
  }

  #gather(server: TestServer): boolean {
    server.gathering = true;
    return true;
  }

  #flush(server: TestServer): void {
    server.gathering = false;
    server.flush();
  }

  #report(choice: number): boolean {
    const report = pick(this.#reports, choice);
    if (report === null) {
      return false;
    }
    this.#reports = this.#reports.filter((other) => other !== report);
    this.#deliverReport(report);
    return true;
  }

  #deliverReport({ from, run, peer, delivered }: SnapshotReport): void {
    const server = this.cluster.server(from);
    if (server.running && this.#runOf(from) === run) {
      server.input({ kind: 'snapshotSent', peer, delivered, now: this.cluster.now });
    }
  }

  #snapshotEnded(message: Message, delivered: boolean): void {
    if (isInstallSnapshot(message)) {
      this.#reports.push({ from: message.from, run: this.#runOf(message.from), peer: message.to, delivered });
    }
  }

  #runOf(id: MemberId): number {
    return this.#runs.get(id) ?? 0;
  }

  /** Acts on one of the running servers that can do it. */
  #among(choice: number, can: (server: TestServer) => boolean, act: (server: TestServer) => void): boolean {
    const server = pick(this.cluster.running.filter(can), choice);
    if (server === null) {
      return false;
    }
    act(server);
    return true;
  }

  /** Half of the time one that believes to lead: deposed leaders who do not know it are where the danger is. */
  #anyOrLeading(a: number, b: number, act: (server: TestServer) => boolean): boolean {
    const leading = this.cluster.running.filter((server) => server.core.role === 'leader');
    const server = b % 2 === 0 ? pick(leading, a) : null;
    return server === null ? this.#running(a, act) : act(server);
  }

  #running(choice: number, act: (server: TestServer) => boolean): boolean {
    const server = pick(this.cluster.running, choice);
    return server !== null && act(server);
  }
}

function isGathering(server: TestServer): boolean {
  return server.gathering;
}

function hasPending(server: TestServer): boolean {
  return server.disk.pending.length > 0;
}

function hasLoads(server: TestServer): boolean {
  return server.loads.length > 0;
}

function hasToApply(server: TestServer): boolean {
  return server.canApply;
}

/** A driver snapshots what is applied and stands in its durable log. */
function mayCompact(server: TestServer): boolean {
  return !server.gathering && server.mayCompact;
}

/** Every server is correct here, so none may be reported for breaking the protocol. */
function accuseNobody(server: TestServer, output: Output): void {
  for (const event of output.events) {
    if (event.kind === 'violation') {
      throw new InvariantViolation(`no false accusation: ${server.id} says that ${event.peer} ${event.reason}`);
    }
  }
}

function isInstallSnapshot(message: Message): message is InstallSnapshot {
  return message.kind === 'installSnapshot';
}

function pick<T>(from: readonly T[], choice: number): T | null {
  return from[choice % Math.max(1, from.length)] ?? null;
}
