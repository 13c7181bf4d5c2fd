import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { Engine, type Frame, type Host } from '@quorate/debugger';
import { contentSecurityPolicy } from '@quorate/debugger/node';
import { Trial } from '../src/acceptance/trial.ts';
import { UniqueWrites } from '../src/acceptance/writes.ts';
import { debuggerPage } from '../src/commands/debugger-page.ts';
import { DebuggerProcess } from '../src/dev/debugger-process.ts';
import { clientAddress, type LayoutMember, memberDirectory } from '@quorate/processes';
import { QUORATE_ENTRY } from '../src/programs.ts';
import { describeWithPeer, findPeer } from '../../../test-support/peers.ts';
import { quorate } from './support/command.ts';
import { picture, withPage } from './support/looking.ts';
import { report } from './support/report.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorate-debug-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Recordings need nothing of the place where the engine runs. */
const host: Host = {
  progress: () => undefined,
  breathe: () => Promise.resolve(),
  isCancelled: () => false,
  pack: (text) => Promise.resolve(text),
  unpack: (packed) => Promise.resolve(packed),
  core: () => Promise.resolve(null),
};

interface Serving {
  readonly url: string;
  /** Ctrl-C; returns the exit code. */
  readonly interrupt: () => Promise<number | null>;
}

/** `quorate debug`, once it has told its address. */
function serve(...args: readonly string[]): Promise<Serving> {
  const child = spawn(process.execPath, [QUORATE_ENTRY, 'debug', '--no-open', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  return new Promise((resolve, reject) => {
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString('utf8');
      const url = /http:\/\/\S+/.exec(out)?.[0];
      if (url === undefined || !out.includes('Ctrl-C')) return;
      resolve({
        url,
        interrupt: () => {
          child.kill('SIGINT');
          return exited;
        },
      });
    });
    void exited.then((code) => reject(new Error(`quorate debug ended with ${code}`)));
  });
}

it('a server hands the page out under the same policy', () => {
  expect(debuggerPage.policy).toBe(contentSecurityPolicy);
});

describe('quorate debug', () => {
  it('serves the page on loopback until Ctrl-C, its own files only, under a policy', async () => {
    const { url, interrupt } = await serve();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    const page = await fetch(url);
    const html = await page.text();
    expect(html).toContain('<title>Quorate debugger</title>');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const script = /src="\.\/(assets\/[^"]+\.js)"/.exec(html)?.[1] ?? '';
    expect((await fetch(`${url}${script}`)).headers.get('content-type')).toContain('text/javascript');
    for (const path of ['assets/', 'package.json', '..%2f..%2fpackage.json', 'trace.json']) {
      expect((await fetch(`${url}${path}`)).status, path).toBe(404);
    }
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
    expect(await interrupt()).toBe(0);
  });

  it('hands the page the trace of a seed', async () => {
    const { url, interrupt } = await serve('7');
    expect(url).toContain('#trace');
    const trace = await fetch(new URL('./trace.json', url));
    expect(JSON.parse(await trace.text())).toMatchObject({
      format: 'quorate-trace',
      configuration: { world: 'nodes', seed: 7 },
    });
    await interrupt();
  });

  it('hands the page the trace of a file', async () => {
    const path = join(folder, 'run.trace.json');
    writeFileSync(path, '{}');
    const { url, interrupt } = await serve(path);
    const trace = await fetch(new URL('./trace.json', url));
    expect(await trace.text()).toBe('{}');
    expect(trace.headers.get('x-trace-name')).toBe('run.trace.json');
    await interrupt();
  });

  it('says what to do where there is nothing to open', async () => {
    const { code, err } = await quorate(['debug', '--no-open', join(folder, 'nothing.json')]);
    expect(code).toBe(2);
    expect(err).toMatch(/There is no .*nothing\.json\. Give the file of a trace/);
  });
});

describe('the run so far of a real cluster', () => {
  it('opens with one command while the servers run, and ends where they are', async () => {
    await Trial.run({ servers: 3, report, flags: ['--flight-recorder'] }, async (trial) => {
      const client = await trial.client();
      const writes = new UniqueWrites();
      for (let n = 0; n < 30; n++) await writes.write(client, `w/${n}`);
      await trial.agreed();
      const { directory } = trial.cluster;
      const directories = trial.cluster.servers.map(({ member }) => memberDirectory(directory, member));
      const opened = new DebuggerProcess(directories);
      try {
        const url = await opened.open();
        const trace = await fetch(new URL('./trace.json', url));
        const engine = new Engine();
        const text = await trace.text();
        const begin = (await engine.answer({ id: 1, name: 'openTrace', ask: { name: 'dev', text } }, host)) as Frame;
        const steps = begin.branches[0]?.length ?? 0;
        const end = (await engine.answer({ id: 2, name: 'step', ask: { by: steps } }, host)) as Frame;
        expect(begin.isRecording).toBe(true);
        // The recorder writes every 50 ms: the last of it may still be under way.
        for (const { log } of end.servers) expect(log.commit).toBeGreaterThan(20);
        expect(end.servers.filter(({ role }) => role === 'leader')).toHaveLength(1);
      } finally {
        opened.close();
      }
      // The folders themselves are as good as the directories that they are in.
      const { url, interrupt } = await serve(...directories.map((path) => join(path, 'flight')));
      if (findPeer('chromium') !== null) await withPage(url, lookAtRecording);
      await interrupt();
    });
  }, 120_000);
});

async function lookAtRecording(page: Page): Promise<void> {
  await page.getByText('A recording of real servers can be looked at, and cannot go another way').waitFor();
  await page.keyboard.press('End');
  await page.getByRole('img', { name: /is leader in term \d+/ }).waitFor();
  await page.keyboard.press('3');
  await page.getByText(/fold heartbeats \(\d+ steps\)/).waitFor();
  await picture(page, 'recording');
  await page.keyboard.press('4');
  await page.getByText('A recording holds what the cores saw, and not what clients asked and were told.').waitFor();
}

describeWithPeer('chromium', 'the page of a running server', () => {
  const looked = (member: LayoutMember, look: (page: Page) => Promise<void>): Promise<void> =>
    withPage(`http://${clientAddress(member)}/debug/ui/#live`, look);

  it('opens the flight recording of that server, and leads back', async () => {
    await Trial.run({ servers: 3, report, flags: ['--flight-recorder', '--redact-values'] }, async (trial) => {
      const client = await trial.client();
      const writes = new UniqueWrites();
      for (let n = 0; n < 30; n++) await writes.write(client, `w/${n}`);
      await trial.agreed();
      const leader = await trial.leader();
      await looked(leader.member, async (page) => {
        await page.getByText('as s').waitFor();
        await picture(page, 'live');
        await page.keyboard.press('f');
        await page.locator('.clock span', { hasText: /step 1 of \d+/ }).waitFor();
        await page.keyboard.press('End');
        await page.getByRole('img', { name: /is leader in term \d+/ }).waitFor();
        await page.keyboard.press('2');
        await page
          .getByRole('button', { name: /entry \d+ of term/ })
          .first()
          .waitFor();
        await page.getByRole('link', { name: 'Live' }).click();
        await page.getByRole('button', { name: 'Open its flight recording' }).waitFor();
      });
    });
  }, 120_000);

  it('says how to have a recording where there is none', async () => {
    await Trial.run({ servers: 1, report }, async (trial) => {
      const { member } = await trial.leader();
      await looked(member, async (page) => {
        await page.getByRole('button', { name: 'Open its flight recording' }).click();
        await page.getByText('This server keeps no flight recording; start it with --flight-recorder.').waitFor();
      });
    });
  }, 120_000);
});
