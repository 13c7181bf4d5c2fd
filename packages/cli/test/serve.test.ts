import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { askPage, freePorts, LOOPBACK, raftPage } from '@quorate/processes';
import { QUORATE_ENTRY } from '../src/programs.ts';
import { quorate } from './support/command.ts';

let directory = '';
let running: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-serve-'));
});

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running = [];
  rmSync(directory, { recursive: true, force: true });
});

interface Ports {
  readonly client: number;
  readonly peer: number;
}

async function twoPorts(): Promise<Ports> {
  const [client = 0, peer = 0] = await freePorts(2);
  return { client, peer };
}

function flags({ client, peer }: Ports, dataDir = join(directory, 'data')): string[] {
  const clientUrl = `http://${LOOPBACK}:${client}`;
  const peerUrl = `http://${LOOPBACK}:${peer}`;
  return ['--data-dir', dataDir, '--listen-client-urls', clientUrl, '--listen-peer-urls', peerUrl];
}

/** Starts a server; `log` holds what it wrote, `exit` resolves with its code. */
function serve(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { child: ChildProcess; log: () => string; exit: Promise<number | null> } {
  const child = spawn(process.execPath, [QUORATE_ENTRY, 'serve', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  running.push(child);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  return { child, log: () => text, exit: new Promise((resolve) => child.on('close', resolve)) };
}

async function ready(log: () => string): Promise<void> {
  while (!log().includes('ready to serve client requests')) await sleep(20);
}

describe('quorate serve', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'says when it is ready, and leaves in order on %s',
    async (signal) => {
      const ports = await twoPorts();
      const { child, log, exit } = serve(flags(ports));
      await ready(log);
      expect(await raftPage(`${LOOPBACK}:${ports.client}`)).toMatchObject({ role: 'leader' });
      child.kill(signal);
      expect(await exit).toBe(0);
      expect(log()).toContain('Stopped');
    },
    60_000,
  );

  test('leaves with its parent when it was told to: its standard input ends', async () => {
    const { child, log, exit } = serve([...flags(await twoPorts()), '--stop-with-parent']);
    await ready(log);
    child.stdin?.end();
    expect(await exit).toBe(0);
  }, 60_000);

  test('can be told to leave while it still waits for its peers', async () => {
    const ports = await twoPorts();
    const [absent] = await freePorts(1);
    const cluster = `default=http://${LOOPBACK}:${ports.peer},other=http://${LOOPBACK}:${absent}`;
    const { child, log, exit } = serve([...flags(ports), '--initial-cluster', cluster]);
    while (!log().includes('Starting')) await sleep(20);
    await sleep(300);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
  }, 60_000);

  test('a second server on the same data is refused with 1 and a sentence', async () => {
    const { log } = serve(flags(await twoPorts()));
    await ready(log);
    const second = await quorate(['serve', ...flags(await twoPorts())]);
    expect(second.code).toBe(1);
    expect(second.err).toMatch(/Error: .*held by another process/);
  }, 60_000);

  test('a client port that is taken is refused with 1 and a sentence', async () => {
    const ports = await twoPorts();
    const { log } = serve(flags(ports));
    await ready(log);
    const { peer } = await twoPorts();
    const second = await quorate(['serve', ...flags({ client: ports.client, peer }, join(directory, 'other'))]);
    expect(second.code).toBe(1);
    expect(second.err).toContain(`${LOOPBACK}:${ports.client}`);
  }, 60_000);

  test('settings come from flags before the environment before the file', async () => {
    const ports = await twoPorts();
    const file = join(directory, 'settings.yaml');
    writeFileSync(file, 'name: from-file\nlog-format: text\nheartbeat-interval: 77\n');
    const { log } = serve([...flags(ports), '--name', 'from-flag', '--pre-vote'], {
      QUORATE_CONFIG_FILE: file,
      QUORATE_NAME: 'from-environment',
      QUORATE_LOG_FORMAT: 'json',
    });
    await ready(log);
    const page = await askPage('GET', `${LOOPBACK}:${ports.client}`, '/debug/raft');
    expect(page).toMatchObject({ name: 'from-flag', timeouts: { heartbeatMs: 77 } });
    expect(log()).toMatch(/^\{"ts"/);
  }, 60_000);
});
