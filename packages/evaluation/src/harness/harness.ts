/** What an experiment is given: clusters, load, time, chance, and somewhere to write down what it sees. */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ClusterLayout,
  freePorts,
  type LayoutMember,
  LocalCluster,
  peerUrl,
  serveProgram,
  type ServerProgram,
  writeLayout,
} from '@quorate/processes';
import { type RandomStream, randomStream } from '@quorate/sim';
import type { Row } from '../experiment.ts';
import { Generator, type LoadControl } from '../load/generator.ts';
import type { LoadPlan, LoadResult } from '../load/plan.ts';
import { Cluster, SETTLE_TIMEOUT_MS } from './cluster.ts';
import { type LinkFault, SOUND } from './link.ts';
import { Relay } from './relay.ts';

export interface ClusterOptions {
  readonly servers: number;
  /** Flags of `quorate serve` besides those that say who belongs to the cluster and where it listens. */
  readonly flags?: readonly string[];
  /** Puts the relay between the servers, with this fault on every way from the start. */
  readonly links?: LinkFault;
  /** Another program than `quorate serve`, to compare with. */
  readonly program?: ServerProgram;
}

/** The world outside of the experiments: given once. */
export interface HarnessOptions {
  /** The file that the command `quorate` runs. */
  readonly entry: string;
  /** Where the servers' data and logs stand. */
  readonly directory: string;
  readonly seed: number;
  /** For the names of streams: the cell. */
  readonly key: string;
  readonly signal: AbortSignal;
  readonly ports: PortSource;
  readonly record: (row: Row) => void;
  readonly note: (text: string) => void;
}

/** Hands out ports that are free. */
export type PortSource = (count: number) => Promise<readonly number[]>;

/** Ports that the system chooses. */
export const systemPorts: PortSource = freePorts;

export class Harness {
  /** Aborted when the evaluation is to end at once. Every wait of the harness heeds it. */
  readonly signal: AbortSignal;
  /** Chance, from the seed of the evaluation and the name of the cell. */
  readonly random: RandomStream;
  readonly #options: HarnessOptions;
  readonly #clusters: Cluster[] = [];
  #generator: Generator | null = null;

  constructor(options: HarnessOptions) {
    this.#options = options;
    this.signal = options.signal;
    this.random = randomStream(options.seed, options.key);
  }

  /** Writes down one observation, at once. */
  record(row: Row): void {
    this.#options.record(row);
  }

  /** Something that whoever reads the figures should know, once a cell. */
  note(text: string): void {
    this.#options.note(text);
  }

  async wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.signal });
  }

  /** Starts a cluster; it ends with the cell. Its servers are processes on this machine, fault injection on. */
  async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = await this.prepare(options);
    cluster.local.startAll();
    await this.introduce(cluster);
    return cluster;
  }

  /** The same, but nothing runs yet. Whoever starts servers with a relay between them then calls `introduce`. */
  async prepare(options: ClusterOptions): Promise<Cluster> {
    const { servers, links } = options;
    mkdirSync(this.#options.directory, { recursive: true });
    const directory = mkdtempSync(join(this.#options.directory, 'cluster-'));
    const ports = await this.#options.ports(servers * (links === undefined ? 2 : 3));
    const layout = layoutOf(ports, servers);
    writeLayout(directory, layout);
    const relay = links === undefined ? null : new Relay(this.random);
    const inner = new Map(layout.members.map((member, at) => [member.name, ports[servers * 2 + at] ?? 0]));
    const program = this.#program(options, relay === null ? null : inner);
    const cluster = new Cluster(new LocalCluster(program, layout, directory), relay, this.signal);
    this.#clusters.push(cluster);
    relay?.setRule(() => links ?? SOUND, links);
    for (const [at, member] of layout.members.entries())
      await relay?.open(at, member.peerPort, inner.get(member.name) ?? 0);
    return cluster;
  }

  /** Tells the relay who is who, as soon as every server says it. */
  async introduce(cluster: Cluster): Promise<void> {
    const { relay } = cluster;
    if (relay === null) return;
    const pages = await cluster.until(
      'every server to say who it is',
      async () => {
        const all = await cluster.pages();
        return all.every(({ page }) => page !== null) ? all : null;
      },
      SETTLE_TIMEOUT_MS,
    );
    for (const { server, page } of pages) if (page !== null) relay.learn(page.id, cluster.place(server));
  }

  #program({ flags = [], program }: ClusterOptions, inner: ReadonlyMap<string, number> | null): ServerProgram {
    const own =
      program ?? serveProgram(this.#options.entry, ['--enable-fault-injection', '--log-format', 'json', ...flags]);
    if (inner === null) return own;
    return { ...own, args: (layout, member, directory) => behindRelay(own, layout, member, directory, inner) };
  }

  /** Puts a load on servers from a process of its own, and resolves with what came of it. */
  load(plan: LoadPlan, control: LoadControl = {}): Promise<LoadResult> {
    this.#generator ??= new Generator();
    return this.#generator.run(plan, this.signal, control);
  }

  /** Members that may be added to a cluster later, on ports of their own. */
  async newMembers(firstNumber: number, count: number): Promise<readonly LayoutMember[]> {
    const ports = await this.#options.ports(2 * count);
    return Array.from({ length: count }, (_, at) => memberOn(ports, at, firstNumber));
  }

  /** Ends whatever the cell has started. */
  async close(): Promise<void> {
    this.#generator?.close();
    await Promise.all(this.#clusters.map((cluster) => cluster.close()));
  }

  /** The same when there is no time: the process is about to exit. */
  abandon(): void {
    for (const { servers } of this.#clusters)
      for (const { process: server } of servers) if (server.pid !== null) process.kill(server.pid, 'SIGKILL');
  }
}

function layoutOf(ports: readonly number[], servers: number): ClusterLayout {
  return { token: 'evaluation', members: Array.from({ length: servers }, (_, at) => memberOn(ports, at, 1)) };
}

/** The `at`-th of the members that these ports are for. */
function memberOn(ports: readonly number[], at: number, firstNumber: number): LayoutMember {
  return { name: `s${firstNumber + at}`, clientPort: ports[at * 2] ?? 0, peerPort: ports[at * 2 + 1] ?? 0 };
}

/** The server listens at its own port, and is known to its peers by that of the relay. */
function behindRelay(
  program: ServerProgram,
  layout: ClusterLayout,
  member: LayoutMember,
  directory: string,
  inner: ReadonlyMap<string, number>,
): string[] {
  const flags = program.args(layout, member, directory);
  const at = flags.indexOf('--listen-peer-urls') + 1;
  const port = inner.get(member.name);
  if (port !== undefined) flags[at] = peerUrl({ ...member, peerPort: port });
  return flags;
}
