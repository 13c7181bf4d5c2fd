/** What an experiment is given: clusters, load, time, chance, and somewhere to write down what it sees. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClusterLayout, type LayoutMember, logFile, peerUrl, type ServerProgram } from '@quorate/processes';
import { type RandomStream, randomStream } from '@quorate/sim';
import type { Row } from '../experiment.ts';
import { Generator, type LoadControl } from '../load/generator.ts';
import type { LoadPlan, LoadResult } from '../load/plan.ts';
import type { Home, Place, RelayDoors } from '../places/place.ts';
import { Cluster, SETTLE_TIMEOUT_MS } from './cluster.ts';
import type { LinkFault } from './link.ts';

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
  /** Where servers run: they are dealt out to these in turn. */
  readonly places: readonly Place[];
  readonly seed: number;
  /** For the names of streams and directories: the cell. */
  readonly key: string;
  readonly signal: AbortSignal;
  readonly record: (row: Row) => void;
  readonly note: (text: string) => void;
}

export class Harness {
  /** Aborted when the evaluation is to end at once. Every wait of the harness heeds it. */
  readonly signal: AbortSignal;
  /** Chance, from the seed of the evaluation and the name of the cell. */
  readonly random: RandomStream;
  readonly #options: HarnessOptions;
  readonly #clusters: Cluster[] = [];
  readonly #homesToRemove: Home[] = [];
  #generator: Generator | null = null;
  #ended: Promise<void> | null = null;

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

