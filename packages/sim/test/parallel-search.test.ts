/** A search on several threads finds and counts what one thread does. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { BreadthFirst, bugNamed, CoreWorld, type CoreWorldOptions, type SearchResult } from '../src/index.ts';
import { loadBug } from '../src/node/bugs.ts';
import { type ParallelSearchOptions, searchParallel } from '../src/node/parallel-search.ts';
import { SharedFingerprints } from '../src/node/shared-fingerprints.ts';

const world: CoreWorldOptions = {
  servers: 3,
  timing: 'order',
  disk: 'atOnce',
  lost: ['heartbeat', 'heartbeatReply'],
  raft: { stableLeadership: false },
  budgets: { terms: 2, elections: 2, requests: 0, stickiness: 0 },
};
const limits = { maxDepth: null, maxStates: 1_000_000, maxFrontier: 1_000_000, repeatEvery: 64 };

async function searched(options: Partial<ParallelSearchOptions>): Promise<SearchResult> {
  const { signal } = new AbortController();
  return await searchParallel({
    world,
    bug: null,
    threads: 2,
    ...limits,
    signal,
    onProgress: () => undefined,
    ...options,
  });
}

function alone(options: CoreWorldOptions, maxDepth: number | null = null): SearchResult {
  const search = new BreadthFirst(new CoreWorld(options), { ...limits, maxDepth });
  while (!search.advance(10_000));
  return search.result();
}

describe('whatever the number of threads', () => {
  const single = alone(world);
  test.each([1, 2, 5])('%i visit the same states', async (threads) => {
    const { end, states, levels, successors, taken } = await searched({ threads });
    expect({ end, states, levels, successors }).toEqual({
      end: 'exhausted',
      states: single.states,
      levels: single.levels,
      successors: single.successors,
    });
    expect(new Map(taken)).toEqual(single.taken);
  });

  test('they stop at the same depth', async () => {
    const { end, states, cut } = await searched({ maxDepth: 9, threads: 3 });
    const one = alone(world, 9);
    expect({ end, states, cut }).toEqual({ end: 'depth', states: one.states, cut: one.cut });
  });

  describe('a mistake', () => {
    beforeAll(() => {
      // Does nothing where they are up to date.
      const script = fileURLToPath(new URL('../scripts/bugs.mjs', import.meta.url));
      const { status, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
    }, 300_000);

    test.each(['half-elects', 'log-unasked', 'leader-gives-way'])('%s is found by the very same way', async (name) => {
      const bug = bugNamed(name)!;
      const one = alone({ ...bug.world, core: (await loadBug(name)).core });
      for (const threads of [1, 3]) {
        const { end, actions, broken, states } = await searched({ world: bug.world, bug: name, threads });
        expect({ end, actions, broken, states }, `${threads} threads`).toEqual({
          end: 'violation',
          actions: one.actions,
          broken: one.broken,
          states: one.states,
        });
      }
    });
  });
});

describe('limits', () => {
  test('end the search behind the level that passes them', async () => {
    expect((await searched({ maxStates: 500 })).end).toBe('states');
    expect((await searched({ maxFrontier: 100 })).end).toBe('frontier');
  });

  test('are checked', async () => {
    await expect(searched({ threads: 0 })).rejects.toThrow(RangeError);
    await expect(searched({ threads: 65 })).rejects.toThrow(RangeError);
    await expect(searched({ world: { ...world, servers: 0 } })).rejects.toThrow(/at least one voter/);
  });

  test('an interrupt ends it with what is known', async () => {
    const ending = new AbortController();
    ending.abort();
    const { end, states } = await searched({ signal: ending.signal });
    expect(end).toBe('stopped');
    expect(states).toBeGreaterThan(0);
  });
});

test('a table of fingerprints that is full takes no more', () => {
  const table = new SharedFingerprints(SharedFingerprints.memoryFor(1));
  let taken = 0;
  for (let a = 1; a < 100_000; a++) if (table.claim({ a, b: -a }, 0, 0) !== -1) taken += 1;
  expect(table.isFull).toBe(true);
  expect(taken).toBeLessThan(1 << 16);
  expect(table.claim({ a: 1, b: -1 }, 0, 0)).toBe(-1);
});
