import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@quorate/processes';
import { afterAll, describe, expect, it } from 'vitest';

const program = new URL('../../../examples/replicated-counter/counter.mjs', import.meta.url).pathname;

/** One of the three processes, as a person at its terminal sees it. */
class Terminal {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #read = 0;
  #wake: () => void = () => undefined;

  constructor(number: number, directory: string, firstPort: number) {
    this.#child = spawn(process.execPath, [program, String(number), directory, String(firstPort)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let rest = '';
    this.#child.stdout?.on('data', (bytes: Buffer) => {
      const parts = (rest + bytes.toString()).split('\n');
      rest = parts.pop() ?? '';
      this.#lines.push(...parts);
      this.#wake();
    });
  }

  /** Types a line and returns what the process answers. */
  async type(line: string): Promise<string> {
    this.#child.stdin?.write(`${line}\n`);
    while (this.#lines.length <= this.#read) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#lines[this.#read++] ?? '';
  }

  /** Types a line until it is answered with a value: while there is no leader yet, it is not. */
  async value(line: string): Promise<string> {
    for (;;) {
      const answer = await this.type(line);
      if (/: -?\d+$/.test(answer)) return answer.replace(/^.*: /, '');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  kill(signal: NodeJS.Signals): Promise<unknown> {
    const exit = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill(signal);
    return exit;
  }
}

describe('the replicated counter of the examples', () => {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-counter-'));
  const terminals: Terminal[] = [];
  afterAll(async () => {
    await Promise.all(terminals.map((terminal) => terminal.kill('SIGKILL')));
    rmSync(directory, { recursive: true, force: true });
  });

  it('counts on through the death of one of its three processes', async () => {
    const [firstPort = 0] = await freePorts(3, { consecutive: true });
    const [one, two, three] = [1, 2, 3].map((number) => new Terminal(number, directory, firstPort));
    if (one === undefined || two === undefined || three === undefined) throw new Error('three terminals');
    terminals.push(two, three);
    // An addition that is refused has no effect, so it may be typed again.
    expect(await one.value('0')).toBe('0');
    expect(await one.value('5')).toBe('5');
    expect(await two.value('-2')).toBe('3');
    expect(await three.value('')).toBe('3');
    await one.kill('SIGKILL');
    expect(await two.value('')).toBe('3');
    expect(await three.value('4')).toBe('7');
    const again = new Terminal(1, directory, firstPort);
    terminals.push(again);
    expect(await again.value('')).toBe('7');
  });

  it('is a program of fewer than 60 lines', () => {
    expect(readFileSync(program, 'utf8').trimEnd().split('\n').length).toBeLessThan(60);
  });
});
