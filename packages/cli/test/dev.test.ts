import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readLayout } from '@quorate/processes';
import { QUORATE_ENTRY } from '../src/programs.ts';
import { quorate } from './support/command.ts';

const PATIENCE_MS = 60_000;

let directory = '';
const started: Dev[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-dev-'));
});

afterEach(async () => {
  for (const dev of started.splice(0)) await dev.end();
  rmSync(directory, { recursive: true, force: true });
});

/** `quorate dev` without a terminal. */
class Dev {
  readonly child: ChildProcess;
  out = '';
  readonly #exited: Promise<number | null>;

  constructor(...args: string[]) {
    const command = [QUORATE_ENTRY, 'dev', '--servers', '3', '--rate', '100', '--data-dir', directory, ...args];
    this.child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
    const collect = (chunk: Buffer): void => void (this.out += chunk.toString('utf8'));
    this.child.stdout?.on('data', collect);
    this.child.stderr?.on('data', collect);
    this.#exited = new Promise((resolve) => this.child.on('close', resolve));
    started.push(this);
  }

  /** The first line that matches. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const match = pattern.exec(this.out);
      if (match !== null) return match;
      if (performance.now() > deadline) throw new Error(`${pattern} was not printed:\n${this.out}`);
      await sleep(50);
    }
  }

  /** Process ids of the servers, from the newest line. */
  serverPids(): number[] {
    const newest = this.out.split('\n').findLast((line) => line.includes('acknowledged=')) ?? '';
    return [...newest.matchAll(/s\d=[a-zA-Z]+\/[^/]+\/[^/]+\/[^/]+\/(\d+)/g)].map(([, pid]) => Number(pid));
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return this.#exited;
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('quorate dev without a terminal', () => {
  test('prints a line a second, says where the data lies, and a second start goes on with it', async () => {
    const first = new Dev();
    await first.line(/Data lies in .*; the next start goes on with it/);
    await first.line(/^etcdctl --endpoints=.* put hello world$/m);
    await first.line(/acknowledged=[1-9]\d+ lost=0 .*=leader\//);
    expect(await first.end()).toBe(0);
    const [, acknowledged] = await first.line(/(\d+) writes acknowledged, 0 lost/);
    expect(Number(acknowledged)).toBeGreaterThan(0);

    const second = new Dev();
    await second.line(/Going on with the data/);
    // What the first run wrote counts as promised: it is read back too.
    await second.line(/acknowledged=[1-9]\d+ lost=0/);
    expect(await second.end()).toBe(0);
    await second.line(/ 0 lost, /);

    const other = await quorate(['dev', '--servers', '5', '--data-dir', directory]);
    expect(other.code).toBe(2);
    expect(other.err).toContain('is of 3 servers, not 5');
  }, 120_000);

  test('nonsense is refused before anything is started', async () => {
    expect(await quorate(['dev', '--servers', 'many', '--data-dir', directory])).toMatchObject({ code: 2 });
    expect(await quorate(['dev', '--rate', '0', '--data-dir', directory])).toMatchObject({ code: 2 });
    expect(readLayout(directory)).toBeNull();
  });

  test('a taken port is replaced, and said so', async () => {
    const holder = await hold(2379);
    try {
      const dev = new Dev();
      await dev.line(/Port \d+ is taken; s\d uses \d+ instead\./);
      await dev.line(/acknowledged=[1-9]/);
      expect(await dev.end()).toBe(0);
    } finally {
      holder?.close();
    }
  }, 120_000);

  test('no server outlives it, not even when it is killed with -9', async () => {
    const dev = new Dev();
    await dev.line(/acknowledged=[1-9]/);
    const pids = dev.serverPids();
    expect(pids).toHaveLength(3);
    expect(pids.every(alive)).toBe(true);
    await dev.end('SIGKILL');
    const deadline = performance.now() + PATIENCE_MS;
    while (pids.some(alive) && performance.now() < deadline) await sleep(50);
    expect(pids.filter(alive)).toEqual([]);
  }, 120_000);
});

/** Takes a port; null if somebody else has it already, which serves as well. */
function hold(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
