/** A cluster of server processes under experiment: what can be asked of it and done to it. */
import { connect as connectTo } from 'node:net';
import { type Client, connect } from '@quorate/client';
import {
  askPage,
  clientAddress,
  type LayoutMember,
  type LocalCluster,
  type LocalServer,
  LOOPBACK,
  type RaftPage,
  raftPage,
} from '@quorate/processes';
import type { Relay } from './relay.ts';
import { until } from './until.ts';

/** How long a cluster may take to start, or to become able to decide. Nothing is measured by it. */
export const SETTLE_TIMEOUT_MS = 60_000;
/** How often states are polled. Where time is measured, writes are sent instead. */
const POLL_MS = 20;
/** The same where a start is timed. Clients wait longer and longer between their attempts. */
const CONNECT_POLL_MS = 5;
const CLIENT_TIMEOUT_MS = 5_000;

export class Cluster {
  readonly local: LocalCluster;
  /** Null where the servers reach each other directly. */
  readonly relay: Relay | null;
  readonly #signal: AbortSignal;
  readonly #clients: Client[] = [];
  readonly #frozen = new Set<LocalServer>();

  constructor(local: LocalCluster, relay: Relay | null, signal: AbortSignal) {
    this.local = local;
    this.relay = relay;
    this.#signal = signal;
  }

  get servers(): readonly LocalServer[] {
    return this.local.servers;
  }

  /** Those that run and are not frozen. */
  get running(): readonly LocalServer[] {
    return this.servers.filter((server) => server.process.running && !this.#frozen.has(server));
  }

  place(server: LocalServer): number {
    return this.servers.indexOf(server);
  }

  /** How a server sees itself; null while it does not answer. */
  page(server: LocalServer, timeoutMs?: number): Promise<RaftPage | null> {
    return raftPage(clientAddress(server.member), timeoutMs);
  }

  async pages(): Promise<readonly { readonly server: LocalServer; readonly page: RaftPage | null }[]> {
    return Promise.all(this.running.map(async (server) => ({ server, page: await this.page(server) })));
  }

  /** Who leads in the highest term that anybody knows; null if nobody says so. */
  async leaderNow(): Promise<{ readonly server: LocalServer; readonly term: number } | null> {
    const pages = await this.pages();
    const leaders = pages.flatMap(({ server, page }) => (page?.role === 'leader' ? [{ server, term: page.term }] : []));
    return leaders.toSorted((a, b) => b.term - a.term)[0] ?? null;
  }

  /** Waits for a leader. Rejects when there is none within `limitMs`. */
  async leader(limitMs: number = SETTLE_TIMEOUT_MS): Promise<LocalServer> {
    const found = await this.until('a leader', () => this.leaderNow(), limitMs);
    return found.server;
  }

  /** Waits until every running server follows one leader in one term, and has applied what that one has committed. */
  async settled(limitMs: number = SETTLE_TIMEOUT_MS): Promise<LocalServer> {
    return this.until(
      'one leader that every server follows',
      async () => {
        const pages = await this.pages();
        const leader = pages.find(({ page }) => page?.role === 'leader');
        if (leader === undefined || leader.page === null) return null;
        const { id, term, commitIndex } = leader.page;
        const agreed = pages.every(
          ({ page }) => page !== null && page.leader === id && page.term === term && page.appliedIndex >= commitIndex,
        );
        return agreed ? leader.server : null;
      },
      limitMs,
    );
  }

  /** Waits until a server that was started takes connections, whichever program it is. */
  async listens({ member }: LocalServer, limitMs: number = SETTLE_TIMEOUT_MS): Promise<void> {
    const signal = this.#signal;
    const probe = async (): Promise<true | null> => ((await accepts(member)) ? true : null);
    await until({
      what: `${member.name} to listen`,
      probe,
      limitMs,
      pollMs: CONNECT_POLL_MS,
      signal,
      complaint: () => this.#fallen(),
    });
  }

  until<Value>(what: string, probe: () => Promise<Value | null>, limitMs: number): Promise<Value> {
    return until({ what, probe, limitMs, pollMs: POLL_MS, signal: this.#signal, complaint: () => this.#fallen() });
  }

  /** Why waiting on is in vain: null while every server that was started runs. */
  #fallen(): string | null {
    const fallen = this.servers.find(({ process }) => !process.running && (process.lastExit?.code ?? 0) > 0);
    return fallen === undefined
      ? null
      : `${fallen.member.name} stopped by itself; its log ends:\n${fallen.process.logTail(3)}`;
  }

  /** A client of these servers; closed with the cluster. */
  async client(of: readonly LocalServer[] = this.servers, timeout: number = CLIENT_TIMEOUT_MS): Promise<Client> {
    const addresses = of.map(({ member }) => clientAddress(member));
    // Connecting may have to wait for a server that just starts; calls then have their own timeout.
    const first = await connect(addresses, { timeout: SETTLE_TIMEOUT_MS, signal: this.#signal });
    await first.close();
    const client = await connect(addresses, { timeout });
    this.#clients.push(client);
    return client;
  }

  /** A further server, not started yet. */
  add(member: LayoutMember): LocalServer {
    return this.local.add(
      member,
      this.running.map((server) => clientAddress(server.member)),
    );
  }

  /** kill -9: the system closes its connections, as when a process dies and its machine lives on. */
  async kill(server: LocalServer): Promise<void> {
    await server.process.kill('SIGKILL');
    this.#frozen.delete(server);
  }

  /** Stands still from now on: connections stay open and nothing answers, as when a machine loses its power or its network. */
  freeze(server: LocalServer): void {
    const { pid } = server.process;
    if (pid === null) throw new Error(`${server.member.name} does not run and cannot be frozen.`);
    process.kill(pid, 'SIGSTOP');
    this.#frozen.add(server);
  }

  thaw(server: LocalServer): void {
    const { pid } = server.process;
    if (pid !== null) process.kill(pid, 'SIGCONT');
    this.#frozen.delete(server);
  }

  /** Asks a page of the server's fault injection. */
  async hurt(server: LocalServer, page: string): Promise<void> {
    await askPage('POST', clientAddress(server.member), `/debug/${page}`);
  }

  /** Leaves nothing running. */
  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.local.killAll();
    await this.relay?.close();
  }
}

function accepts({ host = LOOPBACK, clientPort }: LayoutMember): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTo({ host, port: clientPort });
    const end = (isAccepted: boolean): void => {
      socket.destroy();
      resolve(isAccepted);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
