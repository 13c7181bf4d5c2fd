/** Takes leaders away, one after the other, and measures how long it takes until a successor serves a write. */
import type { Client } from '@quorate/client';
import type { Cluster } from '../harness/cluster.ts';
import type { Harness } from '../harness/harness.ts';
import { SOUND } from '../harness/link.ts';
import { firstWriteServed } from '../harness/prober.ts';
import { InVainError } from '../harness/until.ts';
import type { Server } from '../places/place.ts';
import { type TimeoutRange, timeoutFlags } from './election-timeouts.ts';
import { firstElection } from './first-election.ts';

/**
 * How a leader goes: `silent` stands still with its connections open, and goes on as it was when its successor serves; `killed` is ended by kill -9,
 * its connections break, and it is started again.
 */
export type Death = 'silent' | 'killed';

export interface ElectionSettings {
  readonly servers: number;
  readonly range: TimeoutRange;
  readonly preVote: boolean;
  readonly death: Death;
  /** Followers that go together with it; 0 if not given. */
  readonly companions?: number;
  /** One way, between servers. */
  readonly delayMs: number;
  /** Further options of the core, as `NAME=N`. */
  readonly tuned?: readonly string[];
}

/** Of a cell, whichever comes first. */
export interface ElectionBudget {
  readonly elections: number;
  readonly seconds: number;
  /** Watched without any failure before the first. */
  readonly calmSeconds: number;
  /** Without a leader for so long, the outcome is "none". */
  readonly limitMs: number;
}

/** So many times none, and the cell has shown what it has to show. */
const MAX_NONE = 3;
/** A cluster that did not elect even its first leader is given one more chance. */
export const MAX_NONE_AT_ALL = 1;

export class ElectionTrial {
  readonly #harness: Harness;
  readonly #settings: ElectionSettings;
  readonly #budget: ElectionBudget;
  readonly #limitMs: number;

  constructor(harness: Harness, settings: ElectionSettings, budget: ElectionBudget) {
    this.#harness = harness;
    this.#settings = settings;
    this.#budget = budget;
    this.#limitMs = budget.limitMs;
  }

  async run(): Promise<void> {
    const { servers, range, preVote, delayMs } = this.#settings;
    const cluster = await this.#harness.prepare({
      servers,
      flags: [...timeoutFlags(range, this.#settings.tuned), `--pre-vote=${preVote}`],
      ...(delayMs === 0 ? {} : { links: { ...SOUND, delayMs } }),
    });
    const { clients, isServed } = await firstElection(this.#harness, cluster, this.#limitMs);
    await this.#harness.introduce(cluster);
    await this.#calm(cluster, clients);
    await this.#replacements(cluster, isServed ? MAX_NONE : MAX_NONE_AT_ALL);
  }

  /** Nothing is hurt: elections now are ones that nobody needs. */
  async #calm(cluster: Cluster, clients: readonly Client[]): Promise<void> {
    const { calmSeconds } = this.#budget;
    const before = await this.#term(cluster);
    const began = performance.now();
    let writes = 0;
    let served = 0;
    while (performance.now() - began < calmSeconds * 1000) {
      writes += 1;
      const answer = await firstWriteServed(clients, performance.now(), 1000, this.#harness.signal);
      if (answer !== null) served += 1;
      await this.#harness.wait(20);
    }
    const seconds = (performance.now() - began) / 1000;
    const terms = (await this.#term(cluster)) - before;
    this.#harness.record({ kind: 'calm', terms, termsPerSecond: terms / seconds, writes, served });
  }

  async #term(cluster: Cluster): Promise<number> {
    return Math.max(0, ...(await cluster.pages()).map(({ page }) => page?.term ?? 0));
  }

  async #replacements(cluster: Cluster, maxNone: number): Promise<void> {
    const { elections: wanted, seconds } = this.#budget;
    const began = performance.now();
    let none = 0;
    let passed = 0;
    let done = 0;
    for (; done < wanted && none < maxNone; done++) {
      if (performance.now() - began > seconds * 1000) break;
      const outcome = await this.#replace(cluster);
      if (outcome === 'none') none += 1;
      if (outcome === 'passed') passed += 1;
    }
    if (none === maxNone)
      this.#harness.note(`No leader within ${this.#limitMs / 1000} s, in ${none} of ${done} times: ended early.`);
    if (passed > 0)
      this.#harness.note(
        `${passed} times the leader had been replaced by itself just before it was taken away; not counted.`,
      );
  }

  async #replace(cluster: Cluster): Promise<'served' | 'none' | 'passed'> {
    const { range } = this.#settings;
    const leader = await this.#leader(cluster);
    if (leader === null) {
      this.#harness.record({ kind: 'replacement', ms: null, terms: null, limitMs: this.#limitMs });
      return 'none';
    }
    const { fallen, survivors } = this.#draw(cluster, leader);
    const clients = await Promise.all(survivors.map((server) => cluster.client([server])));
    await this.#harness.wait(100 + this.#harness.random.below(100 + Math.round(range.maxMs)));
    const term = await this.#term(cluster);
    const since = performance.now();
    if (this.#settings.death === 'silent') await Promise.all(fallen.map((server) => cluster.freeze(server)));
    else await Promise.all(fallen.map((server) => cluster.kill(server)));
    const served = await firstWriteServed(clients, since, this.#limitMs, this.#harness.signal);
    const terms = (await this.#term(cluster)) - term;
    await Promise.all(clients.map((client) => client.close()));
    const isReplaced = terms > 0 || served === null;
    if (isReplaced) {
      this.#harness.record({ kind: 'replacement', ms: served?.ms ?? null, terms, limitMs: this.#limitMs });
    }
    await Promise.all(fallen.map((server) => this.#bringBack(cluster, server)));
    if (served === null) return 'none';
    return isReplaced ? 'served' : 'passed';
  }

  /** Null: there was none that all agree on, in all the time. */
  async #leader(cluster: Cluster): Promise<Server | null> {
    try {
      return await cluster.settled(this.#limitMs);
    } catch (error) {
      if (!(error instanceof InVainError)) throw error;
    }
    const found = await cluster.leaderNow();
    return found?.server ?? null;
  }

  /** Who goes with the leader, and who stays. */
  #draw(cluster: Cluster, leader: Server) {
    const survivors = cluster.servers.filter((server) => server !== leader);
    const fallen = [leader];
    for (let left = this.#settings.companions ?? 0; left > 0; left--) {
      fallen.push(...survivors.splice(this.#harness.random.below(survivors.length), 1));
    }
    return { fallen, survivors };
  }

  async #bringBack(cluster: Cluster, server: Server): Promise<void> {
    if (this.#settings.death === 'silent') return cluster.thaw(server);
    server.process.start();
    await cluster.until(
      `${server.member.name} to be back`,
      async () => ((await cluster.page(server)) === null ? null : true),
      60_000,
    );
  }
}
