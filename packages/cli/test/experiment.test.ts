import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { QUORATE_ENTRY } from '../src/programs.ts';
import { quorate } from './support/command.ts';

/** What the run of that process keeps its servers' data in. */
function leftBy(pid: number): readonly string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`quorate-experiment-${pid}-`));
}

/** Servers whose data stand in the directory of that process's run. */
function serversOf(pid: number): readonly string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((each) => {
    try {
      return readFileSync(`/proc/${each}/cmdline`, 'utf8').includes(`/quorate-experiment-${pid}-`);
    } catch {
      // It has just ended.
      return false;
    }
  });
}

/** One cell of few elections: real servers, raw data, plots and page. */
const CELL = '3-150-300ms-prevote-killed';

describe('quorate lab experiment', () => {
  let out = '';
  beforeAll(() => {
    out = mkdtempSync(join(tmpdir(), 'quorate-experiment-test-'));
  });
  afterAll(() => rmSync(out, { recursive: true }));

  const elections = (...more: string[]): ReturnType<typeof quorate> =>
    quorate(['lab', 'experiment', 'elections', '--quick', '--cells', CELL, '--out', out, ...more]);

  it('measures, keeps the data, draws, and reports on what it ran', async () => {
    const { code, out: said, err } = await elections();
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(said).toContain('report: ');
    const page = readFileSync(join(out, 'index.html'), 'utf8');
    expect(page).toContain('<svg');
    expect(page).toContain(`Node ${process.version}`);
    expect(page).toContain('Not measured (yet): 3-1-5ms-prevote-silent-0ms');
    const csv = readFileSync(join(out, 'elections/results.csv'), 'utf8');
    expect(csv.split('\n')[0]).toBe(
      'cell,servers,timeouts,preVote,death,delayMs,kind,ms,limitMs,terms,termsPerSecond,writes,served',
    );
    expect(csv.match(/,replacement,\d/g)?.length).toBeGreaterThan(0);
    const { cells } = JSON.parse(readFileSync(join(out, 'elections/results.json'), 'utf8')) as {
      cells: { failure: string | null; load: { before: number } }[];
    };
    expect(cells.map(({ failure }) => failure)).toEqual([null]);
    expect(readdirSync(join(out, 'elections/plots'))).toContain('replacement-killed.svg');
  }, 60_000);

  it('does not do again what is there', async () => {
    const { code, out: said } = await elections();
    expect(code).toBe(0);
    expect(said).toContain('1 cells are there already');
  });

  /** Starts the command and ends it by a signal once its servers run. */
  async function interrupted(
    signal: NodeJS.Signals,
    home: string,
  ): Promise<{ readonly code: number | null; readonly pid: number }> {
    const args = ['lab', 'experiment', 'elections', '--quick', '--cells', '3-150-300ms-prevote-silent', '--out', home];
    const child = spawn(process.execPath, [QUORATE_ENTRY, ...args], { stdio: 'ignore' });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await expect.poll(() => serversOf(child.pid ?? 0), { timeout: 20_000 }).toHaveLength(3);
    child.kill(signal);
    const code = await ended;
    // Servers that cannot be told leave when they notice that nobody holds their standard input any more.
    await expect.poll(() => serversOf(child.pid ?? 0), { timeout: 10_000 }).toEqual([]);
    return { code, pid: child.pid ?? 0 };
  }

  it('leaves no server behind when it is interrupted, and goes on where it stood', async () => {
    const home = join(out, 'interrupted');
    const ended = (): readonly string[] =>
      readdirSync(join(home, 'elections/cells')).filter((name) => name.endsWith('.json'));
    await quorate(['lab', 'experiment', 'elections', '--quick', '--cells', CELL, '--out', home]);
    const before = readFileSync(join(home, `elections/cells/${CELL}-0ms.json`), 'utf8');
    const { code, pid } = await interrupted('SIGINT', home);
    expect(code).toBe(130);
    expect(ended()).toEqual([`${CELL}-0ms.json`]);
    expect(leftBy(pid)).toEqual([]);
    const { out: said } = await quorate([
      'lab',
      'experiment',
      'elections',
      '--quick',
      '--cells',
      '3-150-300ms-prevote',
      '--out',
      home,
    ]);
    expect(said).toContain('1 cells are there already\n1 cells to measure, about');
    expect(ended()).toEqual([`${CELL}-0ms.json`, '3-150-300ms-prevote-silent-0ms.json']);
    expect(readFileSync(join(home, `elections/cells/${CELL}-0ms.json`), 'utf8')).toBe(before);
  }, 90_000);

  it('has the next run clear away what a killed one left', async () => {
    const home = join(out, 'killed');
    const { pid } = await interrupted('SIGKILL', home);
    expect(leftBy(pid)).not.toEqual([]);
    const { out: said } = await quorate([
      'lab',
      'experiment',
      'wide-area',
      '--quick',
      '--cells',
      'room-3',
      '--out',
      home,
    ]);
    expect(said).toContain('left by a run that is gone');
    expect(leftBy(pid)).toEqual([]);
  }, 60_000);

  it('refuses to mix plans', async () => {
    const { code, err } = await elections('--seed', '2');
    expect(code).toBe(2);
    expect(err).toContain('--fresh');
  });

  it.each([
    [['voting'], 'There is no experiment "voting". There are elections'],
    [[], 'Name an experiment'],
    [['elections', '--cells', 'nothing-like-this'], 'No cell\'s name contains "nothing-like-this"'],
    [['elections', '--quick', '--ports', '24000-24003'], 'are 4 ports, and up to 9 are needed'],
    [['elections', '--ports', '9-1'], 'Expected two ports'],
  ])('refuses %j', async (args, complaint) => {
    const { code, err } = await quorate(['lab', 'experiment', ...args, '--out', join(out, 'other')]);
    expect(code).toBe(2);
    expect(err).toContain(complaint);
  });

  it('refuses a place that cannot be written', async () => {
    const file = join(out, 'file');
    writeFileSync(file, '');
    const { code, err } = await quorate(['lab', 'experiment', 'elections', '--out', file]);
    expect(code).toBe(2);
    expect(err).toContain('Give another directory with --out');
  });

  it('lists what there is', async () => {
    const { code, out: said } = await quorate(['lab', 'experiment', '--list', 'elections', '--quick']);
    expect(code).toBe(0);
    expect(said).toContain(CELL);
    expect(existsSync('quorate-evaluation')).toBe(false);
  });
});
