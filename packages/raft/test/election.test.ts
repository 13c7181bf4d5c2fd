/** Leader election: §5.2, §5.4.1; PreVote, CheckQuorum, stickiness: dissertation §4.2.3, §6.2, §9.6. */
import { describe, expect, test } from 'vitest';
import { memberNames } from './support/configurations.ts';
import { cluster, envelope, lawless, say } from './support/scene.ts';

describe('elections (§5.2)', () => {
  test('a majority of votes makes a leader, and its first entry commits', () => {
    const world = cluster(5);
    const leader = world.elect('n3');
    expect(leader.core.term).toBe(1);
    expect(leader.core.commitIndex).toBe(1);
    expect(world.running.every((server) => server.core.leader === 'n3')).toBe(true);
  });

  test('a cluster of one leads itself once its vote is durable, not before', () => {
    const world = cluster(1);
    const server = world.server('n1');
    server.automatic.disk = false;
    server.fire('election');
    expect(server.core.role).toBe('candidate');
    server.completeDisk();
    expect(server.core.role).toBe('leader');
  });

  test('every election timeout is drawn from the whole range again', () => {
    const world = cluster(3, { options: { electionTimeoutMin: 300_000, electionTimeoutMax: 700_000 } });
    const server = world.server('n1');
    for (let round = 0; round < 3; round++) {
      expect(server.timers.get('election')).toMatchObject({ min: 300_000, max: 700_000 });
      server.fire('election');
    }
  });

  test('a vote goes to whoever asks first, and to nobody else in that term', () => {
    const world = lawless(3, { options: { stableLeadership: false } });
    const ask = (from: string) =>
      say(world, { kind: 'requestVote', ...envelope(from, 'n3', 4), lastIndex: 0, lastTerm: 0, transfer: false });
    expect(ask('n1')).toMatchObject([{ kind: 'requestVoteReply', to: 'n1', granted: true }]);
    expect(ask('n2')).toMatchObject([{ to: 'n2', granted: false }]);
    expect(ask('n1')).toMatchObject([{ to: 'n1', granted: true }]);
  });

  test.each([
    // own log ends at 3/2
    { lastIndex: 9, lastTerm: 1, granted: false, why: 'a longer log of an older term' },
    { lastIndex: 1, lastTerm: 3, granted: true, why: 'a shorter log of a later term' },
    { lastIndex: 2, lastTerm: 2, granted: false, why: 'a shorter log of the same term' },
    { lastIndex: 3, lastTerm: 2, granted: true, why: 'the same log' },
    { lastIndex: 4, lastTerm: 2, granted: true, why: 'a longer log of the same term' },
  ])('I10, §5.4.1: up to date means later term first, then longer log: $why', ({ lastIndex, lastTerm, granted }) => {
    const world = lawless(3, { pasts: { n3: { log: [1, 1, 2] } } });
    const reply = say(world, { kind: 'requestVote', ...envelope('n1', 'n3', 5), lastIndex, lastTerm, transfer: false });
    expect(reply).toMatchObject([{ kind: 'requestVoteReply', granted }]);
  });

  test('E11: a candidate that steps down in its own term keeps its vote', () => {
    const world = lawless(3, { options: { stableLeadership: false } });
    const server = world.server('n1');
    server.fire('election');
    say(world, { kind: 'heartbeat', ...envelope('n2', 'n1', 1), commit: 0, round: 1 });
    expect(server.core.role).toBe('follower');
    expect(server.core.hardState).toEqual({ term: 1, vote: 'n1' });
    expect(
      say(world, { kind: 'requestVote', ...envelope('n3', 'n1', 1), lastIndex: 9, lastTerm: 1, transfer: false }),
    ).toMatchObject([{ granted: false }]);
  });

  test('a refusal that was meant for a request of an earlier term does not hide the vote of this one', () => {
    const world = lawless(5, { options: { stableLeadership: false } });
    const server = world.server('n1');
    server.fire('election');
    const answer = (from: string, granted: boolean) =>
      say(world, { kind: 'requestVoteReply', ...envelope(from, 'n1', 1), granted });
    answer('n2', false);
    answer('n2', true);
    answer('n2', false);
    expect(server.core.role).toBe('candidate');
    answer('n3', true);
    expect(server.core.role).toBe('leader');
  });

  test('E12: nothing makes a sitting leader stand again', () => {
    const world = lawless(3);
    const leader = world.elect('n1');
    say(world, { kind: 'timeoutNow', ...envelope('n2', 'n1', 1) });
    leader.input({ kind: 'timeout', name: 'election', generation: 1, now: 0 });
    expect(leader.core.role).toBe('leader');
    expect(leader.core.term).toBe(1);
    expect(leader.timers.has('election')).toBe(false);
  });

  test('E15: whoever is asked votes, though its own configuration knows neither itself nor the candidate as a voter', () => {
    const world = lawless(3, { shape: { voters: memberNames(3), learners: ['n4'] } });
    const reply = say(world, {
      kind: 'requestVote',
      ...envelope('n9', 'n4', 1),
      lastIndex: 0,
      lastTerm: 0,
      transfer: false,
    });
    expect(reply).toMatchObject([{ kind: 'requestVoteReply', to: 'n9', granted: true }]);
  });

  test('E17: TimeoutNow counts only from the leader of this very term', () => {
    const world = lawless(3);
    world.elect('n1');
    for (const stranger of [envelope('n3', 'n2', 1), envelope('n1', 'n2', 0)]) {
      say(world, { kind: 'timeoutNow', ...stranger });
      expect(world.server('n2').core.role).toBe('follower');
    }
    say(world, { kind: 'timeoutNow', ...envelope('n1', 'n2', 1) });
    expect(world.server('n2').core.role).toBe('candidate');
  });

  test('D4: term and vote are one record', () => {
    const world = lawless(3);
    const server = world.server('n3');
    server.automatic.disk = false;
    say(world, { kind: 'requestVote', ...envelope('n1', 'n3', 7), lastIndex: 0, lastTerm: 0, transfer: false });
    expect(server.disk.pending.map((batch) => batch.hardState)).toEqual([{ term: 7, vote: 'n1' }]);
  });
});

