import { describe, expect, it } from 'vitest';
import { experiments } from '../src/experiments/index.ts';

describe.each(experiments)('The plan of $name', (experiment) => {
  it.each(['full', 'quick'] as const)('%s: names every cell once, as a file may be named', (scale) => {
    const keys = experiment.cells(scale).map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of keys) expect(key).toMatch(/^[a-z0-9.-]+$/);
  });

  it('quick: takes about a minute', () => {
    const seconds = experiment.cells('quick').reduce((sum, cell) => sum + cell.seconds, 0);
    expect(seconds).toBeGreaterThan(5);
    expect(seconds).toBeLessThan(120);
  });
});

describe('The quick plans together', () => {
  it('take no more than ten minutes', () => {
    const cells = experiments.flatMap((experiment) => experiment.cells('quick'));
    expect(cells.reduce((sum, { seconds }) => sum + seconds, 0)).toBeLessThan(600);
  });
});
