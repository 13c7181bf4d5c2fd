/** Runs jobs in processes of their own: as many as there are to be, each one job at a time. */
import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { allTests } from '../suite/index.ts';
import { UnfitModuleError } from '../sandbox/load-module.ts';
import { type Job, noFigures, type Outcome, type Report, type Subject } from './protocol.ts';

export interface SessionOptions {
  readonly subject: Subject;
  readonly processes: number;
  /** What the code under test prints goes here; null throws it away. */
  readonly output: NodeJS.WritableStream | null;
  readonly signal?: AbortSignal;
  readonly onOutcome: (outcome: Outcome) => void;
}

/** Says what is next whenever a process is free, so that what has come of others by then may decide it. Null: nothing more. */
export interface JobSource {
  next(): Job | null;
}

/** Characters of its standard error that are kept of a process. */
const MAX_COMPLAINT = 4_000;

/**
 * Virtual time makes much that is soon forgotten: with more room for it (megabytes) it is looked through less often. The other processors
 * are busy with tests, and do not help.
 */
const MEMORY_FLAGS = ['--min-semi-space-size=32', '--max-semi-space-size=32', '--no-parallel-scavenge'];

/** What all tests together took of the processor. Milliseconds. */
export interface Usage {
  user: number;
  system: number;
}

/**
 * Runs all jobs. Those that a process was at when it had to be ended, because it computed without end, end with a failure that shows its
 * stack. @throws UnfitModuleError if there is nothing to test.
 */
export async function runJobs(jobs: readonly Job[] | JobSource, options: SessionOptions): Promise<Usage> {
  const usage: Usage = { user: 0, system: 0 };
  const queue = new Queue('next' in jobs ? jobs : listed(jobs));
  const processes = 'next' in jobs ? options.processes : Math.min(options.processes, jobs.length);
  const lanes = Array.from({ length: processes }, async () => {
    while (!queue.isEmpty && options.signal?.aborted !== true) await new Lane(queue, options, usage).run();
  });
  await Promise.all(lanes);
  return usage;
}

function listed(jobs: readonly Job[]): JobSource {
  const left = [...jobs];
  return { next: () => left.shift() ?? null };
}

/** What is left to do. A source is not asked before somebody is free to do what it says. */
class Queue {
  readonly #source: JobSource;
  /** The source has no more. */
  isEmpty = false;

  constructor(source: JobSource) {
    this.#source = source;
  }

  take(): Job | null {
    const job = this.isEmpty ? null : this.#source.next();
    if (job === null) this.isEmpty = true;
    return job;
  }

  /** Whatever is left is not done. */
  close(): void {
    this.isEmpty = true;
  }
}

/** One process, from its start until there is no job left, or it had to be ended. */
class Lane {
  readonly #queue: Queue;
  readonly #options: SessionOptions;
  readonly #usage: Usage;
  #job: Job | null = null;
  #isReady = false;
  /** The last of what the process said on standard error. */
  #complaint = '';
  #stall: { readonly limit: number; readonly stack: string } | null = null;

  constructor(queue: Queue, options: SessionOptions, usage: Usage) {
    this.#queue = queue;
    this.#options = options;
    this.#usage = usage;
  }

  async run(): Promise<void> {
    const { subject, output, signal } = this.#options;
    const child = fork(new URL('test-worker.js', import.meta.url), [JSON.stringify(subject)], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'ipc'],
      execArgv: MEMORY_FLAGS,
    });
    const kill = (): void => void child.kill('SIGKILL');
    signal?.addEventListener('abort', kill);
    this.#listen(child, output);
    try {
      await new Promise<void>((resolve, reject) => {
        child.on('message', (report: Report) => this.#onReport(child, report, reject));
        child.on('error', reject);
        child.on('close', (code, signalName) => {
          this.#onClosed(code, signalName);
          if (this.#isReady || signal?.aborted === true) resolve();
          else reject(new Error(this.#whyNotReady(code, signalName)));
        });
      });
    } finally {
      signal?.removeEventListener('abort', kill);
      kill();
    }
  }

  #listen(child: ChildProcess, output: NodeJS.WritableStream | null): void {
    child.stdout?.on('data', (chunk: Buffer) => output?.write(chunk));
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString()).slice(-MAX_COMPLAINT);
      output?.write(chunk);
    });
    const stalls = child.stdio[3] as Readable;
    createInterface({ input: stalls }).on('line', (line) => {
      this.#stall = JSON.parse(line) as { limit: number; stack: string };
    });
  }

  #onReport(child: ChildProcess, report: Report, reject: (error: Error) => void): void {
    if (report.kind === 'unfit') {
      this.#isReady = true;
      this.#queue.close();
      reject(new UnfitModuleError(report.reason));
      return;
    }
    this.#isReady = true;
    if (report.kind === 'outcome') {
      this.#usage.user += report.user;
      this.#usage.system += report.system;
      this.#job = null;
      this.#options.onOutcome(report.outcome);
    }
    this.#next(child);
  }

  #next(child: ChildProcess): void {
    const job = this.#options.signal?.aborted === true ? null : this.#queue.take();
    if (job === null) {
      child.kill();
      return;
    }
    this.#job = job;
    child.send(job);
  }

  #whyNotReady(code: number | null, signalName: string | null): string {
    this.#queue.close();
    return `A process that should run tests ended at once (${signalName ?? `exit code ${code}`}): ${this.#complaint.trim()}`;
  }

  /** A process that ends while it has a job has not ended as it should. */
  #onClosed(code: number | null, signalName: string | null): void {
    const job = this.#job;
    if (job === null || this.#options.signal?.aborted === true) return;
    const test = allTests.find(({ name }) => name === job.test);
    if (test === undefined) return;
    const stall = this.#stall;
    const message =
      stall === null
        ? `the process that ran the test ended (${signalName ?? `exit code ${code}`})`
        : `the test computed for ${stall.limit / 1000} seconds without a pause: a loop without end`;
    this.#options.onOutcome({
      ...noFigures,
      part: test.part,
      test: test.name,
      title: test.title,
      seed: job.seed,
      servers: test.servers,
      notOffered: null,
      failure: { message, page: null, stack: stall?.stack ?? '', way: [], steps: [], events: [] },
      computing: stall?.limit ?? 0,
    });
  }
}