describe('PreVote (dissertation §9.6)', () => {
  const ask = (from: string, to: string, term: number) =>
    ({ kind: 'preVote', ...envelope(from, to, term), round: 1, lastIndex: 9, lastTerm: 9 }) as const;

  test('E1, E8: granting one changes neither term nor vote nor disk and is no contact with a leader', () => {
    const world = lawless(3, { pasts: { n3: { log: [], term: 4, vote: 'n2' } } });
    const server = world.server('n3');
    const before = { hardState: server.core.hardState, timers: new Map(server.timers) };
    expect(say(world, ask('n1', 'n3', 4))).toMatchObject([{ kind: 'preVoteReply', granted: true, term: 4 }]);
    expect(server.core.hardState).toEqual(before.hardState);
    expect(server.disk.pending).toEqual([]);
    expect(server.core.leader).toBeNull();
    // Only the election timer begins anew, and only once: the asker may try first, and cannot hold this server up for good.
    const after = new Map(server.timers);
    const begunAnew = [...after.keys()].filter((name) => after.get(name) !== before.timers.get(name));
    expect(begunAnew).toEqual(['election']);
    say(world, ask('n1', 'n3', 4));
    expect(server.timers).toEqual(after);
  });

  test('E2: only answers to the round in hand count, and none after it is over', () => {
    const world = lawless(3);
    const server = world.server('n1');
    const answer = (round: number) =>
      say(world, { kind: 'preVoteReply', ...envelope('n2', 'n1', 0), round, granted: true });
    server.fire('election');
    server.fire('election');
    answer(1);
    expect(server.core.role).toBe('preCandidate');
    expect(server.events).toContainEqual({ kind: 'lateAnswer', voter: 'n2' });
    answer(2);
    expect(server.core.role).toBe('candidate');
    answer(1);
    expect(server.events.filter(({ kind }) => kind === 'lateAnswer')).toHaveLength(1);
    say(world, { kind: 'heartbeat', ...envelope('n3', 'n1', 1), commit: 0, round: 1 });
    answer(2);
    expect(server.core.role).toBe('follower');
    expect(server.core.term).toBe(1);
  });

  test('E3: a server whose pre-vote was refused still votes, and stands again later', () => {
    const world = lawless(3);
    const server = world.server('n1');
    server.fire('election');
    for (const voter of ['n2', 'n3']) {
      say(world, { kind: 'preVoteReply', ...envelope(voter, 'n1', 0), round: 1, granted: false });
    }
    expect(server.core.role).toBe('follower');
    expect(
      say(world, { kind: 'requestVote', ...envelope('n2', 'n1', 1), lastIndex: 0, lastTerm: 0, transfer: false }),
    ).toMatchObject([{ granted: true }]);
    server.fire('election');
    expect(server.core.role).toBe('preCandidate');
  });

  test('E4, E9: who asks from an earlier term is refused, told of the present one, and takes it on', () => {
    const world = cluster(3, { pasts: { n2: { log: [], term: 6 }, n3: { log: [], term: 6 } } });
    const server = world.server('n1');
    server.fire('election');
    expect(world.deliver({ to: 'n2' })).toBe(1);
    expect(world.find({ from: 'n2' })).toMatchObject([{ message: { kind: 'preVoteReply', granted: false, term: 6 } }]);
    world.settle();
    expect(server.core.term).toBe(6);
    expect(world.elect('n1').core.term).toBe(7);
  });

  test('E10: candidates and pre-candidates answer each other, so none waits for the other for ever', () => {
    const world = cluster(2);
    const [first, second] = [world.server('n1'), world.server('n2')];
    first.fire('election');
    second.fire('election');
    // Each asks while the other asks; both grant, both stand, in the same term.
    world.settle();
    expect([first.core.role, second.core.role]).not.toContain('preCandidate');
    world.run(20_000_000);
    expect(world.leader).not.toBeNull();
  });

  test('H3, P5: a server that is cut off raises no term, however long it asks', () => {
    const world = cluster(3);
    world.elect('n1');
    world.partition(['n1', 'n2'], ['n3']);
    world.run(60_000_000);
    world.heal();
    world.run(10_000_000);
    expect(world.leader?.id).toBe('n1');
    expect(world.running.map((server) => server.core.term)).toEqual([1, 1, 1]);
  });
});

