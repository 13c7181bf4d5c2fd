import { RaftNode, type RaftNodeOptions, type StateMachine } from '@quorate/runtime';
import { Journal } from './counter.ts';
import { type DiskImage, MemoryDisk, type MemoryDiskOptions } from './memory-disk.ts';
import { VirtualWorld } from './virtual-world.ts';

export interface VirtualServer {
  readonly id: string;
  node: RaftNode | null;
  /** Why the last start failed, if it did. */
  openError: unknown;
  machine: Journal;
  disk: MemoryDisk;
  isAlive: boolean;
}

export interface ClusterOptions extends Partial<Pick<RaftNodeOptions, 'raft' | 'limits' | 'transport' | 'storage'>> {
  /** What stands around each server's journal, or in its place, if anything. */
  readonly wrap?: (journal: Journal, id: string) => StateMachine;
}

/** Whole servers, their disks and their network in virtual time. */
export class VirtualCluster {
  readonly world: VirtualWorld;
  readonly servers: readonly VirtualServer[];
  readonly #options: ClusterOptions;

  constructor(seed: number, size: number, options: ClusterOptions = {}) {
    this.world = new VirtualWorld(seed);
    this.#options = options;
    this.servers = Array.from({ length: size }, (_, position) => ({
      id: `s${position + 1}`,
      node: null,
      openError: null,
      machine: new Journal(),
      disk: this.#disk(new Map()),
      isAlive: false,
    }));
  }

  get ids(): readonly string[] {
    return this.servers.map((server) => server.id);
  }

  server(id: string): VirtualServer {
    const server = this.servers.find((it) => it.id === id);
    if (server === undefined) throw new Error(`no server ${id}`);
    return server;
  }

  /** The node of a server that is up. */
  node(id: string): RaftNode {
    const { node } = this.server(id);
    if (node === null) throw new Error(`${id} is not up`);
    return node;
  }

  /** Starts a server; its node is there some virtual time later. */
  start(server: VirtualServer, more: Partial<RaftNodeOptions> = {}): void {
    const { disk } = server;
    server.isAlive = true;
    server.openError = null;
    server.machine = new Journal();
    const environment = this.world.environment(server.id, disk, () => server.isAlive && server.disk === disk);
    const { wrap = (journal) => journal, ...options } = this.#options;
    RaftNode.open({
      id: server.id,
      environment,
      listen: address(server.id),
      initialCluster: this.ids.map((id) => ({ id, address: address(id) })),
      stateMachine: wrap(server.machine, server.id),
      ...options,
      storage: { segmentBytes: 64 << 10, allocateStepBytes: 64 << 10, reserveBytes: 4096, ...options.storage },
      ...more,
    }).then(
      (node) => {
        if (server.disk === disk) server.node = node;
      },
      (error: unknown) => {
        server.openError = error;
      },
    );
  }

  async startAll(): Promise<void> {
    for (const server of this.servers) this.start(server);
    await this.world.until(() => this.servers.every((server) => server.node !== null), 'all servers up');
  }

  /** kill -9 with the power gone: what was not synced is kept, lost or torn. */
  kill(server: VirtualServer): void {
    server.isAlive = false;
    server.node = null;
    this.world.network.kill(server.id);
    const image = server.disk.crash((bound) => this.world.random.uint32() % bound);
    server.disk = this.#disk(image);
  }

  /** The server's disk is lost. */
  wipe(server: VirtualServer, options: MemoryDiskOptions = {}): void {
    server.disk = this.#disk(new Map(), options);
  }

  /** Spoils what the disk of a server that is down holds. */
  spoil(server: VirtualServer, edit: (files: Map<string, Uint8Array>) => void): void {
    const image = server.disk.image();
    edit(image);
    server.disk = this.#disk(image);
  }

  restart(server: VirtualServer): void {
    this.start(server);
  }

  get live(): readonly VirtualServer[] {
    return this.servers.filter((server) => server.node !== null);
  }

  /** The leader that most of the live servers follow, once there is one. */
  async leader(among: readonly VirtualServer[] = this.servers): Promise<VirtualServer> {
    await this.world.until(() => this.#leaderOf(among) !== null, 'a leader');
    const leader = this.#leaderOf(among);
    if (leader === null) throw new Error('no leader');
    return leader;
  }

  #leaderOf(among: readonly VirtualServer[]): VirtualServer | null {
    const up = among.filter((server) => server.node !== null);
    const leader = up.find((server) => server.node?.isLeader === true);
    if (leader === undefined) return null;
    return up.every((server) => server.node?.leader === leader.id) ? leader : null;
  }

  /** Until all live servers have applied the same, and everything that is committed. */
  async converged(): Promise<void> {
    await this.world.until(() => {
      const [first, ...rest] = this.live.map((server) => server.node);
      if (first === undefined || first === null || first.leader === null) return false;
      const { leader } = first;
      const { lastIndex } = first.status();
      return [first, ...rest].every((node) => {
        const status = node?.status();
        return status?.leader === leader && status.lastIndex === lastIndex && status.appliedIndex === lastIndex;
      });
    }, 'all servers at the same place');
  }

  #disk(image: DiskImage, options: MemoryDiskOptions = {}): MemoryDisk {
    return new MemoryDisk(
      (callback) => this.world.after(20 + (this.world.random.uint32() % 200), callback),
      image,
      options,
    );
  }
}

export function address(id: string): string {
  return `${id}:2380`;
}
