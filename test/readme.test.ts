import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

let folder: string;
let started: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-readme-'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  started = [];
});
afterEach(async () => {
  const alive = started.filter((child) => child.exitCode === null && child.signalCode === null);
  const gone = alive.map((child) => once(child, 'exit'));
  for (const child of alive) child.kill('SIGKILL');
  await Promise.all(gone);
  rmSync(folder, { recursive: true });
});

/** What the reader is told to bring along. */
const counter = `
export class Counter {
  kind = 'memory';
  #value = 0;
  #applied = 0;
  appliedIndex() {
    return this.#applied;
  }
  apply({ index, data }) {
    this.#applied = index;
    this.#value += Number(new TextDecoder().decode(data));
    return this.#value;
  }
  openSnapshot() {
    const slices = [new TextEncoder().encode(String(this.#value))];
    return { next: () => slices.shift() ?? null, close: () => {} };
  }
  beginRestore() {
    let value = 0;
    return {
      write: (slice) => (value = Number(new TextDecoder().decode(slice))),
      finish: (index) => ([this.#value, this.#applied] = [value, index]),
      abort: () => {},
    };
  }
}
`;

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** The first line that a process prints on standard output; fails with what it said on standard error if it ends first. */
async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null || child.stderr === null) throw new Error('the process has no pipes');
  const errors: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error(`ended without a line: ${errors.join('')}`);
}

test('the lines that embed it run as they stand: three processes, each adds five', async () => {
  const source = /^```js\n(.*?)^```/ms.exec(readme)?.[1] ?? '';
  expect(source.split('\n').filter((line) => line !== '').length).toBeLessThanOrEqual(12);
  const ports = await freePorts(3);
  expect(source).toContain('7100 + n');
  writeFileSync(join(folder, 'main.mjs'), source.replace('7100 + n', `[${ports.join(', ')}][n - 1]`));
  writeFileSync(join(folder, 'counter.mjs'), counter);

  for (const number of ['1', '2', '3']) {
    started.push(spawn(process.execPath, ['main.mjs', number], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] }));
  }
  const totals = await Promise.all(started.map(firstLine));
  expect(totals.map(Number).toSorted((a, b) => a - b)).toEqual([5, 10, 15]);
});
