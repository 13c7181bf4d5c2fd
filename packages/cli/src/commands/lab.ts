import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import {
  allTests,
  compareLines,
  detailLines,
  explanationLines,
  failureLines,
  findModule,
  type Grade,
  gradeOf,
  type Job,
  type ListedTest,
  type Outcome,
  parts,
  passedLine,
  runJobs,
  titleLine,
  totalLines,
  UnfitModuleError,
} from '@quorate/lab';
import type { LabRunFlags } from '../tree/lab-command.ts';
import { UsageError } from '../usage-error.ts';
import { checkGradeFile, writeGrade } from './lab-grade.ts';
import { savePage } from './lab-page.ts';
import { traceFailures } from './lab-trace.ts';
import { print } from './session.ts';

const PROGRESS_MS = 500;
/** Further failures are counted, not printed. */
const MAX_PRINTED = 5;
/** Exit code behind Ctrl-C. */
const INTERRUPTED = 130;

export async function runLab(flags: LabRunFlags): Promise<void> {
  const tests = chosenTests(flags);
  if (flags.list === true) {
    for (const { part, name, title } of tests) print(`${part.padEnd(10)} ${name.padEnd(28)} ${title}`);
    return;
  }
  if (flags.grade !== undefined) checkGradeFile(flags.grade);
  const outcomes: Outcome[] = [];
  const began = performance.now();
  try {
    await runTests(tests, flags, outcomes);
  } catch (error) {
    // Who grades needs a file also for what cannot be run.
    const reason = error instanceof Error ? error.message : String(error);
    grade(
      flags,
      gradeOf(tests, flags.runs, [], () => [], performance.now() - began, reason),
    );
    if (error instanceof UnfitModuleError) throw new UsageError(error.message);
    throw error;
  }
  const describe = (outcome: Outcome): readonly string[] =>
    outcome.failure === null ? [passedLine(outcome)] : failureLines(outcome, againCommand(outcome, flags));
  grade(flags, gradeOf(tests, flags.runs, outcomes, describe, performance.now() - began));
  if (flags.compare === true) {
    print('');
    for (const line of compareLines(outcomes)) print(line);
    if (flags.realTime !== true) print('Published figures are of real time: --real-time makes these comparable.');
  }
}

/** A run that was interrupted is no basis for a grade. */
function grade({ grade: file }: LabRunFlags, points: Grade): void {
  if (file !== undefined && process.exitCode !== INTERRUPTED) writeGrade(file, points);
}

/** @throws UnfitModuleError if there is nothing to test. */
async function runTests(tests: readonly ListedTest[], flags: LabRunFlags, outcomes: Outcome[]): Promise<void> {
  const path = flags.impl === undefined ? null : findModule(resolve(flags.impl));
  const jobs = jobsOf(tests, flags);
  const ending = new AbortController();
  const onInterrupt = (): void => {
    if (ending.signal.aborted) process.exit(INTERRUPTED);
    ending.abort();
  };
  process.on('SIGINT', onInterrupt);
  const summary = flags.runs === 1 ? new OneRun(tests, flags) : new ManyRuns(jobs.length, flags);
  const began = performance.now();
  try {
    const usage = await runJobs(jobs, {
      subject: { path },
      processes: flags.processes ?? (flags.realTime === true ? 1 : availableParallelism()),
      output: flags.verbose === true ? process.stderr : null,
      signal: ending.signal,
      onOutcome: (outcome) => {
        outcomes.push(outcome);
        summary.add(outcome);
      },
    });
    summary.finish(usage, performance.now() - began);
    if (!ending.signal.aborted) await traceFailures(outcomes, { path }, flags, ending.signal);
  } finally {
    summary.stop();
    process.off('SIGINT', onInterrupt);
  }
  if (ending.signal.aborted) process.exitCode = INTERRUPTED;
  else if (summary.failed > 0) process.exitCode = 1;
}

function chosenTests({ part, test: names, search, race, realTime }: LabRunFlags): readonly ListedTest[] {
  if (race === true && realTime === true) throw new UsageError('--race needs virtual time: leave out --real-time.');
  const known: readonly string[] = parts;
  if (part !== undefined && !known.includes(part))
    throw new UsageError(`There is no part '${part}'. There are: ${known.join(', ')}.`);
  const unknown = names?.find((name) => !allTests.some((each) => each.name === name));
  if (unknown !== undefined)
    throw new UsageError(`There is no test '${unknown}'. quorate lab run --list prints them all.`);
  const onlyRuns = race === true ? '--race' : realTime === true ? '--real-time' : null;
  const chosen = allTests.filter(
    (each) =>
      (part === undefined || each.part === part) &&
      (names === undefined || names.includes(each.name)) &&
      (search === undefined || search === (each.isSearch === true)),
  );
  if (onlyRuns === null) return chosen;
  const searched =
    names === undefined && search !== true ? undefined : chosen.find(({ isSearch }) => isSearch === true);
  if (searched !== undefined)
    throw new UsageError(`${searched.name} is a search: leave out ${onlyRuns}, which is for runs.`);
  return chosen.filter(({ isSearch }) => isSearch !== true);
}

/** Run by run, so that what fails often fails early. A search is made once. */
function jobsOf(tests: readonly ListedTest[], { seed, runs, realTime, race }: LabRunFlags): Job[] {
  return Array.from({ length: runs }, (_, run) => run).flatMap((run) =>
    tests
      .filter(({ isSearch }) => run === 0 || isSearch !== true)
      .map(({ name }) => ({ test: name, seed: seed + run, isRealTime: realTime === true, isRace: race === true })),
  );
}

