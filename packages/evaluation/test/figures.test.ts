import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Cell, CellResult, Experiment, Row } from '../src/experiment.ts';
import { experiments } from '../src/experiments/index.ts';
import { render } from '../src/plots/render.ts';

const LOAD: Row = {
  throughput: 4000,
  readsPerSecond: 2000,
  writesPerSecond: 2000,
  writeP50: 1.2,
  writeP99: 6,
  writeMax: 12,
  readP50: 0.9,
  readP99: 4,
  readMax: 9,
  refused: 0,
  unknown: 0,
  overflow: 0,
  lateMs: 0.1,
  generatorMicros: 50,
};
const TIMELINE: readonly Row[] = [
  { kind: 'began', time: 1_000_000 },
  {
    kind: 'interval',
    at: 0,
    reads: 90,
    writes: 400,
    seconds: 0.1,
    p50: 2,
    p99: 5,
    max: 9,
    'reads:h:1': 40,
    'reads:h:2': 50,
  },
  {
    kind: 'interval',
    at: 0.1,
    reads: 0,
    writes: 0,
    seconds: 0.1,
    p50: null,
    p99: null,
    max: null,
    'reads:h:1': 0,
    'reads:h:2': 0,
  },
  {
    kind: 'interval',
    at: 0.2,
    reads: 99,
    writes: 380,
    seconds: 0.1,
    p50: 2,
    p99: 8,
    max: 90,
    'reads:h:1': 49,
    'reads:h:2': 50,
  },
  { kind: 'event', at: 0.1, what: 'the leader dies', pauseMs: 110 },
];

/** For each experiment, what one of its cells might record. */
const SAMPLES: Readonly<Record<string, readonly Row[]>> = {
  elections: [
    { kind: 'initial', ms: 180, limitMs: 60_000 },
    { kind: 'calm', terms: 0, termsPerSecond: 0, writes: 10, served: 10 },
    { kind: 'replacement', ms: 220, terms: 1, limitMs: 60_000 },
  ],
  stutter: [
    { kind: 'stutter', ms: 60, replaced: false, limitMs: 60_000 },
    { kind: 'sequence', ms: 800, rounds: 3, replaced: true, limitMs: 60_000 },
  ],
  adaptation: [
    { kind: 'replacement', ms: 420, terms: 2, limitMs: 60_000 },
    { kind: 'replacement', ms: null, terms: null, limitMs: 60_000 },
  ],
  scale: [1, 64].map((clients) => ({ clients, repeat: 1, ...LOAD })),
  mix: [{ repeat: 1, ...LOAD }],
  load: [250, 1000].map((offered) => ({ offered, repeat: 1, ...LOAD })),
  failures: [
    ...TIMELINE,
    { kind: 'presence', running: 4, keys: 30, missing: 0 },
    { kind: 'beyond', running: 2, attempts: 10, answered: 0, outcomes: 'OutcomeUnknown' },
    { kind: 'final', running: 5, keys: 40, missing: 0 },
  ],
  stragglers: [
    'nobody',
    'one follower',
    'two followers',
    'leader',
    'leader, handed over',
    'a majority',
    'a majority, two removed',
  ].map((who) => ({
    who,
    repeat: 1,
    leaderMoved: false,
    ...LOAD,
  })),
  membership: [...TIMELINE, { kind: 'change', seconds: 3 }],
  recovery: [{ repeat: 1, ms: 640, logMegabytes: 12, entriesBehindSnapshot: 100 }],
  spread: [...TIMELINE, { kind: 'newcomer', server: 'h:2', firstMs: 500, shareMs: 100 }],
};

function results(experiment: Experiment): readonly CellResult[] {
  const rows = SAMPLES[experiment.name];
  if (rows === undefined) throw new Error(`There is no sample of what "${experiment.name}" records: add one here.`);
  return experiment.cells('full').map(({ key, settings }) => ({ key, settings, rows, notes: [], failure: null }));
}

const simulated = new Set(['wide-area']);
const measured = experiments.filter(({ name }) => !simulated.has(name));

describe.each(measured)('Figures of $name', (experiment) => {
  it('have titled axes, words, and nothing that is no number', async () => {
    const figures = experiment.figures(results(experiment));
    expect(figures.length).toBeGreaterThan(0);
    expect(new Set(figures.map(({ id }) => id)).size).toBe(figures.length);
    for (const figure of figures) {
      const { svg } = await render(figure);
      // Vega describes each axis for those who cannot see it: its title, its kind and its range.
      const titled = [...svg.matchAll(/aria-label="([XY])-axis titled '[^']+'/g)].map(([, axis]) => axis);
      expect(new Set(titled), figure.id).toEqual(new Set(['X', 'Y']));
      expect(svg, figure.id).not.toMatch(/NaN|undefined|Infinity/);
      expect(figure.caption, figure.id).not.toMatch(/NaN|undefined|null/);
      expect(figure.missing, figure.id).toEqual([]);
    }
  }, 60_000);

  it('are none where nothing was measured', () => {
    const nothing = results(experiment).map((result) => ({ ...result, rows: [] }));
    expect(experiment.figures(nothing)).toEqual([]);
    expect(experiment.figures([])).toEqual([]);
  });

  it('can be summed up: every measure finds its column in what is recorded', () => {
    const rows = SAMPLES[experiment.name] ?? [];
    const columns = new Set(rows.flatMap((row) => Object.keys(row)));
    const kinds = new Set(rows.map((row) => row['kind']));
    for (const { column, where } of experiment.measures) {
      const isSampled = where?.['kind'] === undefined || kinds.has(where['kind']);
      if (isSampled) expect([...columns]).toContain(column);
    }
  });
});

const published = fileURLToPath(new URL('../../../docs/evaluation/data', import.meta.url));

/** A cell as it was measured for the paper; null if it was not. */
function measuredCell({ name }: Experiment, { key, settings }: Cell): CellResult | null {
  const file = `${published}/${name}/cells/${key}.ndjson`;
  if (!existsSync(file)) return null;
  const lines = readFileSync(file, 'utf8').split('\n');
  const rows = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Row);
  return { key, settings, rows, notes: [], failure: null };
}

describe.each(experiments)('Figures of a run of $name that was interrupted', (experiment) => {
  const cells = experiment.cells('full');
  const kept = cells.map((cell) => measuredCell(experiment, cell)).filter((cell) => cell !== null);

  it('are drawn of its first cell alone, and of its last', async () => {
    expect(kept.length).toBeGreaterThan(0);
    for (const cell of [...kept.slice(0, 1), ...kept.slice(-1)]) {
      for (const figure of experiment.figures([cell])) {
        const { svg } = await render(figure);
        expect(svg, `${cell.key}, ${figure.id}`).not.toMatch(/NaN|undefined|Infinity/);
      }
    }
  }, 60_000);
});
