/** Identity is (member, incarnation): what a lost disk promised binds nobody, and what its successor says counts for nothing. */
import { describe, expect, test } from 'vitest';
import { memberNames } from './support/configurations.ts';
import { cluster, envelope, lawless, say } from './support/scene.ts';

describe('a server whose disk was lost (H5)', () => {
  test('neither votes nor stands, and says so', () => {
    const world = lawless(3);
    const server = world.server('n2');
    server.crash();
    world.wipe('n2', 'n2-2');
    server.start();
    expect(server.core.status().foreignIncarnation).toBe(true);
    server.fire('election');
    expect(server.core.role).toBe('follower');
    expect(world.find({ from: 'n2' })).toEqual([]);
    expect(
      say(world, { kind: 'requestVote', ...envelope('n1', 'n2', 3), lastIndex: 9, lastTerm: 3, transfer: false }),
    ).toMatchObject([{ kind: 'requestVoteReply', granted: false }]);
    server.propose(1, ['a']);
    server.read(2);
    expect(server.proposals).toMatchObject([{ refused: 'foreignIncarnation' }]);
    expect(server.reads).toMatchObject([{ refused: 'foreignIncarnation' }]);
  });

  test('its votes, its acknowledgements and its heartbeat answers are not counted', () => {
    const world = lawless(3);
    const stranger = { incarnation: 'n2-2' };
    const server = world.server('n1');
    server.fire('election');
    say(world, { kind: 'preVoteReply', ...envelope('n2', 'n1', 0), ...stranger, round: 1, granted: true });
    expect(server.core.role).toBe('preCandidate');
    world.settle();
    expect(server.core.role).toBe('leader');
    server.propose(1, ['a']);
    world.flights = [];
    say(world, {
      kind: 'appendEntriesReply',
      ...envelope('n2', 'n1', 1),
      ...stranger,
      accepted: true,
      index: 2,
      hintIndex: 0,
      hintTerm: 0,
    });
    expect(server.core.commitIndex).toBe(1);
    server.read(2);
    say(world, { kind: 'heartbeatReply', ...envelope('n2', 'n1', 1), ...stranger, round: 2, speaks: 1, behind: false });
    expect(server.reads).toEqual([]);
    expect(server.events).toContainEqual({ kind: 'foreignIncarnation', member: 'n2', bound: 'n2-1', seen: 'n2-2' });
  });

  test('does not keep a leader in office', () => {
    const world = cluster(3);
    const leader = world.elect('n1');
    for (const id of ['n2', 'n3']) {
      world.server(id).crash();
      world.wipe(id, `${id}-2`);
      world.server(id).start();
    }
    world.run(5_000_000);
    expect(leader.core.role).not.toBe('leader');
  });
});

describe('binding', () => {
  const unbound = { voters: memberNames(3), unbound: memberNames(3) };

  test('a leader binds itself and whom it hears from, by configuration entries', () => {
    const world = cluster(3, { shape: unbound });
    const leader = world.elect('n1');
    expect(leader.core.configuration.members.map((member) => member.incarnation)).toEqual(['n1-1', 'n2-1', 'n3-1']);
    expect(world.server('n3').core.configuration).toEqual(leader.core.configuration);
    expect(leader.core.commitIndex).toBe(leader.core.lastIndex);
  });

  test('of two lives of one member the first that is heard counts, the other is refused', () => {
    const world = lawless(3, { shape: unbound });
    const server = world.server('n1');
    server.fire('election');
    world.settle();
    say(world, {
      kind: 'heartbeatReply',
      ...envelope('n2', 'n1', 1),
      incarnation: 'n2-9',
      round: 1,
      speaks: 1,
      behind: false,
    });
    expect(server.core.configuration.members.map((member) => member.incarnation)).toContain('n2-1');
    expect(server.events).toContainEqual({ kind: 'foreignIncarnation', member: 'n2', bound: 'n2-1', seen: 'n2-9' });
  });
});
