/** The right implementations, one in each style, pass everything. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { suite } from '../src/index.ts';
// Processes run what is built.
import { runJobs } from '../dist/index.js';

/** The key-value part takes much longer, and has tests of its own (key-value.test.ts). */
const raftTests = suite.filter(({ part }) => part !== 'kv');

test.each(['raft', 'handlers'])('%s.mjs passes the whole suite', { timeout: 240_000 }, async (name) => {
  const path = fileURLToPath(new URL(`../implementations/${name}.mjs`, import.meta.url));
  const failures: string[] = [];
  let passed = 0;
  const jobs = [11, 12].flatMap((seed) =>
    raftTests.map((each) => ({ test: each.name, seed, isRealTime: false, isRace: false })),
  );
  await runJobs(jobs, {
    subject: { path },
    processes: 2,
    output: null,
    onOutcome: ({ test: scenario, seed, failure }) => {
      if (failure === null) passed += 1;
      else failures.push(`${scenario}, seed ${seed}: ${failure.message}`);
    },
  });
  expect(failures).toEqual([]);
  expect(passed).toBe(2 * raftTests.length);
});
