/** Benchmarks are run by hand, and go with the code they measure only if something runs them: here, as briefly as they can. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { describeWithPeer, findPeer } from '../test-support/peers.ts';

const run = promisify(execFile);

test.each([
  ['packages/raft/bench/core.bench.mjs', ['0.05'], /"batched":\d+,"oneByOne":\d+/],
  ['packages/runtime/bench/wal.bench.mjs', ['0.1'], /\d/],
  ['packages/sim/bench/world.bench.mjs', ['1'], /virtual seconds in/],
])('%s runs', async (file, args, says) => {
  const { stdout } = await run(process.execPath, [file, ...args], { timeout: 100_000 });
  expect(stdout).toMatch(says);
});

describeWithPeer('chromium', 'a benchmark in the browser', () => {
  test('packages/debugger/bench/page.bench.mjs runs', async () => {
    const env = { ...process.env, CHROMIUM: findPeer('chromium') ?? '' };
    const { stdout } = await run(process.execPath, ['packages/debugger/bench/page.bench.mjs', '80', '0.3'], { env });
    expect(stdout).toMatch(/^first paint after \d+ ms\n80 steps/);
    expect(stdout).toMatch(/History: \d+ pictures a second/);
  }, 100_000);
});
