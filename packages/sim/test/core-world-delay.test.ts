import { describe, expect, it } from 'vitest';
import { CoreWorld } from '../src/index.ts';

describe('a message that is held up', () => {
  /** n1 stands; its requests are on their way. */
  function standing(): CoreWorld {
    const world = new CoreWorld({ servers: 3, timing: 'clock', raft: { stableLeadership: false } });
    world.carryOut({ kind: 'timeout', server: 'n1', timer: 'election' });
    world.carryOut({ kind: 'persist', server: 'n1' });
    return world;
  }

  it('arrives that much later, and others overtake it', () => {
    const world = standing();
    const [first, second] = world.flights;
    if (first === undefined || second === undefined) throw new Error('n1 has asked nobody.');
    const [early, late] = first.due <= second.due ? [first, second] : [second, first];
    world.carryOut({ kind: 'delay', message: early.id, by: 100_000 });
    expect(world.flight(early.id)?.due).toBe(early.due + 100_000);
    expect(world.next()).toEqual({ kind: 'deliver', message: late.id });
  });

  it('is only that: nothing else in the world is another', () => {
    const world = standing();
    const before = world.servers;
    world.carryOut({ kind: 'delay', message: world.flights[0]?.id ?? 0, by: 1 });
    expect(world.servers).toEqual(before);
  });

  it('cannot be held up by nothing, when it has arrived, or where there is no clock', () => {
    const world = standing();
    expect(world.why({ kind: 'delay', message: 1, by: 0 })).toContain('a whole number of microseconds from 1 on');
    expect(world.why({ kind: 'delay', message: 99, by: 1 })).toBe('message 99 is not in flight');
    const timeless = new CoreWorld({ servers: 3, timing: 'order' });
    expect(timeless.why({ kind: 'delay', message: 1, by: 1 })).toContain('there is no clock here');
  });
});
