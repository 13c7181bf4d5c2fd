import {
  askPage,
  clientAddress,
  type LocalCluster,
  type LocalServer,
  type RaftPage,
  raftPage,
} from '@quorate/processes';
import type { ServerLine } from './view.ts';

const POLL_EVERY_MS = 250;
/** How much a slowed server's disk and messages are delayed. */
const SLOW_BY_MS = 200;

/** Asks every server how it is, again and again, and knows what was done to it. */
export class ServerWatch {
  readonly #cluster: LocalCluster;
  readonly #pages = new Map<string, RaftPage | null>();
  /** Named servers that are cut off or slowed on purpose. */
  readonly #isolated = new Set<string>();
  readonly #slowed = new Set<string>();
  #timer: NodeJS.Timeout | null = null;

  constructor(cluster: LocalCluster) {
    this.#cluster = cluster;
  }

  start(): void {
    this.#timer = setInterval(() => {
      for (const server of this.#cluster.servers) void this.#poll(server);
    }, POLL_EVERY_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** The leader of the highest term, as the servers say; null if nobody says so. */
  get leader(): LocalServer | null {
    const leaders = this.#cluster.servers.filter(({ member }) => this.#pages.get(member.name)?.role === 'leader');
    return leaders.toSorted((a, b) => this.#termOf(b) - this.#termOf(a))[0] ?? null;
  }

  get anyIsolated(): boolean {
    return this.#isolated.size > 0;
  }

  get anySlowed(): boolean {
    return this.#slowed.size > 0;
  }

  lines(): ServerLine[] {
    const leader = this.leader;
    const leaderCommit = leader === null ? null : (this.#pages.get(leader.member.name)?.commitIndex ?? null);
    return this.#cluster.servers.map((server) => this.#line(server, leaderCommit));
  }

  /** Cuts a server off from all others, both ways. */
  async isolate(server: LocalServer): Promise<void> {
    const others = this.#cluster.servers.filter((each) => each !== server).map(({ member }) => member.name);
    await askPage('POST', clientAddress(server.member), `/debug/partition?from=${others.join(',')}`);
    this.#isolated.add(server.member.name);
  }

  async healAll(): Promise<void> {
    await this.#undo(this.#isolated, '/debug/partition');
  }

  async slow(server: LocalServer): Promise<void> {
    await askPage('POST', clientAddress(server.member), `/debug/slow?ms=${SLOW_BY_MS}`);
    this.#slowed.add(server.member.name);
  }

  async unslowAll(): Promise<void> {
    await this.#undo(this.#slowed, '/debug/slow?ms=0');
  }

  /** A server that starts anew is whole: what was done to its last life died with it. */
  forget(name: string): void {
    this.#isolated.delete(name);
    this.#slowed.delete(name);
    this.#pages.delete(name);
  }

  async #undo(names: Set<string>, path: string): Promise<void> {
    const servers = this.#cluster.servers.filter(({ member, process }) => names.has(member.name) && process.running);
    names.clear();
    await Promise.all(servers.map(({ member }) => askPage('POST', clientAddress(member), path)));
  }

  async #poll(server: LocalServer): Promise<void> {
    const { pid } = server.process;
    if (pid === null) return void this.#pages.delete(server.member.name);
    const page = await raftPage(clientAddress(server.member));
    // An answer of a life that has ended meanwhile says nothing about the next.
    if (server.process.pid === pid) this.#pages.set(server.member.name, page);
  }

  #termOf(server: LocalServer): number {
    return this.#pages.get(server.member.name)?.term ?? 0;
  }

  #line({ member, process }: LocalServer, leaderCommit: number | null): ServerLine {
    const page = process.running ? (this.#pages.get(member.name) ?? null) : null;
    const lag = page === null || leaderCommit === null ? null : Math.max(0, leaderCommit - page.commitIndex);
    return {
      name: member.name,
      address: clientAddress(member),
      role: page?.role ?? (process.running ? 'starting' : 'down'),
      term: page?.term ?? null,
      commitIndex: page?.commitIndex ?? null,
      lag,
      pid: process.pid,
      note: this.#note(member.name, process.running, page),
    };
  }

  #note(name: string, running: boolean, page: RaftPage | null): string {
    if (!running) return 'r restarts it';
    const notes: string[] = [];
    if (this.#isolated.has(name)) notes.push('cut off from the others');
    if (this.#slowed.has(name)) notes.push(`slowed by ${SLOW_BY_MS} ms`);
    if (page === null && this.#pages.has(name)) notes.push('does not answer');
    return notes.join(', ');
  }
}
