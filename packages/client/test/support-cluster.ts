import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@quorate/processes';
import { loadConfig, type RawSettings, type RunningServer, startServer } from '@quorate/server';

const SILENT = { line: () => undefined, flush: () => Promise.resolve() };

/** Real servers in this process, on real sockets and disks. */
export class RealCluster {
  readonly endpoints: readonly string[];
  private readonly directory: string;
  private readonly flags: readonly RawSettings[];
  private readonly running = new Map<string, RunningServer>();

  private constructor(directory: string, endpoints: readonly string[], flags: readonly RawSettings[]) {
    this.directory = directory;
    this.endpoints = endpoints;
    this.flags = flags;
  }

  static async start(size: number): Promise<RealCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'quorate-client-'));
    const ports = await freePorts(2 * size);
    const url = (port: number | undefined): string => `http://127.0.0.1:${port}`;
    const members = ports.slice(0, size).map((port, i) => `s${i}=${url(port)}`);
    const flags = members.map((_, i) => ({
      name: `s${i}`,
      'data-dir': join(directory, `s${i}`),
      'listen-peer-urls': url(ports[i]),
      'listen-client-urls': url(ports[size + i]),
      'initial-cluster': members.join(','),
      'heartbeat-interval': '50',
      'election-timeout': '500',
    }));
    const endpoints = ports.slice(size).map((port) => `127.0.0.1:${port}`);
    const cluster = new RealCluster(directory, endpoints, flags);
    await Promise.all(endpoints.map((endpoint) => cluster.startAt(endpoint)));
    await Promise.all([...cluster.running.values()].map((server) => server.ready));
    return cluster;
  }

  async startAt(endpoint: string): Promise<void> {
    const { options, notes } = await loadConfig(this.flags[this.endpoints.indexOf(endpoint)] ?? {}, {});
    this.running.set(endpoint, await startServer(options, { sink: SILENT, notes }));
  }

  async stop(endpoint: string): Promise<void> {
    await this.running.get(endpoint)?.close();
    this.running.delete(endpoint);
  }

  /** Where the leader answers; undefined while there is none. */
  get leader(): string | undefined {
    return [...this.running].find(([, server]) => server.node.isLeader)?.[0];
  }

  async close(): Promise<void> {
    await Promise.all([...this.running.keys()].map((endpoint) => this.stop(endpoint)));
    await rm(this.directory, { recursive: true });
  }
}
