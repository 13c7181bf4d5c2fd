/** The second phase: faults end, every server that can come up must agree and answer; or the run failed, and says where it is stuck. */
import { isJoint, majorityOf } from '@quorate/raft';
import type { RaftError, RaftNode } from '@quorate/runtime';
import { type DamageBudget, healthyDisk } from '../disk/index.ts';
import type { RunOptions } from '../swarm/options.ts';
import { Violation } from '../watch.ts';
import type { History, VirtualClient } from '../world/client.ts';
import { healthyNetwork } from '../world/network.ts';
import type { ServerProcess } from '../world/process.ts';
import type { World } from '../world/world.ts';

/** How long a healed cluster may take. Ample: elections with the longest timeouts, and every client's patience, several times. */
const LIMIT = 60_000_000;
const STEP = 100_000;
const START_INTERVAL = 1_000_000;

export class Healing {
  readonly #world: World;
  readonly #budget: DamageBudget;
  readonly #history: History;
  readonly #clients: readonly VirtualClient[];
  readonly #options: RunOptions;
  #nextStart = 0;
  /** Servers whose disks were found corrupt. */
  readonly #corrupt = new Set<ServerProcess>();
  /** Why servers stopped last, while the world was well. */
  readonly #endings = new Map<ServerProcess, RaftError>();

  constructor(
    world: World,
    budget: DamageBudget,
    history: History,
    clients: readonly VirtualClient[],
    options: RunOptions,
  ) {
    this.#world = world;
    this.#budget = budget;
    this.#history = history;
    this.#clients = clients;
    this.#options = options;
  }

  /** @throws Violation (H1) that says what is stuck, unless too much was destroyed for a majority to be left. */
  run(): void {
    this.#heal();
    if (!this.#until(() => this.#isSettled())) {
      if (this.#mayBeStuck()) return;
      throw this.#stuck('the healed servers have not come to one leader and one state');
    }
    for (const client of this.#clients) client.stop();
    if (!this.#until(() => this.#history.open === 0)) throw this.#stuck(`${this.#history.open} calls have no answer`);
    // The last calls may have met another election.
    if (!this.#until(() => this.#isSettled())) throw this.#stuck('the healed servers do not stay together');
    this.#askEveryone();
    this.#world.audience.onRest();
  }

  #heal(): void {
    const world = this.#world;
    world.network.heal();
    world.network.faults = healthyNetwork;
    for (const server of world.servers) {
      server.volume.others = 0;
      server.setDiskFaults(healthyDisk);
      if (server.isPaused) server.resume();
    }
    this.#startAll();
  }

  /** A server that stopped by itself is started again, now and then: its operator would. */
  #startAll(): void {
    const { now } = this.#world.clock;
    if (now < this.#nextStart) return;
    this.#nextStart = now + START_INTERVAL;
    for (const server of this.#world.servers) {
      if (server.ending !== null) this.#endings.set(server, server.ending);
      if (isCorrupt(server.ending)) this.#corrupt.add(server);
      if (!server.isRunning && server.ending?.code !== 'MemberAlreadyRan') server.start();
    }
  }

  #until(condition: () => boolean): boolean {
    const world = this.#world;
    const end = world.clock.now + LIMIT;
    while (!condition()) {
      if (world.clock.now >= end || !world.runUntil(world.clock.now + STEP)) return world.violation !== null;
      this.#startAll();
    }
    return true;
  }

  /** Every server that counts follows one leader and has applied the same, they are a majority, and no change is under way. */
  #isSettled(): boolean {
    const nodes = this.#counting();
    const [first] = nodes;
    if (first === undefined || first.leader === null || nodes.length <= this.#options.servers / 2) return false;
    if (this.#members().some((server) => server.isRunning && server.node === null && !this.#isDoomed(server)))
      return false;
    const leader = this.#leader();
    if (leader === null || leader.status().lastIndex > first.commitIndex) return false;
    const { configuration } = leader;
    const { commitIndex } = first;
    if (isJoint(configuration) || (configuration.target !== null && !this.#waitsForever())) return false;
    if (nodes.some((node) => node.status().recovering)) return false;
    return nodes.every(
      (node) => node.leader === first.leader && node.commitIndex === commitIndex && node.appliedIndex === commitIndex,
    );
  }

  /** Somebody who is to vote has no disk, or a corrupt one, and does not catch up. */
  #waitsForever(): boolean {
    const counting = this.#counting();
    return this.#members().some((server) => {
      if (server.node !== null) return !counting.includes(server.node);
      return !server.isRunning && (this.#isDoomed(server) || this.#corrupt.has(server));
    });
  }

  /** Nodes that are up, but for those whose disk was lost while another life of theirs was being bound: nobody counts on them. */
  #counting(): readonly RaftNode[] {
    const bound = this.#leader()?.configuration.members ?? [];
    const nodes = this.#members().flatMap(({ node }) => (node === null ? [] : [node]));
    return nodes.filter((node) => {
      const { incarnation } = bound.find((member) => member.id === node.id) ?? { incarnation: null };
      return incarnation === null || incarnation === node.status().incarnation;
    });
  }

  #counts(server: ServerProcess): boolean {
    return server.node !== null && this.#counting().includes(server.node);
  }

  /** Who belongs to the cluster, as its leader has it; everyone while there is none. */
  #members(): readonly ServerProcess[] {
    const { servers } = this.#world;
    const leader = this.#leader();
    if (leader === null) return servers;
    return servers.filter(({ id }) => leader.configuration.members.some((member) => member.id === id));
  }

