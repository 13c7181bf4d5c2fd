import { describe, expect, it } from 'vitest';
import { elections } from '../src/experiments/elections.ts';
import type { CellResult, Row } from '../src/experiment.ts';
import { render } from '../src/plots/render.ts';
import { spread } from '../src/plots/spread.ts';

/** Results of every cell of the quick plan, made up. */
function results(rows: readonly Row[]): readonly CellResult[] {
  return elections.cells('quick').map(({ key, settings }) => ({ key, settings, rows, notes: [], failure: null }));
}

const seen: readonly Row[] = [
  { kind: 'initial', ms: 180, limitMs: 60_000 },
  { kind: 'calm', terms: 3, termsPerSecond: 1.5, writes: 10, served: 10 },
  { kind: 'replacement', ms: 220, terms: 1, limitMs: 60_000 },
  { kind: 'replacement', ms: 260, terms: 1, limitMs: 60_000 },
  { kind: 'replacement', ms: null, terms: 4, limitMs: 60_000 },
];

describe('Plots of the elections', () => {
  it.each(elections.figures(results(seen)))('$id: titled axes, legible, every point there', async (figure) => {
    const { svg, png, spec } = await render(figure);
    // Vega describes each axis for those who cannot see it: its title, its kind and its range.
    const axes = [...svg.matchAll(/aria-label="([XY])-axis titled '([^']+)'/g)].map(
      ([, axis, title]) => `${axis} ${title}`,
    );
    expect(new Set(axes.map((axis) => axis[0]))).toEqual(new Set(['X', 'Y']));
    for (const axis of axes) expect(axis).toMatch(/\((?:ms|s)\)$|servers$|terms a second$/);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(svg).toContain(figure.title.slice(0, 20));
    expect([...png.subarray(1, 4)]).toEqual([...new TextEncoder().encode('PNG')]);
    expect(JSON.parse(spec)).toHaveProperty('$schema');
    const { data } = figure.spec as { data: { values: Row[] } };
    const observed = data.values.filter((row) => row['part'] === 'observation').length;
    const points = [...svg.matchAll(/aria-roledescription="(?:point|circle)"/g)].length;
    // The first elections also show the medians that were published.
    expect(points).toBe(observed + (figure.id === 'initial' ? 4 : 0));
  });

  it('show what never came, at the limit that was waited for', async () => {
    const figure = elections.figures(results(seen)).find(({ id }) => id === 'replacement-silent');
    if (figure === undefined) throw new Error('The figure is missing.');
    const { svg } = await render(figure);
    expect(svg).toMatch(/aria-label="[^"]*60,?000[^"]*outcome: none/);
  });

  it('are drawn of runs in which nothing ever came', async () => {
    const never = seen.map((row) => ('ms' in row ? { ...row, ms: null } : row));
    for (const figure of elections.figures(results(never))) expect((await render(figure)).svg).not.toMatch(/Infinity/);
  });

  it('say what was not measured', () => {
    const few = results(seen).filter(({ settings }) => settings['timeouts'] === '12–25');
    const figure = elections.figures(few).find(({ id }) => id === 'replacement-silent');
    expect(figure?.missing).toEqual(['Not measured in this run: 1–5, 150–300, 300–500.']);
  });

  it('refuse to be drawn from a field that is not there', async () => {
    const [figure] = elections.figures(results(seen));
    if (figure === undefined) throw new Error('The figure is missing.');
    const broken = {
      ...figure,
      spec: { data: { values: [] }, mark: 'point', encoding: { x: { field: 'a' }, zz: { field: 'b' } } },
    };
    await expect(render(broken)).rejects.toThrow(/cannot be drawn/);
  });
});

describe('A strip of observations', () => {
  const colour = { field: 'kind', title: '', order: ['a', 'b'] };
  const drawn = (rows: readonly Row[]): readonly Row[] => {
    const axes = { x: { field: 'x', title: 'x', order: ['1'] }, y: { field: 'ms', title: 'ms' } };
    return (spread({ rows, ...axes, colour, censored: 'outcome' }) as { data: { values: Row[] } }).data.values;
  };
  const row = (kind: string, ms: number, outcome = 'served'): Row => ({ x: '1', kind, ms, outcome });

  it('has its points beside each other, in its own part of the place', () => {
    const rows = drawn(Array.from({ length: 400 }, (_, i) => row(i % 2 === 0 ? 'a' : 'b', 100)));
    const lanes = (kind: string): number[] =>
      rows
        .filter((each) => each['kind'] === kind && each['part'] === 'observation')
        .map((each) => Number(each['lane']));
    for (const [middle, kind] of ['a', 'b'].entries()) {
      expect(new Set(lanes(kind)).size).toBe(200);
      for (const lane of lanes(kind)) expect(Math.abs(lane - middle)).toBeLessThanOrEqual(0.35);
    }
  });

  it('has its only point in its middle', () => {
    expect(drawn([row('b', 5)])).toMatchObject([
      { part: 'observation', lane: 1 },
      { part: 'span', lane: 1, median: 5 },
    ]);
  });

  it('has a median if anything came, and none if nothing did', () => {
    const medians = (rows: readonly Row[]) => drawn(rows).filter((each) => each['part'] === 'span');
    expect(medians([row('a', 5), row('a', 60, 'none'), row('a', 60, 'none')])).toMatchObject([{ median: 60 }]);
    expect(medians([row('a', 60, 'none'), row('a', 60, 'none')])).toEqual([]);
  });
});
