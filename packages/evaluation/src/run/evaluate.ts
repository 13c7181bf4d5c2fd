/** Runs experiments, cell by cell, and writes down what came of them. What an earlier run has ended is not done again. */
import { accessSync, constants, mkdirSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { makeRunDirectory, removeAbandoned } from '@quorate/processes';
import { type Plan, ResultsDirectory } from '../data/results-directory.ts';
import { EvaluationError } from '../errors.ts';
import type { Cell, Experiment, Scale } from '../experiment.ts';
import { Harness } from '../harness/harness.ts';
import { checkRange, portSource, type PortRange } from '../harness/port-range.ts';
import { Hosts, type HostsOptions } from '../places/hosts.ts';
import { LocalPlace } from '../places/local-place.ts';
import type { Place } from '../places/place.ts';
import { type Conditions, conditionsOf, type HostConditions } from '../report/conditions.ts';
import { claim } from './claim.ts';
import { duration, Progress, type Screen } from './progress.ts';
import { keepLogs } from './keep-logs.ts';

export interface EvaluationOptions {
  readonly experiments: readonly Experiment[];
  readonly scale: Scale;
  /** Where results, plots and the report go. */
  readonly out: string;
  readonly seed: number;
  /** Only cells whose key contains this. */
  readonly cells: string | null;
  /** Throws away what is there. */
  readonly fresh: boolean;
  /** Ports that may be used; null: any. */
  readonly ports: PortRange | null;
  /** Where servers run; null: on this machine. */
  readonly hosts: HostsOptions | null;
  /** The file that the command `quorate` runs. */
  readonly entry: string;
  readonly version: string;
  readonly screen: Screen;
  readonly signal: AbortSignal;
}

/** A cell's data stand here while it runs. */
const RUN_KIND = 'quorate-experiment-';

export interface EvaluationEnd {
  /** Cells that failed, in words. */
  readonly failures: readonly string[];
  readonly interrupted: boolean;
}

interface Task {
  readonly experiment: Experiment;
  readonly directory: ResultsDirectory;
  readonly cell: Cell;
}

/** Where cells are run, and for how long. */
interface Ground {
  readonly places: readonly Place[];
  readonly signal: AbortSignal;
}

/**
 * @throws EvaluationError when what is asked for cannot be, before anything is started; `HostLost` in the middle
 */
export async function evaluate(options: EvaluationOptions): Promise<EvaluationEnd> {
  checkDirectory(options.out);
  const release = claim(options.out);
  try {
    return await carryOut(options);
  } finally {
    release();
  }
}

async function carryOut(options: EvaluationOptions): Promise<EvaluationEnd> {
  const { screen, signal } = options;
  const tasks = tasksOf(options);
  checkPorts(options, tasks);
  for (const line of removeAbandoned(RUN_KIND)) screen.say(line);
  const waiting = tasks.filter(({ directory, cell }) => directory.read(cell)?.failure !== null);
  if (waiting.length < tasks.length) screen.say(`${tasks.length - waiting.length} cells are there already`);
  if (waiting.length > 0) {
    const seconds = waiting.reduce((sum, { cell }) => sum + cell.seconds, 0);
    screen.say(`${waiting.length} cells to measure, about ${duration(seconds)} on a quiet machine`);
  }
  const run = new Run(options);
  process.once('exit', run.abandon);
  try {
    await run.all(waiting);
  } finally {
    process.off('exit', run.abandon);
  }
  return { failures: run.failures, interrupted: signal.aborted };
}

function checkDirectory(out: string): void {
  try {
    mkdirSync(out, { recursive: true });
    accessSync(out, constants.W_OK);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `Results cannot be written to ${resolve(out)}: ${reason}. Give another directory with --out.`;
    throw new EvaluationError('BadDirectory', message, { cause });
  }
}

function tasksOf({ experiments, scale, seed, out, cells, fresh, hosts }: EvaluationOptions): readonly Task[] {
  const all = experiments.flatMap((experiment) => {
    const chosen = experiment.cells(scale).filter(({ key }) => cells === null || key.includes(cells));
    return chosen.length === 0 ? [] : [{ experiment, chosen }];
  });
  if (all.length === 0)
    throw new EvaluationError('NoSuchCell', `No cell's name contains "${cells}"; --list prints them.`);
  return all.flatMap(({ experiment, chosen }) => {
    const plan: Plan = {
      format: 1,
      experiment: experiment.name,
      scale,
      seed,
      ...(hosts === null ? {} : { hosts: hosts.names.map(({ text }) => text) }),
    };
    const directory = ResultsDirectory.open(out, plan, fresh);
    return chosen.map((cell) => ({ experiment, directory, cell }));
  });
}

function checkPorts({ ports, hosts }: EvaluationOptions, tasks: readonly Task[]): void {
  const most = Math.max(...tasks.map(({ cell }) => cell.servers));
  if (ports !== null) checkRange(ports, Math.ceil(most / (hosts?.names.length ?? 1)));
}

class Run {
  readonly #options: EvaluationOptions;
  #harness: Harness | null = null;
  readonly failures: string[] = [];

  constructor(options: EvaluationOptions) {
    this.#options = options;
  }

  /** The process ends in the middle of a cell: what it started must not outlive it. */
  readonly abandon = (): void => this.#harness?.abandon();

  async all(tasks: readonly Task[]): Promise<void> {
    const { version, hosts } = this.#options;
    const home = makeRunDirectory(RUN_KIND);
    try {
      const conditions = conditionsOf(version, home);
      const needsHosts = hosts !== null && tasks.some(({ cell }) => cell.servers > 0);
      if (needsHosts) await this.#onHosts(hosts, home, tasks, conditions);
      else await this.#cells(tasks, this.#here(home, conditions), conditions);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }

  #here(home: string, conditions: Conditions): Ground {
    const { entry, ports, signal } = this.#options;
    return { places: [new LocalPlace({ entry, home, ports: portSource(ports), conditions })], signal };
  }

  async #onHosts(options: HostsOptions, home: string, tasks: readonly Task[], conditions: Conditions): Promise<void> {
    const { entry, ports, version, signal, screen } = this.#options;
    screen.line(`connecting to ${options.names.map(({ text }) => text).join(', ')}`);
    const say = (text: string): void => screen.say(text);
    const hosts = await Hosts.open(options, { entry, home, ports, version, signal, say }).catch((error: unknown) => {
      // Interrupted before anything was measured.
      if (signal.aborted) return null;
      throw error;
    });
    if (hosts === null) return;
    // The others are cleared at once: what the cell waits for, on connections to a host that is silent, may take a minute to end.
    hosts.lost.addEventListener('abort', () => {
      screen.say('a host is lost: ending');
      void hosts.close();
    });
    try {
      await this.#cells(tasks, { places: hosts.places, signal: AbortSignal.any([signal, hosts.lost]) }, conditions);
    } finally {
      await hosts.close();
    }
    if (hosts.lost.aborted && !signal.aborted) throw hosts.lost.reason;
  }

  async #cells(tasks: readonly Task[], ground: Ground, conditions: Conditions): Promise<void> {
    const seconds = tasks.reduce((sum, { cell }) => sum + cell.seconds, 0);
    const progress = new Progress(this.#options.screen, seconds);
    for (const task of tasks) {
      if (ground.signal.aborted) break;
      progress.begin(`${task.experiment.name} ${task.cell.key}`);
      progress.end(task.cell.seconds, await this.#one(task, ground, conditions));
    }
  }

  /** Returns how long it took, in seconds. */
  async #one(task: Task, { places, signal }: Ground, conditions: Conditions): Promise<number> {
    const { experiment, directory, cell } = task;
    const { seed, hosts } = this.#options;
    const rows = directory.begin(cell.key);
    const notes: string[] = [];
    const startedAt = new Date().toISOString();
    const began = performance.now();
    const before = loadavg()[0] ?? 0;
    const harness = new Harness({
      places,
      seed,
      key: `${experiment.name}/${cell.key}`,
      signal,
      record: (row) => rows.write(row),
      note: (text) => notes.push(text),
    });
    this.#harness = harness;
    let failure: string | null = null;
    try {
      await cell.run(harness);
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    try {
      await harness.end();
      const seconds = (performance.now() - began) / 1000;
      if (signal.aborted) return seconds;
      const load = { before, after: loadavg()[0] ?? 0 };
      directory.end(cell.key, {
        notes,
        failure,
        startedAt,
        seconds,
        load,
        conditions,
        ...(cell.servers === 0 ? {} : told(places, hosts)),
      });
      if (failure !== null) await this.#failed(task, failure, harness);
      return seconds;
    } finally {
      rows.close();
      await harness.close();
      this.#harness = null;
    }
  }

  async #failed({ experiment, directory, cell }: Task, failure: string, harness: Harness): Promise<void> {
    const logs = await keepLogs(harness, join(directory.path, 'logs', cell.key));
    this.failures.push(`${experiment.name} ${cell.key}: ${failure}`);
    const where = logs === null ? '' : ` Logs: ${logs}`;
    this.#options.screen.say(`${experiment.name} ${cell.key} failed: ${failure}${where}`);
  }
}

/** What a cell's end says of the hosts. */
function told(places: readonly Place[], hosts: HostsOptions | null): { readonly hosts?: readonly HostConditions[] } {
  if (hosts === null) return {};
  return { hosts: places.map(({ name, address, conditions }) => ({ host: name, address, ...conditions })) };
}
