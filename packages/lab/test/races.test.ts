/** Ten races that were planted are found, each in the test that shows it; and those without any are not accused. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../src/index.ts';
// Processes run what is built.
import { runJobs } from '../dist/index.js';

const folder = fileURLToPath(new URL('../implementations/', import.meta.url));

/** Which test shows it, and what is said. */
const planted: Readonly<Record<string, readonly [string, RegExp]>> = {
  'answer-is-state': ['ReElection', /read only property 'term'/],
  'arguments-reused': ['InitialElection', /read only property 'term'/],
  'buffer-reused': [
    'SnapshotInstall',
    /Bytes in the arguments of installSnapshot were changed.*buffer-reused\.mjs:\d+/,
  ],
  'candidacy-is-state': ['InitialElection', /read only property/],
  'conflict-patched': ['RejoinLeader', /read only property/],
  'entry-marked': ['BasicAgree', /Cannot add property isCommitted/],
  'live-log-sent': ['BasicAgree', /not extensible/],
  'match-index-sent': ['BasicAgree', /read only property/],
  'next-index-of-now': ['Figure8Unreliable', /depending on what comes first/],
  'saved-is-state': ['BasicAgree', /not extensible/],
};

async function raced(path: string | null, tests: readonly string[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  await runJobs(
    tests.map((name) => ({ test: name, seed: 1, isRealTime: false, isRace: true })),
    { subject: { path }, processes: 1, output: null, onOutcome: (outcome) => outcomes.push(outcome) },
  );
  return outcomes;
}

describe('a planted race', () => {
  test('is listed here', () => {
    const files = readdirSync(`${folder}races`).map((file) => file.replace('.mjs', ''));
    expect(new Set(files)).toEqual(new Set(Object.keys(planted)));
    expect(files).toHaveLength(10);
  });

  test.each(Object.entries(planted))('%s is found', async (file, [name, said]) => {
    const [outcome] = await raced(`${folder}races/${file}.mjs`, [name]);
    expect(outcome?.failure?.stack).toMatch(/^RaceFailure/);
    expect(outcome?.failure?.message).toMatch(said);
  });
});

describe('what has no race', () => {
  const tests = ['ReElection', 'RejoinLeader', 'Backup', 'UnreliableAgree', 'SnapshotInstall'];

  test.each([
    ['our Raft', null],
    ['one in the async style', `${folder}raft.mjs`],
  ])('%s is not accused', async (_name, path) => {
    const outcomes = await raced(path, tests);
    expect(outcomes.map(({ test: name, failure }) => [name, failure?.message ?? null])).toEqual(
      tests.map((name) => [name, null]),
    );
  });
});
