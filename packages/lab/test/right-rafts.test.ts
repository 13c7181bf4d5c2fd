/** The right implementations, one in each style, pass everything. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type Job, suite } from '../src/index.ts';
// Processes run what is built.
import { runJobs } from '../dist/index.js';

/** Scenarios on a store take much longer, and have tests of their own (key-value.test.ts, stores.test.ts). */
const raftTests = suite.filter(({ makeService }) => makeService === undefined);

async function failuresOf(name: string, jobs: readonly Job[]): Promise<string[]> {
  const path = fileURLToPath(new URL(`../implementations/${name}.mjs`, import.meta.url));
  const failures: string[] = [];
  let ended = 0;
  await runJobs(jobs, {
    subject: { path },
    processes: 2,
    output: null,
    onOutcome: ({ test: scenario, seed, failure }) => {
      ended += 1;
      if (failure !== null) failures.push(`${scenario}, seed ${seed}: ${failure.message}`);
    },
  });
  expect(ended).toBe(jobs.length);
  return failures;
}

function jobsOf(names: readonly string[], seeds: readonly number[]): Job[] {
  return seeds.flatMap((seed) => names.map((name) => ({ test: name, seed, isRealTime: false, isRace: false })));
}

test.each(['raft', 'handlers'])('%s.mjs passes the whole suite', { timeout: 240_000 }, async (name) => {
  const names = raftTests.map((each) => each.name);
  expect(await failuresOf(name, jobsOf(names, [11, 12]))).toEqual([]);
});

test('kv-service.mjs serves in place of the key-value service of the lab', { timeout: 120_000 }, async () => {
  const names = [
    'OnePartition',
    'PersistPartitionUnreliable',
    'SnapshotRPC',
    'SnapshotUnreliableRecover',
    'SameAnswers',
  ];
  expect(await failuresOf('kv-service', jobsOf(names, [11]))).toEqual([]);
});
