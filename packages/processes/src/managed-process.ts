import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** How long a process may take to leave after SIGTERM before it is killed. */
export const STOP_TIMEOUT_MS = 5_000;

export interface ProcessSpec {
  /** For messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Standard output and error are appended here, so that they outlive everybody. */
  readonly logFile: string;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * One child process that may be started, killed and started again.
 *
 * It leads a session of its own, so that Ctrl-C in the terminal reaches only the parent, who then decides. Its standard
 * input is a pipe that nobody writes to: when the parent dies, even by kill -9, the pipe closes, and the child is expected to
 * take that as its end.
 */
export class ManagedProcess {
  readonly spec: ProcessSpec;
  readonly #onExit: ((exit: ProcessExit) => void) | null;
  #child: ChildProcess | null = null;
  #exited: Promise<ProcessExit> = Promise.resolve({ code: null, signal: null });
  #lastExit: ProcessExit | null = null;

  constructor(spec: ProcessSpec, onExit: ((exit: ProcessExit) => void) | null = null) {
    this.spec = spec;
    this.#onExit = onExit;
  }

  get running(): boolean {
    return this.#child !== null;
  }

  /** The process id while it runs, otherwise null. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** How the last run ended; null while it runs and before the first. */
  get lastExit(): ProcessExit | null {
    return this.#child === null ? this.#lastExit : null;
  }

  start(): void {
    if (this.#child !== null) throw new Error(`${this.spec.name} is running already.`);
    const log = openSync(this.spec.logFile, 'a');
    try {
      this.#launch(log);
    } finally {
      closeSync(log);
    }
  }

  #launch(log: number): void {
    const child = spawn(this.spec.command, this.spec.args, {
      stdio: ['pipe', log, log],
      env: { ...process.env, ...this.spec.env },
      detached: true,
    });
    this.#child = child;
    // The pipe's other end vanishes with the child; that is no news.
    child.stdin?.on('error', () => undefined);
    this.#exited = new Promise((resolve) => {
      const ended = (exit: ProcessExit): void => {
        if (this.#child !== child) return;
        this.#child = null;
        this.#lastExit = exit;
        resolve(exit);
        this.#onExit?.(exit);
      };
      child.once('error', () => ended({ code: 127, signal: null }));
      child.once('exit', (code, signal) => ended({ code, signal }));
    });
  }

  /** Resolves when the present run has ended; at once if there is none. */
  exited(): Promise<ProcessExit> {
    return this.#exited;
  }

  /** Delivers a signal that does not end it. */
  signal(signal: NodeJS.Signals): Promise<void> {
    if (this.#child?.kill(signal) !== true)
      return Promise.reject(new Error(`${this.spec.name} does not run: it cannot be sent ${signal}.`));
    return Promise.resolve();
  }

  /** Sends a signal and waits for the end. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#child === null) return;
    this.#child.kill(signal);
    await this.#exited;
  }

  /** Asks politely, then insists. Returns how long it took in milliseconds. */
  async stop(timeoutMs: number = STOP_TIMEOUT_MS): Promise<number> {
    const child = this.#child;
    if (child === null) return 0;
    const began = performance.now();
    child.kill('SIGTERM');
    const insist = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    await this.#exited;
    clearTimeout(insist);
    return performance.now() - began;
  }

  /** The last `lines` lines of the log file, for messages about an early end. */
  logTail(lines: number): string {
    try {
      return readFileSync(this.spec.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
    } catch (error) {
      return `(its log ${this.spec.logFile} cannot be read: ${String(error)})`;
    }
  }
}
