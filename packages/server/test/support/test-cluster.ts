/** Whole servers in this process: real sockets, real disks, a directory that goes away afterwards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@quorate/processes';
import { type LineSink, loadConfig, type RawSettings, type RunningServer, startServer } from '@quorate/server';

export class MemorySink implements LineSink {
  readonly lines: string[] = [];

  line(text: string): void {
    this.lines.push(text);
  }

  async flush(): Promise<void> {}
}

interface Slot {
  readonly name: string;
  readonly flags: RawSettings;
  readonly sink: MemorySink;
  running: RunningServer | null;
}

export class TestCluster {
  readonly directory: string;
  readonly #slots: readonly Slot[];

  private constructor(directory: string, slots: readonly Slot[]) {
    this.directory = directory;
    this.#slots = slots;
  }

  /** Founds a cluster of `size` servers named s1, s2, … and waits until all are ready. */
  static async start(size: number, flags: RawSettings = {}): Promise<TestCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'quorate-server-'));
    const names = Array.from({ length: size }, (_, index) => `s${index + 1}`);
    const peers = new Map<string, string>();
    const clients = new Map<string, string>();
    const ports = await freePorts(2 * size);
    for (const [index, name] of names.entries()) {
      peers.set(name, `http://127.0.0.1:${ports[2 * index]}`);
      clients.set(name, `http://127.0.0.1:${ports[2 * index + 1]}`);
    }
    const slots = names.map((name) => ({
      name,
      sink: new MemorySink(),
      running: null,
      flags: {
        name,
        'data-dir': join(directory, name),
        'listen-peer-urls': peers.get(name),
        'listen-client-urls': clients.get(name),
        'initial-cluster': [...peers].map(([member, url]) => `${member}=${url}`).join(','),
        'heartbeat-interval': '50',
        'election-timeout': '500',
        'log-format': 'text',
        ...flags,
      },
    }));
    const cluster = new TestCluster(directory, slots);
    await Promise.all(names.map(async (name) => cluster.start(name)));
    await Promise.all(names.map(async (name) => cluster.server(name).ready));
    return cluster;
  }

  get names(): readonly string[] {
    return this.#slots.map((slot) => slot.name);
  }

  async start(name: string, flags: RawSettings = {}): Promise<RunningServer> {
    const slot = this.#slot(name);
    const { options, notes } = await loadConfig({ ...slot.flags, ...flags }, {});
    slot.running = await startServer(options, { sink: slot.sink, notes });
    return slot.running;
  }

  async stop(name: string): Promise<void> {
    await this.#slot(name).running?.close();
    this.#slot(name).running = null;
  }

  server(name: string): RunningServer {
    const { running } = this.#slot(name);
    if (running === null) throw new Error(`${name} is not running`);
    return running;
  }

  /** Where clients reach a server; the same over restarts. */
  address(name: string): string {
    return (this.#slot(name).flags['listen-client-urls'] ?? '').replace('http://', '');
  }

  lines(name: string): readonly string[] {
    return this.#slot(name).sink.lines;
  }

  flags(name: string): RawSettings {
    return this.#slot(name).flags;
  }

  /** The one server that leads. */
  async leader(): Promise<string> {
    let leader: string | undefined;
    await until(() => {
      const leaders = this.#slots.filter((slot) => slot.running?.node.isLeader === true);
      leader = leaders.length === 1 ? leaders[0]?.name : undefined;
      return leader !== undefined;
    });
    return leader ?? '';
  }

  async follower(): Promise<string> {
    const leader = await this.leader();
    return this.names.find((name) => name !== leader) ?? '';
  }

  async close(): Promise<void> {
    await Promise.all(this.names.map(async (name) => this.stop(name)));
    await rm(this.directory, { recursive: true });
  }

  #slot(name: string): Slot {
    const slot = this.#slots.find((each) => each.name === name);
    if (slot === undefined) throw new Error(`there is no server ${name}`);
    return slot;
  }
}

/** Waits for a condition; the test's own time limit is the only one. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
