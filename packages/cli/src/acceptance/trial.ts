import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '@quorate/client';
import {
  clientAddress,
  endpoints,
  layoutOnFreePorts,
  LocalCluster,
  type LocalServer,
  type RaftPage,
  raftPage,
} from '@quorate/processes';
import { quorateProgram } from '../programs.ts';

/** How long a cluster may take to become able to decide, or to agree. Generous: nothing is measured by it. */
export const SETTLE_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

export type Report = (line: string) => void;

export interface TrialOptions {
  readonly servers: number;
  readonly report: Report;
  readonly flags?: readonly string[];
  readonly nodeFlags?: readonly string[];
  /** Where the temporary directory is made; the system's place for such where it is not given. */
  readonly parent?: string;
}

/** A cluster of real processes on free ports, its data in a temporary directory; gone without trace at the end. */
export class Trial {
  readonly cluster: LocalCluster;
  readonly report: Report;
  readonly #clients: Client[] = [];

  private constructor(cluster: LocalCluster, report: Report) {
    this.cluster = cluster;
    this.report = report;
  }

  /** Starts a cluster, waits for its leader, hands it over, and clears everything away whatever happened. */
  static async run<Result>(options: TrialOptions, body: (trial: Trial) => Promise<Result>): Promise<Result> {
    const directory = mkdtempSync(join(options.parent ?? tmpdir(), 'quorate-trial-'));
    const layout = await layoutOnFreePorts(directory, options.servers, 'trial');
    const flags = ['--enable-fault-injection', ...(options.flags ?? [])];
    const trial = new Trial(
      new LocalCluster(quorateProgram(flags, options.nodeFlags), layout, directory),
      options.report,
    );
    let passed = false;
    try {
      trial.cluster.startAll();
      await trial.leader();
      const result = await body(trial);
      passed = true;
      return result;
    } finally {
      await Promise.all(trial.#clients.map((client) => client.close()));
      await trial.cluster.killAll();
      // What a failed trial leaves is evidence.
      if (passed) rmSync(directory, { recursive: true, force: true });
      else options.report(`the data and logs of the failed trial are kept in ${directory}`);
    }
  }

  /** A client of all servers, or of one of them; closed at the end of the trial. */
  async client(server: LocalServer | null = null, timeout = 5_000): Promise<Client> {
    const at = server === null ? endpoints(this.cluster.layout) : [clientAddress(server.member)];
    // Connecting may have to wait for a server that just starts; calls then use their own timeout.
    const first = await connect(at, { timeout: SETTLE_TIMEOUT_MS });
    await first.close();
    const client = await connect(at, { timeout });
    this.#clients.push(client);
    return client;
  }

  get running(): readonly LocalServer[] {
    return this.cluster.servers.filter(({ process }) => process.running);
  }

  page(server: LocalServer): Promise<RaftPage | null> {
    return raftPage(clientAddress(server.member));
  }

  /** The leader of the highest term that answers; waits for one. Complains when a server has stopped by itself. */
  async leader(): Promise<LocalServer> {
    return this.until('a leader', async () => {
      const pages = await Promise.all(this.running.map(async (server) => ({ server, page: await this.page(server) })));
      const leaders = pages.filter(({ page }) => page?.role === 'leader');
      const newest = leaders.toSorted((a, b) => (b.page?.term ?? 0) - (a.page?.term ?? 0))[0];
      return newest?.server ?? null;
    });
  }

  async follower(): Promise<LocalServer> {
    const leader = await this.leader();
    const follower = this.running.find((server) => server !== leader);
    if (follower === undefined) throw new Error('No follower is running.');
    return follower;
  }

  /** Waits until every running server has applied the same, and all that the leader has committed. */
  async agreed(): Promise<void> {
    await this.until('all servers to have applied the same', async () => {
      const pages = await Promise.all(this.running.map((server) => this.page(server)));
      const [first] = pages;
      if (first === undefined || first === null) return null;
      return pages.every((page) => page?.appliedIndex === first.appliedIndex && page.commitIndex === first.commitIndex)
        ? true
        : null;
    });
  }

  /**
   * Waits until every running server follows the same leader in the same term. Before that an election may still be under way,
   * and may leave the outcome of a write unknown.
   */
  async oneLeader(): Promise<void> {
    await this.until('one leader that every server follows', async () => {
      const pages = await Promise.all(this.running.map((server) => this.page(server)));
      const [first] = pages;
      if (first === undefined || first === null || first.leader === null) return null;
      const followed = pages.every((page) => page?.leader === first.leader && page?.term === first.term);
      return followed && pages.some((page) => page?.role === 'leader') ? true : null;
    });
  }

  /** Polls until `probe` gives something else than null. */
  async until<Value>(what: string, probe: () => Promise<Value | null>, timeoutMs = SETTLE_TIMEOUT_MS): Promise<Value> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const value = await probe();
      if (value !== null) return value;
      if (performance.now() > deadline)
        throw new Error(`Waited ${timeoutMs / 1000} s for ${what}, in vain. ${this.#lastWords()}`);
      await sleep(POLL_MS);
    }
  }

  #lastWords(): string {
    const down = this.cluster.servers.filter(({ process }) => !process.running);
    if (down.length === 0) return 'All servers run.';
    return down
      .map(({ member, process }) => `${member.name} is down; the end of its log:\n${process.logTail(3)}`)
      .join('\n');
  }
}
