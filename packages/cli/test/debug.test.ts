import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { contentSecurityPolicy } from '@quorate/debugger/node';
import { debuggerPage } from '../src/commands/debugger-page.ts';
import { QUORATE_ENTRY } from '../src/processes/programs.ts';
import { quorate } from './support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorate-debug-'));
afterAll(() => rmSync(folder, { recursive: true }));

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
