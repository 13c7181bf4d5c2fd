/** How long a cluster serves no write after its leader is gone, by election timeouts, size, PreVote and network delay. */
import type { Client } from '@quorate/client';
import type { LocalServer } from '@quorate/processes';
import type { Cell, Experiment, Scale } from '../experiment.ts';
import type { Cluster } from '../harness/cluster.ts';
import type { Harness } from '../harness/harness.ts';
import { SOUND } from '../harness/link.ts';
import { firstWriteServed } from '../harness/prober.ts';
import { InVainError } from '../harness/until.ts';
import { electionFigures } from './elections-figures.ts';
import { RANGES, type TimeoutRange, timeoutFlags } from './election-timeouts.ts';

/** How a leader goes: `silent` stands still with its connections open, `killed` is ended by kill -9, and its connections break. */
type Death = 'silent' | 'killed';

interface Settings {
  readonly servers: number;
  readonly range: TimeoutRange;
  readonly preVote: boolean;
  readonly death: Death;
  /** One way, between servers. */
  readonly delayMs: number;
}

/** Of a cell, whichever comes first. */
interface Budget {
  readonly elections: number;
  readonly seconds: number;
  /** Watched without any failure before the first. */
  readonly calmSeconds: number;
}

const BUDGETS: Readonly<Record<Scale, Budget>> = {
  full: { elections: 100, seconds: 600, calmSeconds: 10 },
  quick: { elections: 4, seconds: 15, calmSeconds: 1 },
};

/** Without a leader for so long, the outcome is "none". */
export const NO_LEADER_MS = 60_000;
/** The same of a quick run. */
export const QUICK_NO_LEADER_MS = 8_000;
/** So many times none, and the cell has shown what it has to show. */
const MAX_NONE = 3;

export const elections: Experiment = {
  name: 'elections',
  title: 'Elections: time from the loss of the leader to the first write served by its successor',
  question: 'How short may election timeouts be, and what does it cost when they are too short?',
  method:
    'The leader of a cluster of real processes is taken away at a random moment, and from then on a write is sent to one of the survivors ' +
    'every 2 ms; the first answer ends the measurement. "Silent": the process is stopped (SIGSTOP), its connections stay open and nothing ' +
    'answers, as when a machine loses its power or its network; here the election timeout decides. "Killed": kill -9; the system closes ' +
    'its connections, which the others take for its end (see docs/elections.md), so that the timeout hardly matters. Delays are one way, between ' +
    'servers, made by a relay on loopback. Heartbeats: 0.5, 3, 30 and 50 ms. All servers share the processors of one machine, which puts a floor ' +
    'under everything here. Before the first loss each cluster is watched without any: terms that pass then are elections that nobody needed.',
  measures: [
    { column: 'ms', label: 'replacement', unit: 'ms', where: { kind: 'replacement' } },
    { column: 'ms', label: 'first write after a majority is up', unit: 'ms', where: { kind: 'initial' } },
    { column: 'terms', label: 'terms per replacement', unit: '', where: { kind: 'replacement' } },
    { column: 'termsPerSecond', label: 'terms a second without any failure', unit: '1/s', where: { kind: 'calm' } },
  ],
  cells: (scale) => settingsOf(scale).map((settings) => cellOf(settings, scale)),
  figures: electionFigures,
};

function settingsOf(scale: Scale): readonly Settings[] {
  if (scale === 'quick') return quickSettings();
  const near = [3, 5, 9].flatMap((servers) =>
    RANGES.flatMap((range) =>
      [true, false].flatMap((preVote) =>
        (['silent', 'killed'] as const).map((death) => ({ servers, range, preVote, death, delayMs: 0 })),
      ),
    ),
  );
  const far = [3, 5, 9].flatMap((servers) =>
    RANGES.flatMap((range) =>
      [true, false].flatMap((preVote) =>
        [1, 10, 50].map((delayMs) => ({ servers, range, preVote, death: 'silent' as const, delayMs })),
      ),
    ),
  );
  return [...near, ...far];
}

/** Each range once, and one change at a time. */
function quickSettings(): readonly Settings[] {
  const usual = { servers: 3, preVote: true, death: 'silent', delayMs: 0 } as const;
  const [, short, middle] = RANGES;
  const varied: Settings[] = RANGES.map((range) => ({ ...usual, range }));
  if (short !== undefined) varied.push({ ...usual, range: short, delayMs: 50 });
  if (middle !== undefined) {
    varied.push({ ...usual, range: middle, preVote: false }, { ...usual, range: middle, death: 'killed' });
  }
  return varied;
}