describe('stickiness and CheckQuorum (dissertation §4.2.3, §6.2)', () => {
  test('E5: with equal timeouts everywhere, stickiness ends first, so that a leader can be replaced', () => {
    const world = cluster(3, { options: { electionTimeoutMin: 1_000_000, electionTimeoutMax: 1_000_000 } });
    world.elect('n1');
    world.server('n1').crash();
    for (const server of world.running) {
      const [stickiness, election] = [server.timers.get('stickiness'), server.timers.get('election')];
      expect(stickiness?.max).toBeLessThanOrEqual(election?.min ?? 0);
    }
    world.run(30_000_000);
    expect(world.leader).not.toBeNull();
  });

  test('a voter that hears a leader refuses a later term without taking it on', () => {
    const world = cluster(3);
    world.elect('n1');
    const reply = say(world, { kind: 'preVote', ...envelope('n3', 'n2', 1), round: 1, lastIndex: 9, lastTerm: 9 });
    expect(reply).toMatchObject([{ kind: 'preVoteReply', granted: false, term: 1 }]);
  });

  test('E18, P3: one server sees everybody, the others only it: it ends up as leader and can commit', () => {
    const world = cluster(5);
    world.elect('n1');
    for (const a of ['n1', 'n2', 'n4', 'n5']) {
      for (const b of ['n1', 'n2', 'n4', 'n5']) {
        if (a !== b) {
          world.cut(a, b);
        }
      }
    }
    world.run(60_000_000);
    expect(world.leader?.id).toBe('n3');
    world.server('n3').propose(1, ['x']);
    world.run(1_000_000);
    expect(world.running.map((server) => server.machine.commands)).toEqual(memberNames(5).map(() => ['x']));
  });

  test('a leader that no majority answers steps down within two checks, and one that is answered stays', () => {
    const world = cluster(3);
    const leader = world.elect('n1');
    world.run(10_000_000);
    expect(leader.core.role).toBe('leader');
    world.partition(['n1'], ['n2', 'n3']);
    world.run(2_000_000);
    expect(leader.core.role).not.toBe('leader');
  });
});
