/**
 * Runs a search test on a Raft in the async style. What waits inside a promise can neither be copied nor compared, so every way is run from
 * the beginning, a number of times in each stage: at random, and every second time with first steps of which all ways are tried, depth first.
 */
import { type RandomStream, randomStream } from '@quorate/sim';
import type { Make } from '../../interface.ts';
import type { SearchStage, SearchTest } from '../../suite/search-test.ts';
import type { LabAction } from '../action.ts';
import { boundsOf, nothingAllowed } from '../allowance.ts';
import { failureAtEnd, findingOf, missed, nearestRemark, rerunRemark, tellBroken } from '../search-failure.ts';
import type { SearchReport, StageSummary, WayLengths } from '../search-report.ts';
import type { Rest } from './member.ts';
import { RerunCluster } from './rerun-cluster.ts';
import { lookAt, type Sight } from './sight.ts';
import { Script } from './script.ts';
import { type Decision, decisionOf, replay, tellWay } from './way.ts';

/** Runs of a stage that looks for what breaks, and of one that searches for its goal. */
const RUNS = 400;
const RUNS_TO_GOAL = 600;
/** Once the goal is reached, so many runs look for a shorter way. */
const RUNS_TO_SHORTEN = 40;
/** Steps of one run, of one stage. */
const MAX_STEPS = 50;
/** Steps of which all ways are tried before chance takes over. */
const SYSTEMATIC = 3;

/** How often each kind is drawn, of those that can happen. */
const weights: Readonly<Partial<Record<LabAction['kind'], number>>> = { deliver: 6, restart: 4, timeout: 2, start: 2 };

/** Whether its servers have `change`. */
export async function offersChange(make: Make): Promise<boolean> {
  const cluster = new RerunCluster({ make, servers: 1, offers: [] });
  try {
    await cluster.begin();
    return cluster.offersChange;
  } finally {
    cluster.end();
  }
}

export async function searchRerun(
  test: SearchTest,
  make: Make,
  seed: number,
  onBeat: () => void,
): Promise<SearchReport> {
  const { servers, offers = [], stages } = test;
  const searched = new Rerun(test, { make, servers, offers }, randomStream(seed, test.name), onBeat);
  for (const stage of stages) if (!(await searched.stage(stage))) break;
  return await searched.report();
}

interface Finding {
  readonly way: readonly Decision[];
  readonly broken: RerunCluster['broken'];
  readonly misses: Sight['misses'];
}

class Rerun {
  readonly #test: SearchTest;
  readonly #options: ConstructorParameters<typeof RerunCluster>[0];
  readonly #random: RandomStream;
  readonly #onBeat: () => void;
  readonly #summaries: StageSummary[] = [];
  #stage: SearchStage | null = null;
  /** What leads to where the present stage begins. */
  #way: Decision[] = [];
  /** Where the present stage begins, if runs can go on from there. */
  #rest: Rest | null = null;
  #runs = 0;
  #steps = 0;
  #stageSteps = 0;
  #deepest = 0;
  #best: Finding | null = null;
  #nearest: Finding | null = null;
  readonly #met = new Map<string, number>();
  #lengths: WayLengths | null = null;

  constructor(
    test: SearchTest,
    options: ConstructorParameters<typeof RerunCluster>[0],
    random: RandomStream,
    onBeat: () => void,
  ) {
    this.#test = test;
    this.#options = options;
    this.#random = random;
    this.#onBeat = onBeat;
  }