function cellOf(settings: Settings, scale: Scale): Cell {
  const { servers, range, preVote, death, delayMs } = settings;
  const budget = BUDGETS[scale];
  const each = 1.5 + servers * 0.2 + (range.maxMs + 4 * delayMs) / 1000;
  return {
    key: `${servers}-${range.minMs}-${range.maxMs}ms-${preVote ? 'prevote' : 'plain'}-${death}-${delayMs}ms`,
    settings: { servers, timeouts: range.name, preVote, death, delayMs },
    servers,
    seconds: 3 + servers * 0.4 + budget.calmSeconds + Math.min(budget.seconds, budget.elections * each),
    run: (harness) => new Elections(harness, settings, budget, scale).run(),
  };
}

class Elections {
  readonly #harness: Harness;
  readonly #settings: Settings;
  readonly #budget: Budget;
  readonly #limitMs: number;

  constructor(harness: Harness, settings: Settings, budget: Budget, scale: Scale) {
    this.#harness = harness;
    this.#settings = settings;
    this.#budget = budget;
    this.#limitMs = scale === 'full' ? NO_LEADER_MS : QUICK_NO_LEADER_MS;
  }

  async run(): Promise<void> {
    const { servers, range, preVote, delayMs } = this.#settings;
    const cluster = await this.#harness.prepare({
      servers,
      flags: [...timeoutFlags(range), `--pre-vote=${preVote}`],
      ...(delayMs === 0 ? {} : { links: { ...SOUND, delayMs } }),
    });
    const clients = await this.#initial(cluster);
    await this.#harness.introduce(cluster);
    await this.#calm(cluster, clients);
    await this.#replacements(cluster);
  }

  /** From the moment when a majority is up to the first write served. */
  async #initial(cluster: Cluster): Promise<readonly Client[]> {
    const { servers } = this.#settings;
    const majority = Math.floor(servers / 2) + 1;
    cluster.local.startAll();
    await cluster.until(
      'a majority to be up',
      async () => ((await cluster.pages()).filter(({ page }) => page !== null).length >= majority ? true : null),
      60_000,
    );
    const since = performance.now();
    const clients = await Promise.all(cluster.servers.map((server) => cluster.client([server])));
    const served = await firstWriteServed(clients, since, this.#limitMs, this.#harness.signal);
    this.#harness.record({ kind: 'initial', ms: served?.ms ?? null, limitMs: this.#limitMs });
    return clients;
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

  async #replacements(cluster: Cluster): Promise<void> {
    const { elections: wanted, seconds } = this.#budget;
    const began = performance.now();
    let none = 0;
    let passed = 0;
    for (let done = 0; done < wanted && none < MAX_NONE; done++) {
      if (performance.now() - began > seconds * 1000) break;
      const outcome = await this.#replace(cluster);
      if (outcome === 'none') none += 1;
      if (outcome === 'passed') passed += 1;
    }
    if (none === MAX_NONE)
      this.#harness.note(`No leader within ${this.#limitMs / 1000} s, ${MAX_NONE} times: ended early.`);
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
    const survivors = cluster.servers.filter((server) => server !== leader);
    const clients = await Promise.all(survivors.map((server) => cluster.client([server])));
    await this.#harness.wait(100 + this.#harness.random.below(100 + Math.round(range.maxMs)));
    const term = await this.#term(cluster);
    const since = performance.now();
    if (this.#settings.death === 'silent') cluster.freeze(leader);
    else await cluster.kill(leader);
    const served = await firstWriteServed(clients, since, this.#limitMs, this.#harness.signal);
    const terms = (await this.#term(cluster)) - term;
    await Promise.all(clients.map((client) => client.close()));
    const isReplaced = terms > 0 || served === null;
    if (isReplaced) {
      this.#harness.record({ kind: 'replacement', ms: served?.ms ?? null, terms, limitMs: this.#limitMs });
    }
    await this.#bringBack(cluster, leader);
    if (served === null) return 'none';
    return isReplaced ? 'served' : 'passed';
  }

  /** Null: there was none that all agree on, in all the time. */
  async #leader(cluster: Cluster): Promise<LocalServer | null> {
    try {
      return await cluster.settled(this.#limitMs);
    } catch (error) {
      if (!(error instanceof InVainError)) throw error;
    }
    const found = await cluster.leaderNow();
    return found?.server ?? null;
  }

  async #bringBack(cluster: Cluster, server: LocalServer): Promise<void> {
    await cluster.kill(server);
    server.process.start();
    await cluster.until(
      `${server.member.name} to be back`,
      async () => ((await cluster.page(server)) === null ? null : true),
      60_000,
    );
  }
}
