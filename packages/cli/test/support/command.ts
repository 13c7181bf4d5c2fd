import { spawn } from 'node:child_process';
import { QUORATE_ENTRY } from '../../src/programs.ts';

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `quorate` as built, with these arguments and this input. */
export function quorate(args: readonly string[], input = ''): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [QUORATE_ENTRY, ...args], { stdio: 'pipe' });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
    // A command that does not read its input may be gone before it was written.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
