/** One life of a server behind the third door: a process, from its start to kill -9. */
import { type ChildProcess, spawn } from 'node:child_process';
import { DoorFailure, type DoorMessage, parseMessage } from './message.ts';

/** Characters. A line longer than this is no message. */
const MAX_LINE = 16_000_000;
/** Bytes that wait for a process to read them. */
const MAX_UNREAD = 64_000_000;
/** Characters of standard error that are kept for a report. */
const MAX_COMPLAINT = 2_000;

/** The directory that a server may keep its files in, the same in all its lives. */
const directoryVariable = 'QUORATE_LAB_DIR';

export interface DoorProcessOptions {
  readonly node: string;
  /** Run by the shell. */
  readonly command: string;
  readonly directory: string;
  /** What it writes to standard error goes here as well. */
  readonly output: NodeJS.WritableStream | null;
  readonly onMessage: (message: DoorMessage) => void;
  readonly onFailure: (failure: DoorFailure) => void;
}

export class DoorProcess {
  readonly #options: DoorProcessOptions;
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  #line = '';
  #complaint = '';
  #isKilled = false;

  constructor(options: DoorProcessOptions) {
    this.#options = options;
    const { node, command, directory, output } = options;
    // A group of its own, so that kill -9 reaches whatever the shell has started.
    this.#child = spawn(command, {
      shell: true,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, [directoryVariable]: directory },
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (chunk: string) => this.#read(chunk));
    this.#child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#complaint = (this.#complaint + chunk).slice(-MAX_COMPLAINT);
      output?.write(chunk.replace(/^(?=.)/gm, `${node}: `));
    });
    // A process that ends leaves the pipe broken; that it has ended is said below.
    this.#child.stdin?.on('error', () => undefined);
    this.#child.on('error', (error) => this.#fail('died', `${node} cannot be started: ${error.message}`));
    this.#closed = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        this.#fail('died', `${node} ended by itself (${signal ?? `exit code ${code}`})${this.#said()}`);
        resolve();
      });
    });
  }

  send(message: DoorMessage): void {
    const { stdin } = this.#child;
    if (this.#isKilled || stdin === null || !stdin.writable) return;
    stdin.write(`${JSON.stringify(message)}\n`);
    if (stdin.writableLength > MAX_UNREAD) {
      this.#fail('hangs', `${this.#options.node} does not read its standard input: ${MAX_UNREAD} bytes wait for it`);
    }
  }

  /** kill -9: nothing that it says comes from it any more. Ends when it is gone. */
  async kill(): Promise<void> {
    this.#isKilled = true;
    const { pid } = this.#child;
    if (pid !== undefined) killGroup(pid);
    await this.#closed;
  }

  #read(chunk: string): void {
    if (this.#isKilled) return;
    const lines = (this.#line + chunk).split('\n');
    this.#line = lines.pop() ?? '';
    if (this.#line.length > MAX_LINE) {
      this.#fail('rubbish', `${this.#options.node} wrote ${MAX_LINE} characters without an end of line`);
      return;
    }
    for (const line of lines) {
      if (line.trim() === '' || this.#isKilled) continue;
      try {
        this.#options.onMessage(parseMessage(this.#options.node, line));
      } catch (error) {
        if (!(error instanceof DoorFailure)) throw error;
        this.#options.onFailure(error);
        return;
      }
    }
  }

  #fail(reason: DoorFailure['reason'], message: string): void {
    if (this.#isKilled) return;
    this.#options.onFailure(new DoorFailure(reason, this.#options.node, message));
  }

  #said(): string {
    const said = this.#complaint.trim();
    return said === '' ? ', and said nothing on standard error' : `. It said: ${said}`;
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // It has ended already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
