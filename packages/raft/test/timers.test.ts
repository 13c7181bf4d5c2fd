/** Time in one form: named timers, armed by the core, fired by whoever drives it. */
import { describe, expect, test } from 'vitest';
import { defaultOptions, freshState, Raft } from '../src/index.ts';
import { configuration } from './support/configurations.ts';
import { cluster, lawless } from './support/scene.ts';

const options = { ...defaultOptions, id: 'n1', incarnation: 'n1-1' };

describe('timers', () => {
  test('a fresh server waits for a leader', () => {
    const server = cluster(3).server('n1');
    expect([...server.timers.keys()]).toEqual(['election']);
  });

  test('a leader beats and counts, and waits for nobody', () => {
    const world = cluster(3);
    const leader = world.elect('n1');
    expect([...leader.timers.keys()].sort()).toEqual(['heartbeat', 'quiet', 'quorumCheck']);
    expect(leader.timers.get('heartbeat')).toMatchObject({ min: 100_000, max: 100_000 });
  });

  test('followers hear of a commit with the next entries, or after the notice delay', () => {
    const world = cluster(3, { options: { commitNoticeDelay: 2_000 } });
    const leader = world.elect('n1');
    leader.propose(1, ['a']);
    world.settle();
    expect(leader.core.commitIndex).toBe(2);
    expect(world.server('n2').core.commitIndex).toBe(1);
    expect(leader.timers.get('commitNotice')).toMatchObject({ min: 2_000, max: 2_000 });

    leader.propose(2, ['b']);
    world.settle();
    expect(world.server('n2').core.commitIndex).toBe(2);
    leader.fire('commitNotice');
    world.settle();
    expect(world.running.map((server) => server.core.commitIndex)).toEqual([3, 3, 3]);
  });

  test('a follower whose clients wait for what it carried to the leader hears of the commit at once', () => {
    const world = cluster(3, { options: { commitNoticeDelay: 2_000 } });
    world.elect('n1').fire('commitNotice');
    world.settle();
    world.server('n2').propose(1, ['a']);
    world.settle();
    expect(['n1', 'n2', 'n3'].map((id) => world.server(id).core.commitIndex)).toEqual([2, 2, 1]);

    world.server('n3').read(2);
    world.settle();
    expect(world.server('n3').core.commitIndex).toBe(2);
  });

  test('a follower protects its leader for the shortest election timeout, and waits longer than that', () => {
    const world = cluster(3);
    world.elect('n1');
    const follower = world.server('n2');
    expect(follower.timers.get('stickiness')).toMatchObject({ min: 1_000_000, max: 1_000_000 });
    expect(follower.timers.get('election')).toMatchObject({ min: 1_000_000, max: 2_000_000 });
  });

  test('the end of a timer that was armed anew since then is ignored', () => {
    const world = lawless(3);
    const server = world.server('n2');
    const old = server.timers.get('election');
    world.elect('n1');
    server.input({ kind: 'timeout', name: 'election', generation: old?.generation ?? 0, now: 0 });
    expect(server.core.role).toBe('follower');
    expect(server.core.leader).toBe('n1');
  });

  test('a leader that steps down disarms what only a leader needs', () => {
    const world = cluster(3);
    const leader = world.elect('n1');
    world.partition(['n1'], ['n2', 'n3']);
    world.run(2_500_000);
    expect(leader.core.role).not.toBe('leader');
    expect(leader.timers.has('heartbeat')).toBe(false);
    expect(leader.timers.has('quorumCheck')).toBe(false);
    expect(leader.timers.has('election')).toBe(true);
  });

  test('a silent, healthy cluster says nothing but heartbeats', () => {
    const world = cluster(3);
    world.elect('n1');
    world.run(1_000_000);
    const kinds = new Set<string>();
    world.observers.push({ sent: (_server, { message }) => kinds.add(message.kind) });
    world.run(10_000_000);
    expect([...kinds].sort()).toEqual(['heartbeat', 'heartbeatReply']);
    expect(world.leader?.id).toBe('n1');
  });

  test.each([
    { heartbeatInterval: 0 },
    { heartbeatInterval: 1_000_000 },
    { electionTimeoutMin: 3_000_000 },
    { maxElectionBackoff: 0.5 },
    { goneSpreadMin: 0 },
    { goneSpreadMin: 60_000 },
    { priority: 0.5 },
    { priority: -1 },
  ])('options that contradict each other are refused: %o', (bad) => {
    expect(() => new Raft({ ...options, ...bad }, freshState(configuration({ voters: ['n1'] })))).toThrow(RangeError);
  });
});
