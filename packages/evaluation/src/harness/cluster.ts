/** A cluster of server processes under experiment: what can be asked of it and done to it. */
import { connect as connectTo } from 'node:net';
import { type Client, connect } from '@quorate/client';
import {
  clientAddress,
  type ClusterLayout,
  type LayoutMember,
  logFile,
  LOOPBACK,
  type RaftPage,
  raftPage,
  type ServerProgram,
} from '@quorate/processes';
import type { Home, RelayDoors, Server } from '../places/place.ts';
import { until } from './until.ts';

/** How long a cluster may take to start, or to become able to decide. Nothing is measured by it. */
export const SETTLE_TIMEOUT_MS = 60_000;
/** How often states are polled. Where time is measured, writes are sent instead. */
const POLL_MS = 20;
/** The same where a start is timed. Clients wait longer and longer between their attempts. */
const CONNECT_POLL_MS = 5;
const CLIENT_TIMEOUT_MS = 5_000;

/** What a cluster is made of. */
export interface ClusterParts {
  readonly layout: ClusterLayout;
  /** One for each place. */
  readonly homes: readonly Home[];
  /** What a place starts. */
  readonly program: (home: Home) => ServerProgram;
  /** One for each home; none where the servers reach each other directly. */
  readonly relays: readonly RelayDoors[];
  readonly signal: AbortSignal;
}

export class Cluster {
  readonly #parts: ClusterParts;
  readonly #servers: Server[];
  readonly #clients: Client[] = [];
  readonly #frozen = new Set<Server>();

  constructor(parts: ClusterParts) {
    this.#parts = parts;
    this.#servers = parts.layout.members.map((member) => this.#place(member, parts.layout, []));
  }

  /** The founders, then those who were added. */
  get servers(): readonly Server[] {
    return this.#servers;
  }

  get relays(): readonly RelayDoors[] {
    return this.#parts.relays;
  }

  get homes(): readonly Home[] {
    return this.#parts.homes;
  }

  /** A server, not started yet, on the place whose address it has. */
  #place(member: LayoutMember, layout: ClusterLayout, more: readonly string[]): Server {
    const home = this.homes.find(({ place }) => place.address === (member.host ?? LOOPBACK));
    if (home === undefined) throw new Error(`${member.name} is to run on ${member.host}, where no place is.`);
    const { command, args, env } = this.#parts.program(home);
    const process = home.place.process({
      name: member.name,
      command,
      args: [...args(layout, member, home.directory), ...more],
      env,
      logFile: logFile(home.directory, member),
    });
    return { member, home, process };
  }

  /** Starts every server that is down. */
  startAll(): void {
    for (const { process } of this.servers) if (!process.running) process.start();
  }

  /** Those that run and are not frozen. */
  get running(): readonly Server[] {
    return this.servers.filter((server) => server.process.running && !this.#frozen.has(server));
  }

  place(server: Server): number {
    return this.servers.indexOf(server);
  }

  /** How a server sees itself; null while it does not answer. */
  page(server: Server, timeoutMs?: number): Promise<RaftPage | null> {
    return raftPage(clientAddress(server.member), timeoutMs);
  }

  async pages(): Promise<readonly { readonly server: Server; readonly page: RaftPage | null }[]> {
    return Promise.all(this.running.map(async (server) => ({ server, page: await this.page(server) })));
  }

  /** Who leads in the highest term that anybody knows; null if nobody says so. */
  async leaderNow(): Promise<{ readonly server: Server; readonly term: number } | null> {
    const pages = await this.pages();
    const leaders = pages.flatMap(({ server, page }) => (page?.role === 'leader' ? [{ server, term: page.term }] : []));
    return leaders.toSorted((a, b) => b.term - a.term)[0] ?? null;
  }

  /** Waits for a leader. Rejects when there is none within `limitMs`. */
  async leader(limitMs: number = SETTLE_TIMEOUT_MS): Promise<Server> {
    const found = await this.until('a leader', () => this.leaderNow(), limitMs);
    return found.server;
  }

  /** Waits until every running server follows one leader in one term, and has applied what that one has committed. */
  async settled(limitMs: number = SETTLE_TIMEOUT_MS): Promise<Server> {
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
  async listens({ member }: Server, limitMs: number = SETTLE_TIMEOUT_MS): Promise<void> {
    const { signal } = this.#parts;
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
    return until({
      what,
      probe,
      limitMs,
      pollMs: POLL_MS,
      signal: this.#parts.signal,
      complaint: () => this.#fallen(),
    });
  }

  /** Why waiting on is in vain: null while every server that was started runs. */
  #fallen(): string | null {
    const fallen = this.servers.find(({ process }) => !process.running && (process.lastExit?.code ?? 0) > 0);
    return fallen === undefined
      ? null
      : `${fallen.member.name} stopped by itself; its log ends:\n${fallen.process.logTail(3)}`;
  }

  /** A client of these servers; closed with the cluster. */
  async client(of: readonly Server[] = this.servers, timeout: number = CLIENT_TIMEOUT_MS): Promise<Client> {
    const addresses = of.map(({ member }) => clientAddress(member));
    // Connecting may have to wait for a server that just starts; calls then have their own timeout.
    const first = await connect(addresses, { timeout: SETTLE_TIMEOUT_MS, signal: this.#parts.signal });
    await first.close();
    const client = await connect(addresses, { timeout });
    this.#clients.push(client);
    return client;
  }

  /** A further server, not started yet, that asks those who run to be let in. */
  add(member: LayoutMember): Server {
    const doors = this.running.map((server) => clientAddress(server.member));
    const layout = { token: this.#parts.layout.token, members: [member] };
    const server = this.#place(member, layout, ['--join', doors.join(',')]);
    this.#servers.push(server);
    return server;
  }

  /** kill -9: the system closes its connections, as when a process dies and its machine lives on. */
  async kill(server: Server): Promise<void> {
    await server.process.kill('SIGKILL');
    this.#frozen.delete(server);
  }

  /** Stands still from now on: connections stay open and nothing answers, as when a machine loses its power or its network. */
  async freeze(server: Server): Promise<void> {
    await server.process.signal('SIGSTOP');
    this.#frozen.add(server);
  }

  /** Goes on, if it still runs. */
  async thaw(server: Server): Promise<void> {
    this.#frozen.delete(server);
    if (server.process.running) await server.process.signal('SIGCONT');
  }

  /** Asks a page of the server's fault injection. */
  async hurt(server: Server, page: string): Promise<void> {
    await server.home.place.post(server.member, `/debug/${page}`);
  }

  /** Leaves nothing running. */
  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all(this.servers.map(({ process }) => process.kill('SIGKILL')));
    await Promise.all(this.relays.map((relay) => relay.close()));
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
