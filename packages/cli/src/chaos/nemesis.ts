/** Carries the schedule out: makes a fault, lets it last, takes it back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Violation } from '@quorate/sim';
import { clientAddress, type LocalCluster, type LocalServer, raftPage } from '@quorate/processes';
import type { Episode, FaultKind, PlannedFault } from './faults.ts';
import type { Journal } from './journal.ts';
import type { Observer } from './observer.ts';
import type { Cut, Place } from './place.ts';
import { SmallDisks } from './small-disks.ts';

/** How long a server may take to answer after it was started. Generous: nothing is measured by it. */
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 50;
const PAGE_TIMEOUT_MS = 1_000;
/** How long a server may take to catch up once its disk has room. Generous: other faults are about. */
const RECOVER_TIMEOUT_MS = 30_000;
const MAX_SLOW_MS = 150;
const MAX_STALL_MS = 3_000;
/** What a full disk has left: from nothing to this. */
const MAX_LEFT_BYTES = 2 << 20;

export interface Battlefield {
  readonly cluster: LocalCluster;
  readonly place: Place;
  readonly observer: Observer;
  readonly journal: Journal;
  /** Something was found that must not be. */
  readonly found: (violation: Violation) => void;
}

/** A fault that is there, and how it goes away. */
interface Strike {
  readonly targets: readonly number[];
  readonly undo: () => Promise<void>;
}

