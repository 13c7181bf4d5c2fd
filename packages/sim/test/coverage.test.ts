/** Random schedules of bare cores get into every hard situation that needs neither a disk's faults nor a lost disk. */
import { expect, test } from 'vitest';
import { Coverage, neverSeen } from '../src/index.ts';
import { CoreWorld } from './support/core-world.ts';

test('every situation of the protocol is seen', () => {
  const counts = new Map<string, number>();
  for (let seed = 1; seed <= 120; seed++) {
    const coverage = new Coverage();
    const raft = { maxLogCacheBytes: 500, maxInflightMessages: 4 };
    const world = new CoreWorld({ seed, servers: 3 + (seed % 3), raft, watchers: [coverage] });
    world.run(4000);
    world.settle();
    for (const [name, count] of coverage.counts) counts.set(name, (counts.get(name) ?? 0) + count);
  }
  expect(neverSeen(counts)).toEqual([
    'torn batch',
    'failed sync ends a server',
    'disk full',
    'another incarnation not counted',
    'faulty entry repaired',
    'leader settles faulty entries before its term begins',
    'a faulty entry is faulty elsewhere too',
    'a damaged snapshot is asked for',
    // Its membership stays as it is.
    'newcomer waits until it has caught up',
    'two halves decide together',
    'leader elected by two halves',
    'change of membership over',
    'change of membership truncated',
    'leader leaves because it was removed',
    'leadership transfer done',
    'former life comes back, and is told',
    'server that lost its disk let in again',
    // Nobody tells it who is gone, and no disk and no process stands still for long.
    'leader taken for gone',
    'leader elected in haste',
    'leader whose disk stands still hands over',
    'leader that slept proves itself',
    // All its servers speak one version, which the cluster begins with.
    'restart that speaks a later version',
    'version of the protocol raised',
    'version held by a member that speaks no later one',
    'raised version truncated',
    'change or transfer refused because the version is too old',
  ]);
});

test('a world that stands still has seen nothing', () => {
  const coverage = new Coverage();
  const world = new CoreWorld({ seed: 1, servers: 3, watchers: [coverage] });
  expect(world.steps).toBe(0);
  expect([...coverage.counts.values()].every((count) => count === 0)).toBe(true);
});