  /** Starts a cluster; it ends with the cell. Its servers are processes of their own, fault injection on. */
  async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = await this.prepare(options);
    cluster.startAll();
    await this.introduce(cluster);
    return cluster;
  }

  /** The same, but nothing runs yet. Whoever starts servers with a relay between them then calls `introduce`. */
  async prepare(options: ClusterOptions): Promise<Cluster> {
    const { servers, links } = options;
    const homes = await this.#homes();
    const perServer = links === undefined ? 2 : 3;
    const ports = await this.#ports(0, servers, perServer);
    const layout: ClusterLayout = { token: 'evaluation', members: ports.map((own, at) => this.#member(own, at)) };
    const inner = new Map(layout.members.map(({ name }, at) => [name, ports[at]?.[2]]));
    const relays = links === undefined ? [] : homes.map(({ place }) => this.#relay(place, links));
    const cluster = new Cluster({
      layout,
      homes,
      relays,
      program: ({ place }) => programOf(place, options, inner),
      signal: this.signal,
    });
    this.#clusters.push(cluster);
    for (const [at, { name, peerPort }] of layout.members.entries())
      await relays[at % homes.length]?.open(at, peerPort, inner.get(name) ?? 0);
    return cluster;
  }

  /** Directories for a cluster, on every place: servers that come later may be anywhere. Removed with the cell. */
  async #homes(): Promise<readonly Home[]> {
    const name = this.#options.key.replaceAll('/', '-');
    const homes: Home[] = [];
    for (const place of this.#options.places) {
      const home = { place, directory: await place.newDirectory(name) };
      this.#homesToRemove.push(home);
      homes.push(home);
    }
    return homes;
  }

  #placeOf(at: number): Place {
    const { places } = this.#options;
    const place = places[at % places.length];
    if (place === undefined) throw new Error('There is no place where a server could run.');
    return place;
  }

  /** Free ports for `count` servers from the `first` on, `each` for every one of them, where it will run. */
  async #ports(first: number, count: number, each: number): Promise<readonly (readonly number[])[]> {
    const numbers = Array.from({ length: count }, (_, at) => first + at);
    const found = new Map<Place, number[]>();
    for (const place of new Set(numbers.map((at) => this.#placeOf(at)))) {
      const here = numbers.filter((at) => this.#placeOf(at) === place).length;
      // All at once: ports that were not taken yet would be given a second time.
      found.set(place, [...(await place.freePorts(here * each))]);
    }
    return numbers.map((at) => found.get(this.#placeOf(at))?.splice(0, each) ?? []);
  }

  #member([clientPort = 0, peerPort = 0]: readonly number[], at: number): LayoutMember {
    return { name: `s${at + 1}`, clientPort, peerPort, host: this.#placeOf(at).address };
  }

  #relay(place: Place, fault: LinkFault): RelayDoors {
    return place.relay(fault, this.#options.seed, `${this.#options.key}/${place.name}`);
  }

  /** Tells the relays who is who, as soon as every server says it. */
  async introduce(cluster: Cluster): Promise<void> {
    if (cluster.relays.length === 0) return;
    const pages = await cluster.until(
      'every server to say who it is',
      async () => {
        const all = await cluster.pages();
        return all.every(({ page }) => page !== null) ? all : null;
      },
      SETTLE_TIMEOUT_MS,
    );
    for (const { server, page } of pages)
      for (const relay of cluster.relays) if (page !== null) relay.learn(page.id, cluster.place(server));
  }

  /** Puts a load on servers from a process of its own, and resolves with what came of it. */
  load(plan: LoadPlan, control: LoadControl = {}): Promise<LoadResult> {
    this.#generator ??= new Generator();
    return this.#generator.run(plan, this.signal, control);
  }

  /** Whether etcd is installed wherever servers run. */
  get hasEtcd(): boolean {
    return this.#options.places.every(({ conditions }) => conditions.etcd !== null);
  }

  /** Members that may be added to a cluster later, on ports of their own. */
  async newMembers(firstNumber: number, count: number): Promise<readonly LayoutMember[]> {
    const first = firstNumber - 1;
    const ports = await this.#ports(first, count, 2);
    return ports.map((own, at) => this.#member(own, first + at));
  }

  /** The ends of the servers' logs, while the cell's directories are there. */
  async logs(): Promise<readonly { readonly name: string; readonly text: string }[]> {
    const logs: { name: string; text: string }[] = [];
    for (const [number, { servers }] of this.#clusters.entries()) {
      for (const { member, home } of servers) {
        const text = await home.place.readLog(logFile(home.directory, member));
        if (text !== null) logs.push({ name: `cluster-${number + 1}-${member.name}.log`, text });
      }
    }
    return logs;
  }

  /** Ends whatever the cell has started; it starts nothing more. */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    this.#generator?.close();
    await Promise.all(this.#clusters.map((cluster) => cluster.close()));
  }

  /** The same, and removes the servers' data. */
  async close(): Promise<void> {
    await this.end();
    for (const { place, directory } of this.#homesToRemove.splice(0)) await place.removeDirectory(directory);
  }

  /** Ends what runs on this machine when there is no time: the process is about to exit. */
  abandon(): void {
    for (const { servers } of this.#clusters)
      for (const { process: server } of servers) if (server.pid !== null) process.kill(server.pid, 'SIGKILL');
  }
}

function programOf(
  place: Place,
  { flags = [], links, program }: ClusterOptions,
  inner: ReadonlyMap<string, number | undefined>,
): ServerProgram {
  const own = program ?? place.serve(['--enable-fault-injection', '--log-format', 'json', ...flags]);
  if (links === undefined) return own;
  return { ...own, args: (layout, member, directory) => behindRelay(own, layout, member, directory, inner) };
}

/** The server listens at its own port, and is known to its peers by that of the relay. */
function behindRelay(
  program: ServerProgram,
  layout: ClusterLayout,
  member: LayoutMember,
  directory: string,
  inner: ReadonlyMap<string, number | undefined>,
): string[] {
  const flags = program.args(layout, member, directory);
  const at = flags.indexOf('--listen-peer-urls') + 1;
  const port = inner.get(member.name);
  if (port !== undefined) flags[at] = peerUrl({ ...member, peerPort: port });
  return flags;
}
