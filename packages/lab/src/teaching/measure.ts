/** Runs and searches one Raft with a mistake, in processes of its own. */
import { type JobSource, runJobs } from '../session/session.ts';
import type { Job, Outcome } from '../session/protocol.ts';
import { searches, suite } from '../suite/index.ts';
import type { CaughtRerun, CaughtRun, CaughtSearch, RunSide, SearchSide } from './results.ts';

/** Tests of a service on a Raft are left out: they take longer than all others, and it is Raft that is wrong here. */
const runTests = suite.filter(({ makeService }) => makeService === undefined);

export interface Measured {
  /** The Raft's file. */
  readonly path: string;
  readonly signal: AbortSignal;
  /** What it is at. */
  readonly onProgress: (what: string) => void;
}

/** Seeds behind those that `side` has, up to `seeds`; `onSeed` is handed what has come of all so far, each time that one is done. */
export async function runSeeds(
  { path, signal }: Measured,
  side: RunSide,
  seeds: number,
  onSeed: (side: RunSide) => void,
): Promise<void> {
  const runs = new SeedRuns(side, seeds, onSeed);
  await runJobs(runs, {
    subject: { path },
    processes: 1,
    output: null,
    signal,
    onOutcome: (outcome) => runs.add(outcome),
  });
  if (runs.astray !== null) throw runs.astray;
}

/**
 * Seed after seed all tests in the order of the suite, up to the first that fails. That one is run once more, with all that can be seen of it
 * written down.
 */
class SeedRuns implements JobSource {
  #side: RunSide;
  readonly #seeds: number;
  readonly #onSeed: (side: RunSide) => void;
  /** Of the seed that is run now: its next test, and milliseconds of the processor. */
  #test = 0;
  #used = 0;
  #first: Outcome | null = null;
  /** A seed made two different runs: nothing that is measured so means anything. */
  astray: Error | null = null;

  constructor(side: RunSide, seeds: number, onSeed: (side: RunSide) => void) {
    this.#side = side;
    this.#seeds = seeds;
    this.#onSeed = onSeed;
  }

  next(): Job | null {
    if (this.astray !== null) return null;
    if (this.#first !== null) return { ...jobOf(this.#first.test, this.#first.seed), isRecorded: true };
    const test = runTests[this.#test];
    return test === undefined || this.#side.seeds >= this.#seeds ? null : jobOf(test.name, this.#side.seeds + 1);
  }

  add(outcome: Outcome): void {
    if (this.#first !== null) return this.#addAgain(this.#first, outcome);
    this.#used += outcome.computing;
    if (outcome.failure !== null) {
      this.#first = outcome;
      return;
    }
    this.#test += 1;
    if (this.#test === runTests.length) this.#end(null);
  }

  #addAgain(first: Outcome, again: Outcome): void {
    const { test, seed } = first;
    if (again.failure?.message === first.failure?.message) return this.#end(caughtRun(first, eventsOf(again)));
    this.astray = new Error(`${test} with seed ${seed} does not fail as before: a seed must always make the same run.`);
  }

  #end(found: CaughtRun | null): void {
    const { seeds, seconds, caught } = this.#side;
    this.#side = {
      seeds: seeds + 1,
      seconds: rounded(seconds + this.#used / 1000),
      caught: found === null ? caught : [...caught, found],
    };
    this.#test = 0;
    this.#used = 0;
    this.#first = null;
    this.#onSeed(this.#side);
  }
}

function eventsOf({ recording }: Outcome): number {
  // A test that had to be ended has none.
  return recording === null || recording === undefined ? 0 : recording.left + recording.events.length;
}

function caughtRun({ seed, test, part, failure }: Outcome, events: number): CaughtRun {
  return { seed, test, part, message: firstLine(failure?.message ?? ''), events };
}

/** Null if it was stopped. */
export async function searchSide({ path, signal, onProgress }: Measured): Promise<SearchSide | null> {
  onProgress('searches');
  const outcomes = await outcomesOf(
    path,
    searches.map(({ name }) => jobOf(name, 1)),
    signal,
  );
  if (signal.aborted) return null;
  const caught: CaughtSearch[] = [];
  for (const outcome of outcomes.filter(({ failure }) => failure !== null)) {
    onProgress(`${outcome.test} by rerun`);
    const job = { ...jobOf(outcome.test, 1), isRerun: true };
    const [rerun] = await outcomesOf(path, [job], signal);
    if (rerun === undefined) return null;
    caught.push({ ...caughtSearch(outcome), rerun: rerun.failure === null ? null : caughtRerun(rerun) });
  }
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((all, each) => all + of(each), 0);
  return {
    states: sum(({ search }) => search?.states ?? 0),
    seconds: rounded(sum(({ computing }) => computing) / 1000),
    caught,
  };
}

function caughtSearch({ test, failure, search, computing }: Outcome): Omit<CaughtSearch, 'rerun'> {
  const message = firstLine(failure?.message ?? '');
  const steps = search?.way?.told ?? null;
  return { test, message, states: search?.states ?? 0, seconds: rounded(computing / 1000), steps };
}

function caughtRerun({ search, computing }: Outcome): CaughtRerun {
  const { found = null, told: shortened = null } = search?.way ?? {};
  return { runs: search?.runs ?? 0, seconds: rounded(computing / 1000), found, shortened };
}

async function outcomesOf(path: string, jobs: readonly Job[], signal: AbortSignal): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const onOutcome = (outcome: Outcome): void => void outcomes.push(outcome);
  await runJobs(jobs, { subject: { path }, processes: 1, output: null, signal, onOutcome });
  return outcomes;
}

function jobOf(test: string, seed: number): Job {
  return { test, seed, isRealTime: false, isRace: false };
}

function rounded(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}

/** Without a stack: that names where a file lay. */
function firstLine(message: string): string {
  return message.split('\n')[0] ?? '';
}
