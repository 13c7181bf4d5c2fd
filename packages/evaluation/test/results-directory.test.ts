import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toCsv } from '../src/data/csv.ts';
import { type CellEnd, type Plan, ResultsDirectory } from '../src/data/results-directory.ts';
import { codeOf } from './support/errors.ts';

const plan: Plan = { format: 1, experiment: 'trial', scale: 'quick', seed: 7 };
const end: CellEnd = {
  notes: ['slow disk'],
  failure: null,
  startedAt: '2026-01-01T00:00:00.000Z',
  seconds: 2,
  load: { before: 0.1, after: 0.2 },
  conditions: {
    system: 's',
    processors: 'p',
    memoryGiB: 1,
    node: 'n',
    quorate: 'q',
    source: null,
    etcd: null,
    syncMs: 1,
  },
};
const cell = { key: 'a', settings: { servers: 3 } };

describe('A directory of results', () => {
  let out = '';
  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), 'quorate-results-'));
  });
  afterEach(() => rmSync(out, { recursive: true }));

  function open(fresh = false, other: Partial<Plan> = {}): ResultsDirectory {
    return ResultsDirectory.open(out, { ...plan, ...other }, fresh);
  }

  it('gives back the rows and the end of a cell that has ended', () => {
    const rows = open().begin('a');
    rows.write({ ms: 1.5, outcome: 'served' });
    rows.write({ ms: null, outcome: 'none' });
    rows.close();
    open().end('a', end);
    expect(open().read(cell)).toEqual({
      ...cell,
      rows: [
        { ms: 1.5, outcome: 'served' },
        { ms: null, outcome: 'none' },
      ],
      notes: ['slow disk'],
      failure: null,
      end,
    });
  });

  it('knows nothing of a cell that was interrupted, and begins it anew', () => {
    const rows = open().begin('a');
    rows.write({ ms: 1 });
    rows.close();
    expect(open().read(cell)).toBeNull();
    open().begin('a').close();
    open().end('a', end);
    expect(open().read(cell)?.rows).toEqual([]);
  });

  it('refuses another plan, says in what it differs, and obeys --fresh', () => {
    open().begin('a').close();
    open().end('a', end);
    expect(codeOf(() => open(false, { seed: 8 }))).toBe('PlanDiffers');
    expect(() => open(false, { scale: 'full' })).toThrow(/scale quick, not full.*--fresh/);
    open(true, { seed: 8 });
    expect(open(false, { seed: 8 }).read(cell)).toBeNull();
  });

  it('refuses files that no experiment wrote', () => {
    const directory = open();
    directory.begin('a').close();
    directory.end('a', end);
    appendFileSync(join(out, 'trial/cells/a.ndjson'), '{"ms":{}}\n');
    expect(codeOf(() => directory.read(cell))).toBe('BadResults');
    writeFileSync(join(out, 'trial/plan.json'), 'no plan');
    expect(codeOf(() => open())).toBe('BadResults');
  });

  it('refuses a place that cannot be written', () => {
    writeFileSync(join(out, 'file'), '');
    expect(codeOf(() => ResultsDirectory.open(join(out, 'file'), plan, false))).toBe('BadDirectory');
  });

  it('writes files below itself', () => {
    open().write('plots/one.svg', '<svg/>');
    expect(readFileSync(join(out, 'trial/plots/one.svg'), 'utf8')).toBe('<svg/>');
  });
});

describe('CSV', () => {
  it('has every column of every row once, and quotes what needs it', () => {
    const rows = [
      { a: 1, b: 'x, "y"' },
      { a: null, c: true },
      { b: 'two\nlines', c: false },
    ];
    expect(toCsv(rows)).toBe('a,b,c\n1,"x, ""y""",\n,,true\n,"two\nlines",false\n');
  });

  it('writes what was measured, not what binary fractions leave behind', () => {
    expect(toCsv([{ a: 3246 / 3.0000000000000004, b: 0.1 + 0.2, c: 1 / 3 }])).toBe('a,b,c\n1082,0.3,0.333333333333\n');
  });
});
