import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quorate } from './support/command.ts';

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
