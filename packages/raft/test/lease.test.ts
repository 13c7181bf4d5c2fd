/** Lease reads (dissertation §6.4.1). What happens between servers is told in `scripts/lease*.txt`. */
import { describe, expect, test } from 'vitest';
import { defaultOptions, freshState, Raft } from '../src/index.ts';
import { leaseLength } from '../src/lease.ts';
import { configuration } from './support/configurations.ts';
import { cluster } from './support/scene.ts';

const options = { ...defaultOptions, id: 'n1', incarnation: 'n1-1', leaseReads: true };

describe('lease reads', () => {
  test('are off unless asked for', () => {
    expect(defaultOptions.leaseReads).toBe(false);
  });

  test('a lease ends before the protection, however the two clocks drift within the bound', () => {
    for (const drift of [0, 1, 500, 10_000, 300_000, 999_999]) {
      const leader = 1 - drift / 1e6;
      const follower = 1 + drift / 1e6;
      const length = leaseLength({ ...options, maxClockDrift: drift });
      expect(length / leader).toBeLessThanOrEqual(options.electionTimeoutMin / follower);
    }
  });

  test('need the protection of leaders, and a bound on drift that leaves a lease', () => {
    const fresh = freshState(configuration({ voters: ['n1'] }));
    expect(() => new Raft({ ...options, stableLeadership: false }, fresh)).toThrow(/leaseReads needs stableLeadership/);
    for (const maxClockDrift of [-1, 1_000_000, Number.NaN]) {
      expect(() => new Raft({ ...options, maxClockDrift }, fresh)).toThrow(/maxClockDrift must be/);
    }
  });

  test('a server that never was in a term has protected nobody, and does not wait', () => {
    const world = cluster(3, { options: { leaseReads: true } });
    expect([...world.server('n1').timers.keys()]).toEqual(['election']);
  });

  test('a lone server reads at once', () => {
    const world = cluster(1, { options: { leaseReads: true } });
    const leader = world.elect('n1');
    leader.read(1);
    expect(leader.reads).toMatchObject([{ id: 1, refused: null }]);
  });

  test('rounds that nobody answers are not remembered for ever', () => {
    const world = cluster(3, { options: { leaseReads: true } });
    const leader = world.elect('n1');
    world.partition(['n1']);
    for (let beat = 0; beat < 100; beat++) {
      world.now += 100_000;
      leader.fire('heartbeat');
    }
    expect(leader.core.state.leadership?.lease.sent.length).toBeLessThanOrEqual(11);
  });
});
