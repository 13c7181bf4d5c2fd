/** docs/teaching.md: its tables are made of the data beside it, and its Rafts have the mistakes that they are said to have. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { explanationOf, namings, rowsOf } from '../src/teaching/explanation.ts';
import { type Mistake, mistaken, rules } from '../src/teaching/mistake.ts';
import { mistakes } from '../src/teaching/mistakes.ts';
import {
  type CaughtRun,
  codeOfText,
  emptyResults,
  readResults,
  type RunSide,
  writeResults,
} from '../src/teaching/results.ts';
import { pageWith, tablesOf } from '../src/teaching/table.ts';
// Processes run what is built.
import { runSeeds, searchSide } from '../dist/teaching/measure.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const data = join(root, 'docs/teaching/data');
const right = readFileSync(join(root, 'packages/lab/implementations/handlers.mjs'), 'utf8');
const lab = join(root, 'docs/lab');
const guide = rowsOf(readdirSync(lab).map((name) => readFileSync(join(lab, name), 'utf8')));

const folder = mkdtempSync(join(tmpdir(), 'quorate-teaching-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function named(name: string): Mistake {
  const found = mistakes.find((mistake) => mistake.name === name);
  if (found === undefined) throw new Error(`There is no mistake ${name}.`);
  return found;
}

function written(mistake: Mistake): string {
  const path = join(folder, `${mistake.name}.mjs`);
  writeFileSync(path, mistaken(right, mistake));
  return path;
}

describe('the mistakes', () => {
  test.each(mistakes.map((mistake) => [mistake.name, mistake] as const))('%s applies', (_, mistake) => {
    expect(mistaken(right, mistake)).not.toBe(right);
  });

  test('are twenty at least, each under a name of its own, and break every rule there is', () => {
    expect(mistakes.length).toBeGreaterThanOrEqual(20);
    expect(new Set(mistakes.map(({ name }) => name)).size).toBe(mistakes.length);
    expect(new Set(mistakes.map(({ rule }) => rule))).toEqual(new Set(Object.keys(rules)));
  });

  test('are those of implementations/wrong, but for the one of a service', () => {
    const files = readdirSync(join(root, 'packages/lab/implementations/wrong')).map((name) => name.replace('.mjs', ''));
    const spoken = new Set(mistakes.flatMap(({ wrong = [] }) => wrong));
    expect(files.filter((name) => !spoken.has(name))).toEqual(['late-put']);
    expect([...spoken].filter((name) => !files.includes(name))).toEqual([]);
  });

  test('that apply no more say so', () => {
    expect(() => mistaken('nothing of it', named('votes-twice'))).toThrow(/votes-twice does not apply.* 0 times/);
    expect(() => mistaken(right, { name: 'twice', from: 'state.role', to: '' })).toThrow(/\d+ times, not once/);
  });
});

describe('an explanation', () => {
  const words = Object.entries(namings).flatMap(([rule, each]) => each.map((text) => [rule, text] as const));

  test.each(words)('of "%s" stands in the guide: %s', (_, text) => {
    expect([...guide.values()].filter((row) => row.includes(text))).not.toEqual([]);
  });

  test('is found where the guide names the rule, alone or among others', () => {
    const figure8 = guide.get('SearchFigure8') ?? '';
    const message = 'all servers apply the same commands: "c1" was applied at index 1';
    expect(explanationOf('own-term commit', message, figure8)).toEqual({
      isInVerdict: false,
      isInGuide: true,
      rulesInGuide: 1,
    });
    expect(explanationOf('one vote', message, figure8).isInGuide).toBe(false);
    expect(explanationOf('the better log', '', guide.get('RejoinLeader') ?? '').rulesInGuide).toBe(3);
  });

  test('is in the verdict only where that is the rule itself', () => {
    const verdict = 'nothing that is applied is lost: server 2 has applied everything up to 2';
    expect(explanationOf('snapshots lead forward', verdict, '').isInVerdict).toBe(true);
    expect(explanationOf('one vote', verdict, '').isInVerdict).toBe(false);
  });
});

/** Null also where the Raft has become another since it was measured. */
function resultsOf(mistake: Mistake) {
  return readResults(data, mistake.name, codeOfText(mistaken(right, mistake)));
}

