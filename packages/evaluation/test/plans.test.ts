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

describe('The full plans together', () => {
  it('take no more than two and a half hours, but for the elections, whose cells may take ten minutes each', () => {
    const others = experiments.filter(({ name }) => name !== 'elections');
    const cells = others.flatMap((experiment) => experiment.cells('full'));
    expect(cells.reduce((sum, { seconds }) => sum + seconds, 0)).toBeLessThan(2.5 * 3600);
  });

  it.each<[string, string, readonly unknown[]]>([
    ['elections', 'timeouts', ['1–5', '12–25', '150–300', '300–500']],
    ['elections', 'servers', [3, 5, 9]],
    ['elections', 'delayMs', [0, 1, 10, 50]],
    ['elections', 'preVote', [true, false]],
    ['stutter', 'servers', [5, 7, 9]],
    ['stutter', 'stutterMs', [50, 150, 250, 500, 750, 1000]],
    ['scale', 'servers', [1, 3, 5, 7, 9, 11]],
    ['scale', 'valueBytes', [16, 256, 4096, 65_536]],
    ['mix', 'readPercent', [0, 50, 90, 99, 100]],
    ['mix', 'system', ['quorate', 'one server', 'etcd']],
    ['stragglers', 'part', ['disk', 'network']],
    ['recovery', 'keys', [10_000, 100_000, 1_000_000]],
    ['adaptation', 'adaptive', [true, false]],
  ])('%s: every %s that the question names has cells', (name, setting, values) => {
    const cells = experiments.find((each) => each.name === name)?.cells('full') ?? [];
    expect(cells.map(({ settings }) => settings[setting])).toEqual(expect.arrayContaining([...values]));
  });
});
