/** The wrong implementations: each fails the scenario that its mistake should fail, and none before it in the suite's order. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Outcome, suite } from '../src/index.ts';
// Processes run what is built.
import { runJobs } from '../dist/index.js';

interface WrongRaft {
  readonly file: string;
  readonly fails: string;
  readonly message: RegExp;
  /** From 1 to this: with one of these seeds at least it fails, and with none of them anything before. */
  readonly seeds: number;
}

const disagreement = /applied .* at index \d+, another server applied/;

/** docs/lab/wrong-rafts.md has the same table. */
const wrongRafts: readonly WrongRaft[] = [
  { file: 'candidate-ignores-leader', fails: 'BasicAgree', message: /not agreed on by 3 servers/, seeds: 40 },
  { file: 'majority-off-by-one', fails: 'FailNoAgree', message: /there is no majority/, seeds: 3 },
  { file: 'heartbeat-commits-unchecked', fails: 'RejoinLeader', message: disagreement, seeds: 3 },
  { file: 'votes-by-length', fails: 'RejoinLeader', message: disagreement, seeds: 3 },
  { file: 'acknowledges-before-saving', fails: 'Persist1', message: /only \d servers applied index/, seeds: 3 },
  { file: 'term-not-persisted', fails: 'Persist2', message: disagreement, seeds: 3 },
  { file: 'old-term-commit', fails: 'Figure8', message: disagreement, seeds: 3 },
  { file: 'reply-term-not-compared', fails: 'Figure8Unreliable', message: /undefined|applied/, seeds: 3 },
  { file: 'late-put', fails: 'OnePartition', message: /expected the value '15'/, seeds: 1 },
  { file: 'stale-vote-counted', fails: 'LateVotes', message: /both led term/, seeds: 2 },
  { file: 'stale-message-resets-clock', fails: 'LateLeader', message: /expected one leader/, seeds: 2 },
  { file: 'next-index-not-reset', fails: 'SecondReign', message: /undefined|not agreed on/, seeds: 2 },
];

/** The key-value part takes longer than all the rest: only who fails in it runs it. */
const raftTests = suite.filter(({ part }) => part !== 'kv');

const folder = fileURLToPath(new URL('../implementations/wrong/', import.meta.url));

/** That scenario and all before it, with every seed. */
async function outcomesOf({ file, fails, seeds }: WrongRaft): Promise<Outcome[]> {
  const order = raftTests.some(({ name }) => name === fails) ? raftTests : suite;
  const upTo = order.slice(0, order.findIndex(({ name }) => name === fails) + 1);
  const jobs = Array.from({ length: seeds }, (_, at) => at + 1).flatMap((seed) =>
    upTo.map(({ name }) => ({ test: name, seed, isRealTime: false, isRace: false })),
  );
  const outcomes: Outcome[] = [];
  const subject = { path: `${folder}${file}.mjs` };
  await runJobs(jobs, { subject, processes: 2, output: null, onOutcome: (outcome) => outcomes.push(outcome) });
  return outcomes;
}

describe('a wrong Raft fails the scenario made for its mistake, and none before', () => {
  test.each(wrongRafts)('$file fails $fails', { timeout: 240_000 }, async (wrong) => {
    const failed = (await outcomesOf(wrong)).filter(({ failure }) => failure !== null);
    expect(failed.length).toBeGreaterThan(0);
    for (const { test: name, seed, failure } of failed) {
      expect(name, `seed ${seed}: ${failure?.message}`).toBe(wrong.fails);
      expect(failure?.message).toMatch(wrong.message);
    }
  });

  test('each file is in the table', () => {
    expect(new Set(readdirSync(folder))).toEqual(new Set(wrongRafts.map(({ file }) => `${file}.mjs`)));
  });
});
