/**
 * One run, whole: a cluster is founded, faults go on for a while, then the world heals, and every server that can must elect,
 * converge and answer. A function of its seed and of the limits.
 */
import { DamageBudget } from '../disk/index.ts';
import type { Operation } from '../history.ts';
import { randomStreams, type RandomStreams } from '../random.ts';
import {
  checkCommitted,
  checkLinearizability,
  type CommittedCommand,
  type PartVerdict,
  unplaceable,
} from '../linearizability/index.ts';
import type { Adversary } from '../swarm/adversary.ts';
import { Nemesis } from '../swarm/nemesis.ts';
import { Player } from '../swarm/player.ts';
import { drawOptions, type RunLimits, type RunOptions } from '../swarm/options.ts';
import { releasesOf } from '../swarm/releases.ts';
import { blindWatcher, type Violation, type WorldWatcher } from '../watch.ts';
import type { Action } from '../world/action.ts';
import { History, VirtualClient } from '../world/client.ts';
import { addressOf, ServerProcess } from '../world/process.ts';
import { Workload } from '../world/workload.ts';
import type { WorldClock } from '../world/clock.ts';
import { World, type LogLine } from '../world/world.ts';
import { Healing } from './healing.ts';
import { StateHash } from './state-hash.ts';

export interface SeedResult {
  readonly seed: number;
  readonly options: RunOptions;
  /** Null: everything held, and everything was answered. */
  readonly violation: Violation | null;
  /** What went wrong outside of every check: a bug that threw. */
  readonly crash: string | null;
  readonly virtualMicros: number;
  readonly steps: number;
  readonly actions: readonly Action[];
  readonly history: readonly Operation[];
  /** Every command that any server applied, in the order of the log. */
  readonly committed: () => readonly CommittedCommand[];
  /** The part of the history that has no order; null if there is none. */
  readonly unplaced: PartVerdict | null;
  /** The same for the same seed, on every engine. */
  readonly stateHash: number;
  /** What happened, counted by name. */
  readonly counts: ReadonlyMap<string, number>;
  readonly lines: readonly LogLine[];
}

/** What is watched besides what every run checks: made anew for each. */
export type WatcherFactory = (
  options: RunOptions,
  servers: readonly string[],
  /** The world's own time, which no server's clock shows. */
  clock: Pick<WorldClock, 'now' | 'steps'>,
) => readonly WorldWatcher[];

const FOUNDING_LIMIT = 60_000_000;
/** Steps of the search for an order of what clients saw, for each part of the history. */
const HISTORY_BUDGET = 200_000;

export function runSeed(seed: number, limits: RunLimits, watch: WatcherFactory): SeedResult {
  const streams = randomStreams(seed);
  const options = drawOptions(streams.swarm, limits);
  return new SeedRun(seed, options, streams, watch, (world, budget) => {
    return new Nemesis(world, streams.schedule, options, budget);
  }).run();
}

/** A run that is told what to do, instead of drawing it: to play one again, or a part of it. */
export interface Plan {
  readonly seed: number;
  readonly options: RunOptions;
  /** Sorted by time. */
  readonly actions: readonly Action[];
}

/** Everything that no action decides is drawn from the plan's seed, as in the run that it comes from. */
export function runPlan(plan: Plan, watch: WatcherFactory): SeedResult {
  const streams = randomStreams(plan.seed);
  // What a seed's options take of the stream is taken here as well.
  drawOptions(streams.swarm);
  const { seed, options, actions } = plan;
  return new SeedRun(
    seed,
    options,
    streams,
    watch,
    (world, budget) => new Player(world, actions, options, budget),
  ).run();
}

/** A run with an adversary of the caller's. */
export function runDirected(
  seed: number,
  options: RunOptions,
  adversary: MakeAdversary,
  watch: WatcherFactory,
): SeedResult {
  return new SeedRun(seed, options, randomStreams(seed), watch, adversary).run();
}

type MakeAdversary = (world: World, budget: DamageBudget) => Adversary;

class SeedRun {
  readonly #seed: number;
  readonly #options: RunOptions;
  readonly #world: World;
  readonly #history = new History();
  readonly #clients: VirtualClient[] = [];
  readonly #adversary: Adversary;
  readonly #budget: DamageBudget;
  readonly #streams: RandomStreams;
  readonly #hash: StateHash;
  #unplaced: PartVerdict | null = null;
  /** Parts of the history by the verdict on them. */
  readonly #parts = new Map<string, number>();

