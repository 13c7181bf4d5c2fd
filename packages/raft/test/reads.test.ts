/** Linearizable reads by ReadIndex: dissertation §6.4. */
import { describe, expect, test } from 'vitest';
import { cluster, envelope, lawless, say } from './support/scene.ts';

describe('on the leader', () => {
  test('R1: nothing is answered before an entry of the own term is committed', () => {
    const world = cluster(3);
    const server = world.server('n1');
    server.fire('election');
    while (server.core.role !== 'leader') {
      world.deliver();
    }
    server.read(1);
    world.deliver({ kind: 'heartbeat' });
    world.deliver({ kind: 'heartbeatReply' });
    expect(server.reads).toEqual([]);
    world.settle();
    expect(server.reads).toEqual([{ id: 1, index: 1, refused: null }]);
  });

  test('R2, R3: only an answer to a round that was sent after the read arrived confirms it', () => {
    const world = cluster(3);
    const leader = world.elect('n1');
    leader.fire('heartbeat');
    world.deliver({ kind: 'heartbeat' });
    leader.read(1);
    world.deliver({ kind: 'heartbeatReply' });
    expect(leader.reads).toEqual([]);
    world.settle();
    expect(leader.reads).toHaveLength(1);
  });

  test('R2: copies of one answer are one answer', () => {
    const world = lawless(5);
    const leader = world.elect('n1');
    leader.read(1);
    for (let copy = 0; copy < 5; copy++) {
      say(world, { kind: 'heartbeatReply', ...envelope('n2', 'n1', 1), round: 2, speaks: 1, behind: false });
    }
    expect(leader.reads).toEqual([]);
    say(world, { kind: 'heartbeatReply', ...envelope('n3', 'n1', 1), round: 2, speaks: 1, behind: false });
    expect(leader.reads).toHaveLength(1);
  });

  test('R2: an answer to a heartbeat of an earlier term confirms no round of this one', () => {
    const world = lawless(5, { options: { stableLeadership: false } });
    const leader = world.elect('n1');
    const old = { kind: 'heartbeat', ...envelope('n1', 'n3', 1), commit: 0, round: 2 } as const;
    world.elect('n2');
    world.elect('n1');
    leader.read(1);
    const late = say(world, old);
    world.flights = [];
    expect(late).toMatchObject([{ kind: 'heartbeatReply', term: 3, round: 0, speaks: 1, behind: false }]);
    for (const from of ['n3', 'n4', 'n5']) {
      say(world, { kind: 'heartbeatReply', ...envelope(from, 'n1', 3), round: 0, speaks: 1, behind: false });
    }
    expect(leader.reads).toEqual([]);
  });

  test.each([1, 2, 3, 4, 5])('R5: of %i servers a majority must answer, the leader among them', (size) => {
    const world = lawless(size);
    const leader = world.elect('n1');
    leader.read(1);
    const needed = Math.floor(size / 2);
    for (let answered = 0; answered < needed; answered++) {
      expect(leader.reads).toEqual([]);
      say(world, {
        kind: 'heartbeatReply',
        ...envelope(`n${answered + 2}`, 'n1', 1),
        round: leader.core.state.leadership?.round ?? 0,
        speaks: 1,
        behind: false,
      });
    }
    expect(leader.reads).toHaveLength(1);
  });

  test('the index is that of the moment at which the read arrived or later, never earlier', () => {
    const world = cluster(3);
    const leader = world.elect('n1');
    leader.propose(1, ['a']);
    world.settle();
    leader.read(2);
    world.settle();
    expect(leader.reads).toEqual([{ id: 2, index: 2, refused: null }]);
  });

  test('reads that arrive together share one round', () => {
    const world = cluster(3);
    const leader = world.elect('n1');
    leader.gathering = true;
    for (let id = 1; id <= 100; id++) {
      leader.read(id);
    }
    leader.gathering = false;
    leader.flush();
    expect(world.find({ kind: 'heartbeat' })).toHaveLength(2);
    world.settle();
    expect(leader.reads).toHaveLength(100);
  });

  test('R4: a read that waits when leadership is lost is refused at once', () => {
    const world = cluster(3);
    const leader = world.elect('n1');
    world.partition(['n1'], ['n2', 'n3']);
    leader.read(1);
    leader.fire('quorumCheck');
    // Both had answered since the last check; the next one finds nobody.
    if (leader.core.role === 'leader') {
      leader.fire('quorumCheck');
    }
    expect(leader.reads).toEqual([{ id: 1, index: 0, refused: 'leadershipLost' }]);
  });

  test('what waits is bounded', () => {
    const world = cluster(3, { options: { maxPendingReads: 2 } });
    const leader = world.elect('n1');
    for (const id of [1, 2, 3]) {
      leader.read(id);
    }
    expect(leader.reads).toEqual([{ id: 3, index: 0, refused: 'busy' }]);
  });
});

describe('on a follower', () => {
  test('the leader is asked, and its answer speaks for all that were asked together', () => {
    const world = cluster(3);
    world.elect('n1');
    const follower = world.server('n2');
    follower.gathering = true;
    follower.read(1);
    follower.read(2);
    follower.gathering = false;
    follower.flush();
    expect(world.find({ kind: 'readIndex' })).toHaveLength(1);
    world.settle();
    expect(follower.reads.map((read) => read.index)).toEqual([1, 1]);
  });

  test('R4: nobody to ask is said at once', () => {
    const world = cluster(3);
    world.server('n2').read(1);
    expect(world.server('n2').reads).toEqual([{ id: 1, index: 0, refused: 'noLeader' }]);
  });

  test('a lost request is sent again, without being told', () => {
    const world = cluster(3);
    world.elect('n1');
    world.server('n2').read(1);
    world.drop({ kind: 'readIndex' });
    world.run(1_000_000);
    expect(world.server('n2').reads).toEqual([{ id: 1, index: 1, refused: null }]);
  });

  test('R2: an answer from before a crash confirms nothing that is asked after it', () => {
    const world = cluster(3);
    const leader = world.elect('n1');
    const follower = world.server('n2');
    follower.read(1);
    world.deliver({ kind: 'readIndex' });
    world.deliver({ kind: 'heartbeat' });
    world.deliver({ kind: 'heartbeatReply' });
    const late = world.find({ kind: 'readIndexReply' })[0];
    follower.crash();
    leader.propose(2, ['a']);
    world.deliver({ from: 'n1', to: 'n3' });
    world.deliver({ from: 'n3' });
    follower.start();
    world.server('n1').fire('heartbeat');
    world.deliver({ kind: 'heartbeat', to: 'n2' });
    follower.read(3);
    expect(late?.message.kind).toBe('readIndexReply');
    if (late !== undefined) {
      world.deliverFlight(late);
    }
    expect(follower.reads).toEqual([]);
    world.run(1_000_000);
    expect(follower.reads.map((read) => read.refused ?? read.index >= 2)).toEqual([true]);
  });
});
