/** Benchmarks are run by hand, and go with the code they measure only if something runs them: here, as briefly as they can. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);

test.each([
  ['packages/raft/bench/core.bench.mjs', ['0.05'], /"batched":\d+,"oneByOne":\d+/],
  ['packages/runtime/bench/wal.bench.mjs', ['0.1'], /\d/],
  ['packages/sim/bench/world.bench.mjs', ['1'], /virtual seconds in/],
])('%s runs', async (file, args, says) => {
  const { stdout } = await run(process.execPath, [file, ...args], { timeout: 100_000 });
  expect(stdout).toMatch(says);
});