function againCommand(outcome: Outcome, { impl, realTime, race }: LabRunFlags): string {
  const subject = impl === undefined ? '' : ` --impl ${impl}`;
  const time = realTime === true ? ' --real-time' : '';
  return `quorate lab run${subject} --test ${outcome.test} --seed ${outcome.seed}${time}${race === true ? ' --race' : ''} --verbose`;
}

function printFailure(outcome: Outcome, flags: LabRunFlags): void {
  const page = savePage(outcome, flags);
  for (const line of failureLines(outcome, againCommand(outcome, flags), page)) print(line);
}

/** The classic output. Tests may end in any order; they are printed in the suite's. */
class OneRun {
  failed = 0;
  readonly #waiting: ListedTest[];
  readonly #flags: LabRunFlags;
  readonly #ended = new Map<string, Outcome>();
  #elapsed = 0;
  #notOffered = 0;

  constructor(tests: readonly ListedTest[], flags: LabRunFlags) {
    this.#waiting = [...tests];
    this.#flags = flags;
  }

  add(outcome: Outcome): void {
    this.#ended.set(outcome.test, outcome);
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const ended = this.#ended.get(next.name);
      if (ended === undefined) return;
      this.#waiting.shift();
      this.#print(ended);
    }
  }

  finish(usage: { readonly user: number; readonly system: number }, wall: number): void {
    const [pass, ...totals] = totalLines(this.#elapsed, usage, wall);
    if (this.#waiting.length > 0) return;
    print(this.failed === 0 ? (pass ?? '') : `FAIL: ${this.failed} of ${this.#ended.size} tests`);
    if (this.#notOffered > 0) print(`${this.#notOffered} not run: not offered`);
    for (const line of totals) print(this.failed === 0 ? line : line.replace(/^ok /, 'FAIL'));
  }

  stop(): void {
    // Nothing moves on the screen.
  }

  #print(outcome: Outcome): void {
    this.#elapsed += outcome.elapsed;
    if (outcome.notOffered !== null) this.#notOffered += 1;
    print(titleLine(outcome));
    if (outcome.failure === null) print(passedLine(outcome));
    else {
      this.failed += 1;
      printFailure(outcome, this.#flags);
    }
    for (const remark of outcome.remarks) print(`      ${remark}`);
    for (const line of explanationLines(outcome)) print(line);
    if (this.#flags.verbose === true) for (const line of detailLines(outcome)) print(line);
  }
}

/** A line that moves, then a table: of every test the shortest, the middle and the longest. */
class ManyRuns {
  failed = 0;
  readonly #jobs: number;
  readonly #flags: LabRunFlags;
  readonly #outcomes = new Map<string, Outcome[]>();
  readonly #progress: NodeJS.Timeout;
  readonly #began = performance.now();
  #done = 0;

  constructor(jobs: number, flags: LabRunFlags) {
    this.#jobs = jobs;
    this.#flags = flags;
    this.#progress = setInterval(() => this.#show(), PROGRESS_MS);
  }

  add(outcome: Outcome): void {
    this.#done += 1;
    const of = this.#outcomes.get(outcome.test) ?? [];
    this.#outcomes.set(outcome.test, of);
    of.push(outcome);
    if (outcome.failure === null) return;
    this.failed += 1;
    if (this.failed > MAX_PRINTED) return;
    this.#clear();
    print(titleLine(outcome));
    printFailure(outcome, this.#flags);
  }

  finish(usage: { readonly user: number; readonly system: number }, wall: number): void {
    this.#clear();
    print(`${'test'.padEnd(28)}  runs  failed        seconds (min median max)   RPCs (min median max)`);
    for (const { name } of allTests) {
      const outcomes = this.#outcomes.get(name);
      if (outcomes !== undefined) print(tableLine(name, outcomes));
    }
    print(`${this.#done} tests, ${this.failed} failed`);
    const [, , usageLine] = totalLines(0, usage, wall);
    print(usageLine ?? '');
  }

  stop(): void {
    clearInterval(this.#progress);
    this.#clear();
  }

  #show(): void {
    if (!process.stderr.isTTY) return;
    const seconds = (performance.now() - this.#began) / 1000;
    const left =
      this.#done === 0 ? '' : `, about ${(((this.#jobs - this.#done) * seconds) / this.#done).toFixed(0)} s left`;
    const filled = Math.round((30 * this.#done) / this.#jobs);
    const bar = `${'#'.repeat(filled)}${'.'.repeat(30 - filled)}`;
    process.stderr.write(`\r\u001B[K[${bar}] ${this.#done} of ${this.#jobs} tests, ${this.failed} failed${left}`);
  }

  #clear(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001B[K');
  }
}

function tableLine(name: string, outcomes: readonly Outcome[]): string {
  const failed = outcomes.filter(({ failure }) => failure !== null).length;
  const seconds = spread(outcomes.map(({ elapsed }) => elapsed / 1000)).map((value) => value.toFixed(1).padStart(7));
  const calls = spread(outcomes.map((outcome) => outcome.calls)).map((value) => value.toFixed(0).padStart(7));
  const counts = `${String(outcomes.length).padStart(5)} ${String(failed).padStart(7)}`;
  if (outcomes.some(({ notOffered }) => notOffered !== null)) return `${name.padEnd(28)} ${counts}     not offered`;
  const [searched] = outcomes.map(({ search }) => search);
  if (searched !== undefined && searched !== null)
    return `${name.padEnd(28)} ${counts}     searched: ${searched.verdict}`;
  return `${name.padEnd(28)} ${counts}     ${seconds.join(' ')}   ${calls.join(' ')}`;
}

function spread(values: readonly number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b);
  return [0, Math.floor(sorted.length / 2), sorted.length - 1].map((at) => sorted[at] ?? 0);
}
