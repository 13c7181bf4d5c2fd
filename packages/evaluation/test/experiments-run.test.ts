import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CellResult, Row } from '../src/experiment.ts';
import { experiments } from '../src/experiments/index.ts';
import { Harness } from '../src/harness/harness.ts';
import type { LoadControl } from '../src/load/generator.ts';
import type { LoadPlan, LoadResult } from '../src/load/plan.ts';
import { optionsHere } from './support/here.ts';

/** Waits pass five times as fast, and no load takes longer than a third of a second. What is done is the same. */
class HurriedHarness extends Harness {
  override wait(ms: number): Promise<void> {
    return super.wait(ms / 5);
  }

  override load(plan: LoadPlan, control?: LoadControl): Promise<LoadResult> {
    // One that a script ends would not end by itself for long.
    const seconds = control === undefined ? Math.min(plan.seconds, 0.3) : plan.seconds;
    return super.load({ ...plan, seconds, warmUpSeconds: 0 }, control);
  }
}

interface Hurried {
  readonly name: string;
  /** The cell that costs least. */
  readonly key: string;
  /** Kinds of rows that must come out of it. */
  readonly kinds?: readonly string[];
  /** A column that must have figures. */
  readonly column: string;
}

/** `elections` has a test of its own, that of the command; `wide-area` starts no servers. */
const CELLS: readonly Hurried[] = [
  { name: 'stutter', key: '5-servers-150ms', kinds: ['stutter', 'sequence'], column: 'rounds' },
  {
    name: 'adaptation',
    key: '100-130ms-40ms-prevote-leader-adaptive',
    kinds: ['initial', 'calm', 'replacement'],
    column: 'termsPerSecond',
  },
  { name: 'scale', key: '3-servers-256b', column: 'writesPerSecond' },
  { name: 'mix', key: 'quorate-serializable-90', column: 'readsPerSecond' },
  { name: 'load', key: '3-servers-90-reads', column: 'offered' },
  {
    name: 'failures',
    key: 'leader-and-followers',
    kinds: ['interval', 'event', 'presence', 'beyond', 'recovery', 'final'],
    column: 'missing',
  },
  { name: 'stragglers', key: 'disk-20ms', column: 'throughput' },
  { name: 'membership', key: 'replace', kinds: ['interval', 'event', 'change'], column: 'pauseMs' },
  { name: 'recovery', key: 'quorate-10000-keys-1-times', column: 'logMegabytes' },
  { name: 'spread', key: 'serializable', kinds: ['interval', 'event', 'newcomer'], column: 'reads' },
];

describe('An experiment on real servers, in a hurry', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'quorate-experiments-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is here for every one', () => {
    const names = experiments.map(({ name }) => name).filter((name) => name !== 'elections' && name !== 'wide-area');
    expect(CELLS.map(({ name }) => name)).toEqual(names);
  });

  it.each(CELLS)(
    '$name comes to its end, with everything that it is to write down and draw',
    async ({ name, key, kinds = [], column }) => {
      const experiment = experiments.find((each) => each.name === name);
      const cell = experiment?.cells('quick').find((each) => each.key === key);
      if (experiment === undefined || cell === undefined) throw new Error(`There is no cell ${key} of ${name}.`);
      const rows: Row[] = [];
      const harness = new HurriedHarness(optionsHere(directory, `${name}/${key}`, (row) => rows.push(row)));
      try {
        await cell.run(harness);
      } finally {
        await harness.close();
      }
      expect([...new Set(rows.map((row) => row['kind']))]).toEqual(expect.arrayContaining([...kinds]));
      expect(rows.some((row) => typeof row[column] === 'number')).toBe(true);
      const result: CellResult = { key, settings: cell.settings, rows, notes: [], failure: null };
      expect(experiment.figures([result]).length).toBeGreaterThan(0);
      expect(readdirSync(directory)).toEqual([]);
    },
    120_000,
  );
});