  constructor(
    seed: number,
    options: RunOptions,
    streams: RandomStreams,
    watch: WatcherFactory,
    makeAdversary: MakeAdversary,
  ) {
    this.#seed = seed;
    this.#options = options;
    this.#streams = streams;
    const founders = Array.from({ length: options.servers }, (_, at) => serverId(at));
    const spares = Array.from({ length: options.spares }, (_, at) => serverId(options.servers + at));
    const ids = [...founders, ...spares];
    this.#budget = new DamageBudget(streams.disk.fork(), { servers: founders, spares, ...options.damage });
    this.#world = new World(streams, options.requestMicros);
    this.#addServers(founders, spares);
    this.#adversary = makeAdversary(this.#world, this.#budget);
    this.#hash = new StateHash();
    this.#world.audience.watchers.push(this.#hash, ...watch(options, ids, this.#world.clock));
    const adversary = this.#adversary;
    this.#world.audience.watchers.push({
      ...blindWatcher,
      onOutput: (server, output) => adversary.onOutput(server, output),
      onSend: (server, message) => adversary.onSend?.(server, message),
      onFatal: (server, _code, message) => adversary.onFatal(server, message),
    });
  }

  run(): SeedResult {
    let crash: string | null = null;
    try {
      this.#play();
    } catch (error) {
      crash = error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
    const world = this.#world;
    for (const operation of this.#history.whole()) this.#hash.operation(operation);
    return {
      seed: this.#seed,
      options: this.#options,
      violation: world.violation,
      crash,
      virtualMicros: world.clock.now,
      steps: world.clock.steps,
      actions: this.#adversary.actions,
      history: this.#history.whole(),
      committed: () => world.consensus.commands(),
      unplaced: this.#unplaced,
      stateHash: this.#hash.value,
      counts: this.#counts(),
      lines: world.lines,
    };
  }

  #play(): void {
    const world = this.#world;
    for (const server of world.servers) server.start();
    const founded = world.clock.now + FOUNDING_LIMIT;
    while (world.servers.some(({ node }) => node === null) && world.clock.now < founded) {
      if (!world.runUntil(world.clock.now + 100_000)) return;
    }
    this.#addClients();
    this.#adversary.start();
    const end = world.clock.now + this.#options.faultMicros;
    while (world.clock.now < end && this.#adversary.isDone !== true) {
      if (!world.runUntil(Math.min(end, world.clock.now + 100_000))) return;
    }
    world.audience.check(() => this.#adversary.stop());
    if (world.violation !== null) return;
    world.audience.onFaultsEnd();
    const healing = new Healing(world, this.#budget, this.#history, this.#clients, this.#options);
    world.audience.check(() => healing.run());
    if (world.violation !== null) return;
    world.audience.check(() => this.#checkHistory());
  }

  /** Once against the committed order, which this world knows, and once by what clients could see alone. */
  #checkHistory(): void {
    const history = this.#history.whole();
    const committed = checkCommitted(history, this.#world.consensus.commands());
    for (const part of checkLinearizability(history, HISTORY_BUDGET, committed)) {
      const { kind } = part.verdict;
      this.#parts.set(kind, (this.#parts.get(kind) ?? 0) + 1);
      if (part.verdict.kind !== 'violation') continue;
      this.#unplaced = part;
      throw unplaceable(part.operations, part.verdict);
    }
  }

  #addServers(founders: readonly string[], spares: readonly string[]): void {
    const { disk, process, clock } = this.#streams;
    const members = founders.map((id) => ({ id, address: addressOf(id) }));
    const { tunables, priorities, releases, darkPowerCuts } = this.#options;
    for (const [at, id] of [...founders, ...spares].entries()) {
      const priority = priorities[at % priorities.length] ?? 1;
      const options = {
        id,
        members,
        isSpare: spares.includes(id),
        tunables: { ...tunables, raft: { ...tunables.raft, priority } },
        releases: releasesOf(releases, at),
        random: process.fork(),
        diskStream: disk.fork(),
        policy: this.#budget.policyOf(id),
        capacity: VOLUME_BYTES,
        isDarkWithoutPower: darkPowerCuts,
        drift: clock.between(-this.#options.drift, this.#options.drift),
      };
      this.#world.servers.push(new ServerProcess(this.#world, options));
    }
  }

  #addClients(): void {
    const workload = new Workload(this.#options.workload);
    const { clients, thinkMicros, patience } = this.#options;
    for (let at = 0; at < clients; at++) {
      const options = { name: `client${at}`, thinkMicros, patience };
      const client = new VirtualClient(this.#world, this.#history, workload, this.#streams.workload.fork(), options);
      this.#clients.push(client);
      client.start();
    }
  }

  #counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    const add = (name: string, count = 1): void => void counts.set(name, (counts.get(name) ?? 0) + count);
    for (const { kind } of this.#adversary.actions) add(`action ${kind}`);
    for (const [name, count] of Object.entries(this.#world.network.counts)) add(`frames ${name}`, count);
    for (const [kind, count] of this.#world.diskFaults) add(`disk ${kind}`, count);
    for (const { outcome } of this.#history.operations) add(`calls ${outcome.kind}`);
    for (const [kind, count] of this.#parts) add(`history ${kind}`, count);
    for (const watcher of this.#world.audience.watchers)
      for (const [name, count] of watcher.counts ?? []) add(name, count);
    return counts;
  }
}

/** Enough for every run: filling it is an act of the adversary. */
const VOLUME_BYTES = 1 << 30;

/** Members are named as etcd names them: 16 hexadecimal digits. */
function serverId(at: number): string {
  return `${at + 1}`.padStart(16, '0');
}