  #leader(): RaftNode | null {
    const leaders = this.#world.servers.flatMap(({ node }) => (node?.isLeader === true ? [node] : []));
    return leaders.toSorted((a, b) => b.term - a.term)[0] ?? null;
  }

  #isDoomed(server: ServerProcess): boolean {
    return this.#budget.mayLoseDisk(server.id);
  }

  /** Every server that is up must take a write and then show it, unless a change that is still under way removes it first. */
  #askEveryone(): void {
    const [client] = this.#clients;
    if (client === undefined) return;
    for (const server of this.#world.servers) {
      const value = `last ${server.id}`;
      this.#ask(client, server, { kind: 'put', key: 'last', value });
      this.#ask(client, server, {
        kind: 'range',
        key: 'last',
        rangeEnd: '',
        revision: 0,
        limit: 0,
        serializable: false,
      });
    }
  }

  /** Asks until it is answered well: connections that faults left hanging may take a while to be given up. */
  #ask(client: VirtualClient, server: ServerProcess, request: Parameters<VirtualClient['ask']>[1]): void {
    const end = this.#world.clock.now + LIMIT;
    while (this.#counts(server)) {
      let ended: string | null = null;
      client.ask(server, request, (outcome) => {
        ended = outcome.kind === 'ok' ? 'ok' : `${outcome.kind}: ${outcome.code}`;
      });
      if (!this.#until(() => ended !== null)) throw this.#stuck(`${server.id} does not answer`);
      if (ended === 'ok' || this.#world.violation !== null) return;
      if (this.#world.clock.now > end)
        throw this.#stuck(`${server.id} answers a ${request.kind} with ${String(ended)}`);
      this.#world.runUntil(this.#world.clock.now + STEP);
    }
  }

  /** Beyond the budget nothing is promised but safety; and what stopped because its log is corrupt is out. */
  #mayBeStuck(): boolean {
    if (this.#options.damage.beyond) return true;
    const gone = this.#world.servers.filter(
      (server) => server.node === null && (this.#isDoomed(server) || this.#corrupt.has(server)),
    ).length;
    return this.#options.servers - gone <= this.#options.servers / 2 || this.#isUndecided();
  }

  /**
   * A damaged entry that nobody else has may be cut only when a majority of the others say that they never had it: one of one or two
   * servers, or with too many gone, can only wait (a power cut leaves such a one behind, when the seal of a batch is written and not all
   * of its middle). Voters are counted as the membership has become, which may be two servers where one founded the cluster.
   */
  #isUndecided(): boolean {
    const nodes = this.#world.servers.flatMap(({ node }) => (node === null ? [] : [node]));
    return nodes.some((node) => {
      const { faultyEntries, configuration } = node.status();
      if (faultyEntries === 0) return false;
      const halves = [configuration.voters, configuration.outgoing].filter((half) => half.length > 0);
      return halves.some((half) => {
        const others = nodes.filter((other) => other !== node && half.includes(other.id));
        return others.length < majorityOf(half);
      });
    });
  }

  #stuck(what: string): Violation {
    const first = `all faults ended ${LIMIT / 1_000_000} s ago at the latest, and a majority can be reached`;
    return new Violation('H1', first, `${what}. ${this.#describeAll()}`);
  }

  #describeAll(): string {
    return this.#world.servers.map((server) => describe(server, this.#endings.get(server))).join(' ');
  }
}

/** What is on its disk contradicts itself: only a person could go on from there. */
function isCorrupt(error: RaftError | null): boolean {
  if (error === null || error.code !== 'StorageFailed') return false;
  const { cause } = error;
  return typeof cause === 'object' && cause !== null && 'code' in cause && String(cause.code).startsWith('Corrupt');
}

function describe(server: ServerProcess, before: RaftError | undefined): string {
  const name = server.id.replace(/^0+/, '');
  const { node, ending } = server;
  if (ending !== null) return `${name}: stopped, ${ending.code}: ${ending.message}`;
  if (node === null) {
    const again = before === undefined ? '.' : ` again, it had stopped, ${before.code}: ${before.message}`;
    return `${name}: ${server.isRunning ? 'opening' : 'down'}${again}`;
  }
  const status = node.status();
  const leader = status.leader?.replace(/^0+/, '') ?? 'nobody';
  return (
    `${name}: ${status.role} in term ${status.term}, follows ${leader}, last ${status.lastIndex}, committed ${status.commitIndex}, ` +
    `applied ${status.appliedIndex}, ${status.pendingProposals} proposals and ${status.pendingReads} reads wait.`
  );
}
