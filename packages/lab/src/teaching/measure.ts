/** Runs and searches one Raft with a mistake, each seed and each test in processes of their own. */
import { runJobs, type Usage } from '../session/session.ts';
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

/** One seed more. Null if it was stopped. */
export async function runSeed(
  { path, signal }: Measured,
  { seeds, seconds, caught }: RunSide,
): Promise<RunSide | null> {
  const seed = seeds + 1;
  const { first, used } = await firstFailure(path, seed, signal);
  if (signal.aborted) return null;
  const side = { seeds: seed, seconds: rounded(seconds + used) };
  if (first === null) return { ...side, caught };
  const events = await eventsOf(path, first, signal);
  return events === null ? null : { ...side, caught: [...caught, caughtRun(first, events)] };
}

/** All tests in the order of the suite, up to the first that fails. */
async function firstFailure(
  path: string,
  seed: number,
  signal: AbortSignal,
): Promise<{ readonly first: Outcome | null; readonly used: number }> {
  const failed = new AbortController();
  let first: Outcome | null = null;
  const usage = await runJobs(
    runTests.map(({ name }) => jobOf(name, seed)),
    {
      subject: { path },
      processes: 1,
      output: null,
      signal: AbortSignal.any([signal, failed.signal]),
      onOutcome(outcome) {
        if (outcome.failure === null || first !== null) return;
        first = outcome;
        failed.abort();
      },
    },
  );
  return { first, used: secondsOf(usage) };
}

/** The failed test once more, with all that can be seen of it written down. Null if it was stopped. */
async function eventsOf(path: string, first: Outcome, signal: AbortSignal): Promise<number | null> {
  const job = { ...jobOf(first.test, first.seed), isRecorded: true };
  const [outcome] = await outcomesOf(path, [job], signal);
  if (outcome === undefined) return null;
  if (outcome.failure?.message !== first.failure?.message)
    throw new Error(
      `${first.test} with seed ${first.seed} does not fail as before: a seed must always make the same run.`,
    );
  const { recording } = outcome;
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

function secondsOf({ user, system }: Usage): number {
  return (user + system) / 1000;
}

function rounded(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}

/** Without a stack: that names where a file lay. */
function firstLine(message: string): string {
  return message.split('\n')[0] ?? '';
}
