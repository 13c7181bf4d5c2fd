/** Long random runs of good cores raise no alarm, and memory stays flat. What each check finds: invariants-found.test.ts. */
import { describe, expect, test } from 'vitest';
import { Invariants } from '../src/index.ts';
import { CoreWorld } from './support/core-world.ts';

const runs = 20;

describe('good cores', () => {
  test.each([1, 2, 3, 4, 5, 7])('%i servers keep every invariant', (servers) => {
    for (let seed = 1; seed <= runs; seed++) {
      const invariants = new Invariants();
      const raft = {
        maxLogCacheBytes: seed % 2 === 0 ? 500 : 1 << 20,
        maxInflightMessages: 4,
        maxUncommittedBytes: 4000,
      };
      const world = new CoreWorld({ seed, servers, raft, watchers: [invariants] });
      try {
        world.run(5000);
        expect(world.settle(), `seed ${seed} settles`).toBe(true);
        invariants.onRest();
      } catch (error) {
        throw new Error(`seed ${seed}, step ${world.steps}: ${String(error)}`, { cause: error });
      }
    }
  });
});

test('what all servers have compacted is forgotten: memory stays flat', () => {
  const invariants = new Invariants();
  const world = new CoreWorld({ seed: 3, servers: 3, watchers: [invariants] });
  let most = 0;
  for (let round = 0; round < 40; round++) {
    world.run(2000);
    world.settle();
    for (const server of world.servers) server.compact(5);
    most = Math.max(most, invariants.remembered);
  }
  expect(invariants.committedIndex).toBeGreaterThan(2000);
  expect(most).toBeLessThan(1500);
});