export class Nemesis {
  readonly #field: Battlefield;
  readonly #strikes: Readonly<Record<FaultKind, (fault: PlannedFault) => Promise<Strike>>> = {
    partition: (fault) => this.#partition(fault),
    'isolate-leader': (fault) => this.#isolate(fault),
    'one-way': (fault) => this.#oneWay(fault),
    'cut-clients': (fault) => this.#cutClients(fault),
    pause: (fault) => this.#pause(fault),
    stall: (fault) => this.#stall(fault),
    slow: (fault) => this.#slow(fault),
    kill: (fault) => this.#kill(this.#take(fault, 1)),
    'kill-leader': (fault) => this.#kill(this.#take(fault, 1, true)),
    'kill-majority': (fault) => this.#kill(this.#take(fault, (this.#count >> 1) + 1, fault.severity < 500)),
    restart: (fault) => this.#restart(fault),
    'full-disk': (fault) => this.#fullDisk(fault),
  };
  /** Servers that a fault holds: another leaves them alone. */
  readonly #taken = new Set<number>();
  /** Servers that are meant to be down, or about to be: their end is no news. */
  readonly #sentenced = new Set<string>();
  #cuts: Cut[] = [];

  constructor(field: Battlefield) {
    this.#field = field;
  }

  /** Goes on until `stop`; leaves no fault behind. */
  async run(episodes: Iterable<Episode>, stop: AbortSignal): Promise<void> {
    for (const { calmMs, faults } of episodes) {
      await rest(calmMs, stop);
      if (stop.aborted) return;
      await Promise.all(faults.map((fault) => this.#carryOut(fault, stop)));
    }
  }

  /** Whether this server ended because it was told to. */
  hasSentenced(name: string): boolean {
    return this.#sentenced.has(name);
  }

  async #carryOut(fault: PlannedFault, stop: AbortSignal): Promise<void> {
    const strike = await this.#strikes[fault.kind](fault);
    // With all servers held by another fault there is nothing left to hit.
    if (strike.targets.length === 0) return;
    const { journal, cluster } = this.#field;
    const names = strike.targets.map((at) => cluster.server(at).member.name);
    const record = journal.faultBegins(fault.kind, names);
    await rest(fault.ms, stop);
    await strike.undo();
    record.to = journal.now();
    for (const at of strike.targets) this.#taken.delete(at);
  }

  get #count(): number {
    return this.#field.cluster.servers.length;
  }

  /** Up to `count` servers that no other fault holds; the leader first if it is aimed at. */
  #take({ order }: PlannedFault, count: number, leaderFirst = false): readonly number[] {
    const leader = leaderFirst ? this.#field.observer.leader() : null;
    const wanted = leader === null ? order : [leader, ...order.filter((at) => at !== leader)];
    const taken = wanted.filter((at) => !this.#taken.has(at)).slice(0, count);
    for (const at of taken) this.#taken.add(at);
    return taken;
  }

  #server(at: number): LocalServer {
    return this.#field.cluster.server(at);
  }

  // ----------------------------------------------------------------------------------------------------------- network

  /** Two halves, any sizes, that do not hear each other. */
  #partition({ order, severity }: PlannedFault): Promise<Strike> {
    const side = order.slice(0, 1 + (severity % (this.#count - 1)));
    const rest = order.filter((at) => !side.includes(at));
    return this.#cutOff(side, rest, true);
  }

  #isolate({ order }: PlannedFault): Promise<Strike> {
    const leader = this.#field.observer.leader() ?? order[0] ?? 0;
    const others = order.filter((at) => at !== leader);
    return this.#cutOff([leader], others, true);
  }

  /** One server is not heard by some of the others, or does not hear them. */
  #oneWay({ order, severity }: PlannedFault): Promise<Strike> {
    const leader = this.#field.observer.leader();
    const one = (severity % 2 === 0 ? leader : null) ?? order[0] ?? 0;
    const others = order.filter((at) => at !== one).slice(severity % (this.#count - 1));
    return severity % 4 < 2 ? this.#cutOff([one], others, false) : this.#cutOff(others, [one], false);
  }

  /**
   * Clients do not hear some servers, or are not heard by them, or both; the servers hear each other. Where only answers are lost, every
   * write takes effect and nobody is told.
   */
  #cutClients({ order, severity }: PlannedFault): Promise<Strike> {
    const leader = this.#field.observer.leader();
    const first = severity % 2 === 0 && leader !== null ? [leader] : [];
    const servers = [...new Set([...first, ...order])].slice(0, 1 + (severity % this.#count));
    const answers = servers.map((from): Cut => ({ from, to: 'clients' }));
    const requests = servers.map((to): Cut => ({ from: 'clients', to }));
    const cuts = [answers, requests, [...answers, ...requests]][severity % 3] ?? answers;
    return this.#make(cuts, servers);
  }

  #cutOff(from: readonly number[], to: readonly number[], bothWays: boolean): Promise<Strike> {
    const cuts = from.flatMap((a) => to.map((b): Cut => ({ from: a, to: b })));
    return this.#make(bothWays ? [...cuts, ...cuts.map((cut): Cut => ({ from: cut.to, to: cut.from }))] : cuts, from);
  }

  async #make(cuts: readonly Cut[], targets: readonly number[]): Promise<Strike> {
    this.#cuts.push(...cuts);
    await this.#applyCuts();
    const undo = (): Promise<void> => {
      this.#cuts = this.#cuts.filter((cut) => !cuts.includes(cut));
      return this.#applyCuts();
    };
    return { targets, undo };
  }

  #applyCuts(): Promise<void> {
    return this.#field.place.cut(this.#cuts, this.#field.cluster.servers);
  }

  // ------------------------------------------------------------------------------------------------------------- time

  #pause(fault: PlannedFault): Promise<Strike> {
    const targets = this.#take(fault, 1, fault.severity < 500);
    for (const at of targets) this.#signal(at, 'SIGSTOP');
    return Promise.resolve({
      targets,
      undo: () => {
        for (const at of targets) this.#signal(at, 'SIGCONT');
        return Promise.resolve();
      },
    });
  }

  #signal(at: number, signal: NodeJS.Signals): void {
    const { pid } = this.#server(at).process;
    if (pid !== null) process.kill(pid, signal);
  }

  async #stall(fault: PlannedFault): Promise<Strike> {
    const targets = this.#take(fault, 1, fault.severity < 500);
    const ms = Math.min(fault.ms, MAX_STALL_MS);
    await Promise.all(targets.map((at) => this.#ask(at, `/debug/sleep?ms=${ms}`)));
    return { targets, undo: () => this.#untilUp(targets) };
  }

  async #slow(fault: PlannedFault): Promise<Strike> {
    const targets = this.#take(fault, 1, fault.severity < 300);
    const ms = 1 + (fault.severity % MAX_SLOW_MS);
    await Promise.all(targets.map((at) => this.#ask(at, `/debug/slow?ms=${ms}`)));
    return {
      targets,
      undo: async () => {
        await Promise.all(targets.map((at) => this.#ask(at, '/debug/slow?ms=0')));
      },
    };
  }

  #ask(at: number, path: string): Promise<void> {
    return this.#field.place.ask(this.#server(at), path);
  }

  // --------------------------------------------------------------------------------------------------------- processes

  async #kill(targets: readonly number[]): Promise<Strike> {
    await Promise.all(targets.map((at) => this.#end(at, (server) => server.process.kill('SIGKILL'))));
    return { targets, undo: () => this.#start(targets) };
  }

  async #restart(fault: PlannedFault): Promise<Strike> {
    const targets = this.#take(fault, 1, fault.severity < 400);
    await Promise.all(targets.map((at) => this.#end(at, (server) => server.process.stop())));
    return { targets, undo: () => this.#start(targets) };
  }

  async #end(at: number, how: (server: LocalServer) => Promise<unknown>): Promise<void> {
    const server = this.#server(at);
    this.#sentenced.add(server.member.name);
    await how(server);
  }

  async #start(targets: readonly number[]): Promise<void> {
    for (const at of targets) {
      const { process: child, member } = this.#server(at);
      this.#sentenced.delete(member.name);
      if (!child.running) child.start();
    }
    await this.#untilUp(targets);
  }

  /** A server that ends by itself meanwhile is somebody else's finding. */
  async #untilUp(targets: readonly number[]): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (const at of targets) {
      const { member, process: child } = this.#server(at);
      while (child.running && (await raftPage(clientAddress(member))) === null) {
        if (performance.now() > deadline)
          throw new Error(`${member.name} has not answered for ${START_TIMEOUT_MS / 1000} s. ${child.logTail(3)}`);
        await sleep(POLL_MS);
      }
    }
  }

  // -------------------------------------------------------------------------------------------------------------- disk

  async #fullDisk(fault: PlannedFault): Promise<Strike> {
    const targets = this.#take(fault, 1, fault.severity < 500);
    const { cluster } = this.#field;
    // To the last byte, half of the time.
    const left = Math.floor((MAX_LEFT_BYTES * Math.max(0, (fault.severity % 100) - 50)) / 50);
    const lives = targets.map((at) => this.#server(at).process.pid);
    await Promise.all(targets.map((at) => SmallDisks.fill(cluster.directory, this.#server(at).member, left)));
    return {
      targets,
      undo: async () => {
        for (const at of targets) SmallDisks.free(cluster.directory, this.#server(at).member);
        await Promise.all(targets.map((at, position) => this.#untilRecovered(at, lives[position] ?? null)));
      },
    };
  }

  /** With room again it must take what the others have committed meanwhile, in the same life: nobody has to start it again. */
  async #untilRecovered(at: number, pid: number | null): Promise<void> {
    const { process: child, member } = this.#server(at);
    const deadline = performance.now() + RECOVER_TIMEOUT_MS;
    const goal = await this.#committedAnywhere();
    // One that ended has been reported by whoever watches for that.
    while (child.running && child.pid === pid) {
      const page = await raftPage(clientAddress(member));
      if (page !== null && page.appliedIndex >= goal) return;
      if (performance.now() > deadline) {
        const first = `the disk of ${member.name} has had room again for ${RECOVER_TIMEOUT_MS / 1000} s, and ${goal} entries were committed then`;
        const second = page === null ? 'it does not answer' : `it has applied ${page.appliedIndex}`;
        this.#field.found(new Violation('H1', first, second));
        return;
      }
      await sleep(POLL_MS);
    }
  }

  async #committedAnywhere(): Promise<number> {
    const { servers } = this.#field.cluster;
    const pages = await Promise.all(servers.map(({ member }) => raftPage(clientAddress(member), PAGE_TIMEOUT_MS)));
    return Math.max(0, ...pages.map((page) => page?.commitIndex ?? 0));
  }
}

async function rest(ms: number, stop: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal: stop });
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error;
  }
}