  /** Returns whether the next stage may begin. */
  async stage(stage: SearchStage): Promise<boolean> {
    const { name, budgets = {}, forget = false, begin = [], goal } = stage;
    this.#stage = stage;
    this.#best = null;
    this.#nearest = null;
    this.#stageSteps = 0;
    this.#deepest = 0;
    this.#met.clear();
    // Loops that look at their clocks again and again do now a part of what is due, and a part a little later.
    const allowed =
      goal === null ? budgets : { ...budgets, timeouts: (budgets.timeouts ?? []).map((each) => 2 * each) };
    for (const action of [{ kind: 'restage', stage: name, budgets: allowed, forget } as const, ...begin])
      this.#way.push({ action, message: null, isScenarios: true });
    this.#rest = await this.#restHere();
    const runs = await this.#search(goal === null ? RUNS : RUNS_TO_GOAL);
    const found = this.#best as Finding | null;
    const isBroken = found !== null && found.broken !== null;
    this.#summaries.push({
      name,
      bounds: boundsOf({ ...nothingAllowed, ...allowed }),
      end: isBroken ? 'violation' : found === null ? `${runs} runs` : 'goal',
      states: this.#met.size,
      steps: this.#stageSteps,
      depth: this.#deepest,
    });
    if (isBroken || (goal !== null && found === null)) return false;
    if (found !== null) this.#way.push(...(await this.#shortened(found, ({ misses }) => misses.length === 0)));
    return true;
  }

  async #search(most: number): Promise<number> {
    const script = new Script(SYSTEMATIC);
    const none = new Script(0);
    let sinceFound = 0;
    for (let run = 1; run <= most; run++) {
      const isSystematic = this.#stage?.goal === null && run % 2 === 0;
      await this.#run(isSystematic ? script : none);
      if (isSystematic) script.next();
      this.#onBeat();
      // Deterministic code breaks again: a violation is looked for no further, but made shorter below.
      if (this.#best?.broken !== null && this.#best !== null) return run;
      if (this.#best !== null && ++sinceFound > RUNS_TO_SHORTEN) return run;
    }
    return most;
  }

  async #run(script: Script): Promise<void> {
    this.#runs += 1;
    const cluster = new RerunCluster(this.#options);
    try {
      await this.#toStage(cluster);
      await this.#walk(cluster, script);
    } finally {
      cluster.end();
    }
  }

  /** To where the present stage begins: from there on if servers can be loaded, else from the beginning. */
  async #toStage(cluster: RerunCluster): Promise<void> {
    if (this.#rest !== null) {
      await cluster.resume(this.#rest);
      return;
    }
    await cluster.begin();
    await replay(cluster, this.#way);
  }

  async #restHere(): Promise<Rest | null> {
    const cluster = new RerunCluster(this.#options);
    try {
      await cluster.begin();
      await replay(cluster, this.#way);
      return cluster.broken === null ? cluster.rest() : null;
    } finally {
      cluster.end();
    }
  }

  async #walk(cluster: RerunCluster, script: Script): Promise<void> {
    const way: Decision[] = [];
    script.begin();
    while (!this.#look(cluster, way) && way.length < this.#bound) {
      if (this.#isKnown(cluster, way.length, script)) return;
      const enabled = cluster.enabled();
      if (enabled.length === 0) return;
      const at = script.choose(enabled.length) ?? this.#draw(enabled);
      const action = enabled[at] as LabAction;
      way.push(decisionOf(cluster, action, false));
      await cluster.perform(action, false);
      this.#steps += 1;
      this.#stageSteps += 1;
      this.#deepest = Math.max(this.#deepest, way.length);
    }
  }

  get #bound(): number {
    return this.#best === null ? MAX_STEPS : this.#best.way.length - 1;
  }

  /** Returns whether the walk ends here. */
  #look(cluster: RerunCluster, way: readonly Decision[]): boolean {
    const { broken, misses, distance } = lookAt(cluster, this.#stage);
    if (broken !== null || (misses.length === 0 && this.#stage?.goal !== null)) {
      this.#best = { way: [...way], broken, misses };
      return true;
    }
    const nearest = this.#nearest === null ? Number.POSITIVE_INFINITY : sum(this.#nearest.misses);
    if (this.#stage?.goal !== null && distance < nearest) this.#nearest = { way: [...way], broken: null, misses };
    return false;
  }

  /** Whether another run came by here, as soon or sooner: only where servers can say what is in them. */
  #isKnown(cluster: RerunCluster, depth: number, script: Script): boolean {
    const code = script.isSystematic ? null : cluster.code();
    if (code === null) return false;
    const before = this.#met.get(code);
    if (before !== undefined && before < depth) return true;
    this.#met.set(code, Math.min(before ?? depth, depth));
    return false;
  }

  #draw(enabled: readonly LabAction[]): number {
    const heavy = enabled.map(({ kind }) => weights[kind] ?? 1);
    let left = this.#random.below(heavy.reduce((total, each) => total + each, 0));
    for (const [at, weight] of heavy.entries()) {
      if (left < weight) return at;
      left -= weight;
    }
    return 0;
  }

  async report(): Promise<SearchReport> {
    const total = (key: 'states' | 'depth'): number => this.#summaries.reduce((all, each) => all + each[key], 0);
    const summary = {
      verdict: 'rerun',
      states: total('states'),
      steps: this.#steps,
      depth: total('depth'),
      runs: this.#runs,
      stages: this.#summaries,
    } as const;
    const failure = await this.#failure();
    return { summary: { ...summary, way: this.#lengths }, failure };
  }

  async #failure(): Promise<SearchReport['failure']> {
    const found = this.#best;
    const stage = this.#stage;
    const rule = found?.broken ?? null;
    if (found !== null && rule !== null) {
      const shortest = await this.#shortened(found, ({ broken }) => broken?.invariant === rule.invariant);
      this.#lengths = { found: this.#stepsWith(found.way), told: this.#stepsWith(shortest) };
      const { telling, broken } = await tellWay(this.#options, [...this.#way, ...shortest]);
      const isOfStage = stage?.invariants?.some(({ name }) => name === rule.invariant) === true;
      if (broken === null && this.#rest !== null && !isOfStage) telling.lines.push(notFromBeginning);
      const message = tellBroken(broken ?? rule);
      return failureAtEnd(this.#test, telling, findingOf(broken ?? rule), { message, remark: rerunRemark });
    }
    if (stage === null || stage.goal === null || found !== null) return null;
    const misses = (this.#nearest?.misses ?? []).map(({ part }) => part);
    const nearest = `nearest: all but "${misses.join('" and "')}"`;
    const { telling } = await tellWay(this.#options, [...this.#way, ...(this.#nearest?.way ?? [])], [nearest]);
    const reached = `none of ${RUNS_TO_GOAL} runs leads there`;
    const finding = missed(stage.name, stage.goal.name, `${reached}; ${nearest}`);
    const message = `${stage.name}: ${reached} (${stage.goal.name})`;
    return failureAtEnd(this.#test, telling, finding, { message, remark: nearestRemark });
  }

  /** Of the way to where the stage begins, and on from there. */
  #stepsWith(way: readonly Decision[]): number {
    return [...this.#way, ...way].filter(({ action }) => action.kind !== 'restage').length;
  }

  /** Leaves out every step of the stage without which the same comes of it all the same. */
  async #shortened({ way }: Finding, isSame: (sight: Sight) => boolean): Promise<readonly Decision[]> {
    let shortest = way;
    for (let at = way.length - 1; at >= 0; at--) {
      const shorter = shortest.filter((_, step) => step !== at);
      this.#onBeat();
      if (isSame(await this.#sightAfter(shorter))) shortest = shorter;
    }
    return shortest;
  }

  async #sightAfter(way: readonly Decision[]): Promise<Sight> {
    this.#runs += 1;
    const cluster = new RerunCluster(this.#options);
    try {
      await this.#toStage(cluster);
      await replay(cluster, way);
      return lookAt(cluster, this.#stage);
    } finally {
      cluster.end();
    }
  }
}

function sum(misses: Sight['misses']): number {
  return misses.reduce((total, { distance }) => total + distance, 0);
}

const notFromBeginning =
  '-- run from the beginning, the same steps break nothing: what load made of a server is not what save told';