describe('the page', () => {
  const page = readFileSync(join(root, 'docs/teaching.md'), 'utf8');

  test('has the tables that its data make', () => {
    const rows = mistakes.map((mistake) => ({ mistake, results: resultsOf(mistake) }));
    expect(pageWith(page, tablesOf(rows, guide))).toBe(page);
  });

  test('has data of no Raft that there is not', () => {
    const names = new Set(mistakes.map(({ name }) => `${name}.json`));
    expect(readdirSync(data).filter((name) => !names.has(name))).toEqual([]);
  });

  test('has no Raft that fails for being no JavaScript', () => {
    const results = mistakes.map(resultsOf);
    const messages = results.flatMap((each) => [...(each?.runs.caught ?? []), ...(each?.search?.caught ?? [])]);
    expect(messages.filter(({ message }) => /ReferenceError|SyntaxError/.test(message))).toEqual([]);
  });

  test('without a place for its tables is refused', () => {
    expect(() => pageWith('# Nothing', '')).toThrow(/no place for its tables/);
  });
});

describe('results', () => {
  test('of another text of the Raft are made anew', () => {
    writeResults(folder, emptyResults(named('votes-twice'), 'one'));
    expect(readResults(folder, 'votes-twice', 'one')?.runs.seeds).toBe(0);
    expect(readResults(folder, 'votes-twice', 'another')).toBeNull();
    expect(readResults(folder, 'nobody', 'one')).toBeNull();
  });

  test('that are no JSON are refused, with what to do', () => {
    writeFileSync(join(folder, 'old-term-commit.json'), '{');
    expect(() => readResults(folder, 'old-term-commit', 'one')).toThrow(/remove it, and they are made anew/);
  });
});

describe('measuring', () => {
  const none = { seeds: 0, seconds: 0, caught: [] };
  const quiet = { onProgress: () => undefined };

  test('a run ends with the first test that fails', { timeout: 60_000 }, async () => {
    const measured = { path: written(named('one-copy-is-enough')), signal: new AbortController().signal, ...quiet };
    const sides: RunSide[] = [];
    await runSeeds(measured, none, 2, (side) => sides.push(side));
    expect(sides.map(({ seeds }) => seeds)).toEqual([1, 2]);
    const caught = sides[1]?.caught ?? [];
    expect(caught).toMatchObject([
      { seed: 1, part: '4B', test: 'FollowerFailure' },
      { seed: 2, part: '4B', test: 'FollowerFailure' },
    ]);
    for (const { events } of caught) expect(events).toBeGreaterThan(20);
  });

  test('goes on behind the seeds that it has, and a seed that nothing fails counts too', {
    timeout: 120_000,
  }, async () => {
    const measured = { path: written(named('votes-twice')), signal: new AbortController().signal, ...quiet };
    const sides: RunSide[] = [];
    const before: CaughtRun = { seed: 4, test: 'Backup', part: '4B', message: 'made up', events: 1 };
    await runSeeds(measured, { seeds: 4, seconds: 1, caught: [before] }, 5, (side) => sides.push(side));
    expect(sides).toMatchObject([{ seeds: 5, caught: [before] }]);
    expect(sides[0]?.seconds).toBeGreaterThan(1);
  });

  test('a search tells its shortest way, and rerun what it shortens', { timeout: 120_000 }, async () => {
    const measured = { path: written(named('one-copy-is-enough')), signal: new AbortController().signal, ...quiet };
    const side = await searchSide(measured);
    const caught = side?.caught.find(({ test: name }) => name === 'SearchNoMajority');
    expect(caught?.steps).toBeGreaterThan(3);
    const rerun = caught?.rerun;
    expect(rerun?.shortened).toBeLessThanOrEqual(rerun?.found ?? 0);
  });

  test('that is stopped keeps nothing of what it was at', { timeout: 60_000 }, async () => {
    const stop = new AbortController();
    const measured = { path: written(named('votes-twice')), signal: stop.signal, ...quiet };
    const sides: RunSide[] = [];
    const running = runSeeds(measured, none, 1, (side) => sides.push(side));
    stop.abort();
    await running;
    expect(sides).toEqual([]);
  });
});
