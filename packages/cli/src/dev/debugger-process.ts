import { type ChildProcess, spawn } from 'node:child_process';
import { QUORATE_ENTRY } from '../programs.ts';

/** `quorate debug` over the servers' recordings, in a process of its own: reading them must not stop the load. */
export class DebuggerProcess {
  readonly #directories: readonly string[];
  #child: ChildProcess | null = null;

  /** Data directories of servers that record. */
  constructor(directories: readonly string[]) {
    this.#directories = directories;
  }

  /** Opens the run up to now, in place of what was opened before. Resolves with the page's address. */
  open(): Promise<string> {
    this.close();
    const child = spawn(process.execPath, [QUORATE_ENTRY, 'debug', ...this.#directories], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C reaches the parent, who ends it.
      detached: true,
    });
    this.#child = child;
    return new Promise((resolve, reject) => {
      let out = '';
      let err = '';
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString('utf8');
        const url = /http:\/\/\S+/.exec(out)?.[0];
        if (url !== undefined) resolve(url);
      });
      child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')));
      child.on('error', reject);
      child.on('close', (code) => reject(new Error(`quorate debug ended with ${code}: ${err.trim()}`)));
    });
  }

  close(): void {
    this.#child?.kill('SIGTERM');
    this.#child = null;
  }
}
