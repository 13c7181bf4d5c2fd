/** Log replication: §5.3, §5.4.2; flow control. */
import { describe, expect, test } from 'vitest';
import { entryOverheadBytes } from '../src/weight.ts';
import { memberNames } from './support/configurations.ts';
import { cluster, command, envelope, lawless, say, violations } from './support/scene.ts';

describe('the follower (Figure 2, AppendEntries)', () => {
  const append = (prevIndex: number, prevTerm: number, entries: ReturnType<typeof command>[], commit = 0) =>
    ({ kind: 'appendEntries', ...envelope('n1', 'n2', 5), prevIndex, prevTerm, entries, commit }) as const;

  test('I1: commits only what this very message showed to match, not its own longer tail', () => {
    const world = lawless(3, { pasts: { n2: { log: [1, 1, 2, 2] } } });
    say(world, append(2, 1, [], 4));
    expect(world.server('n2').core.commitIndex).toBe(2);
  });

  test('I2: a message that leaves a gap is refused, a late one cuts nothing', () => {
    const world = lawless(3);
    expect(say(world, append(3, 1, [command(4, 5)]))).toMatchObject([{ accepted: false, index: 3, hintIndex: 0 }]);
    say(world, append(0, 0, [command(1, 5), command(2, 5)]));
    say(world, append(0, 0, [command(1, 5)]));
    expect(world.server('n2').core.lastIndex).toBe(2);
  });

  test('I2: a real conflict is cut and overwritten in one batch', () => {
    const world = lawless(3, { pasts: { n2: { log: [1, 2, 2] } } });
    const server = world.server('n2');
    server.automatic.disk = false;
    say(world, append(1, 1, [command(2, 5)]));
    expect(server.disk.pending).toMatchObject([{ truncateFrom: 2, entries: [{ index: 2, term: 5 }] }]);
    expect(server.core.lastIndex).toBe(2);
  });

  test('I11: entries behind nothing are taken only at the very beginning of the log', () => {
    const world = lawless(3, { pasts: { n2: { log: [1, 1, 1], snapshot: 3 } } });
    say(world, append(0, 0, [command(1, 5), command(2, 5)]));
    expect(world.server('n2').core.lastIndex).toBe(3);
    expect(world.server('n2').core.termAt(3)).toBe(1);
  });

  test.each([
    ['a hole', [command(2, 5), command(4, 5)]],
    ['falling terms', [command(1, 5), command(2, 4)]],
    ['a term above its own', [command(1, 6)]],
    ['a kind that nobody knows', [{ ...command(1, 5), kind: 7 as never }]],
    ['a configuration that is none', [{ ...command(1, 5), kind: 2 as const }]],
  ])('a message with %s is reported and changes nothing', (_what, entries) => {
    const world = lawless(3);
    expect(say(world, append(0, 0, entries))).toEqual([]);
    expect(world.server('n2').core.lastIndex).toBe(0);
    expect(violations(world.server('n2'))).toBe(1);
  });

  test('I5: a heartbeat claims nothing that the follower may lack', () => {
    const world = cluster(3);
    world.elect('n1');
    world.partition(['n1', 'n2'], ['n3']);
    world.server('n1').propose(1, ['a', 'b']);
    world.settle();
    world.heal();
    world.server('n1').fire('heartbeat');
    expect(world.find({ to: 'n3' })).toMatchObject([{ message: { kind: 'heartbeat', commit: 1 } }]);
    expect(world.find({ to: 'n2', kind: 'heartbeat' })).toMatchObject([{ message: { commit: 3 } }]);
  });
});

describe('the leader', () => {
  test('P4: never commits an entry of an older term by counting (§5.4.2)', () => {
    const world = lawless(3, {
      pasts: { n1: { log: [1, 2], term: 3 }, n2: { log: [1], term: 3 } },
      options: { stableLeadership: false },
    });
    const leader = world.server('n1');
    leader.fire('election');
    say(world, { kind: 'requestVoteReply', ...envelope('n2', 'n1', 4), granted: true });
    const answer = (index: number) =>
      say(world, {
        kind: 'appendEntriesReply',
        ...envelope('n2', 'n1', 4),
        accepted: true,
        index,
        hintIndex: 0,
        hintTerm: 0,
      });
    answer(2);
    expect(leader.core.commitIndex).toBe(0);
    answer(3);
    expect(leader.core.commitIndex).toBe(3);
  });

  test('I4: a stale acknowledgement never lowers what is known, one beyond the log is refused', () => {
    const world = lawless(3);
    const leader = world.elect('n1');
    leader.propose(1, ['a', 'b']);
    world.settle();
    const answer = (index: number) =>
      say(world, {
        kind: 'appendEntriesReply',
        ...envelope('n2', 'n1', 1),
        accepted: true,
        index,
        hintIndex: 0,
        hintTerm: 0,
      });
    answer(1);
    answer(99);
    expect(leader.core.status().followers[0]).toMatchObject({ matchIndex: 3, nextIndex: 4 });
    expect(violations(leader)).toBe(1);
  });

  test('I8: a late refusal of what was not sent since the follower was last probed changes nothing', () => {
    const world = lawless(3);
    const leader = world.elect('n1');
    leader.propose(1, ['a', 'b']);
    world.settle();
    const late = {
      kind: 'appendEntriesReply',
      ...envelope('n2', 'n1', 1),
      accepted: false,
      hintIndex: 3,
      hintTerm: 1,
    } as const;
    expect(say(world, { ...late, index: 9 })).toEqual([]);
    expect(leader.core.status().followers[0]).toMatchObject({ state: 'replicate', matchIndex: 3, nextIndex: 4 });
  });

  test('I9: backing up ends, whatever the hints say', () => {
    const world = lawless(2, { pasts: { n1: { log: [1, 1, 1, 1] } }, options: { stableLeadership: false } });
    const leader = world.server('n1');
    leader.fire('election');
    say(world, { kind: 'requestVoteReply', ...envelope('n2', 'n1', 2), granted: true });
    for (let round = 0; round < 20; round++) {
      const probe = world.find({ kind: 'appendEntries' }).at(-1)?.message;
      world.flights = [];
      if (probe?.kind !== 'appendEntries' || probe.prevIndex === 0) {
        break;
      }
      say(world, {
        kind: 'appendEntriesReply',
        ...envelope('n2', 'n1', 2),
        accepted: false,
        index: probe.prevIndex,
        hintIndex: 99,
        hintTerm: 99,
      });
    }
    expect(leader.core.status().followers[0]?.nextIndex).toBe(1);
  });

  test('I3: an index that two of five hold is not committed, in whatever order they answered', () => {
    const world = lawless(5);
    const leader = world.elect('n1');
    leader.propose(1, ['a', 'b', 'c']);
    world.flights = [];
    const answer = (from: string, index: number) =>
      say(world, {
        kind: 'appendEntriesReply',
        ...envelope(from, 'n1', 1),
        accepted: true,
        index,
        hintIndex: 0,
        hintTerm: 0,
      });
    answer('n5', 4);
    expect(leader.core.commitIndex).toBe(1);
    answer('n2', 2);
    expect(leader.core.commitIndex).toBe(2);
    answer('n3', 3);
    expect(leader.core.commitIndex).toBe(3);
  });

  test('H3: the window is empty again after every change of state, so that nothing leaks', () => {
    const weight = 'xxxx'.length + entryOverheadBytes;
    const world = cluster(3, { options: { maxInflightMessages: 2, maxInflightBytes: 2 * weight } });
    const leader = world.elect('n1');
    world.cut('n1', 'n3');
    for (let id = 1; id <= 6; id++) {
      leader.propose(id, ['xxxx']);
    }
    world.settle();
    expect(leader.core.status().followers[1]).toMatchObject({
      state: 'replicate',
      inflightMessages: 2,
      inflightBytes: 2 * weight,
    });
    leader.input({ kind: 'unreachable', peer: 'n3', now: 0 });
    expect(leader.core.status().followers[1]).toMatchObject({ state: 'probe', inflightMessages: 0, inflightBytes: 0 });
    world.heal();
    world.run(1_000_000);
    expect(leader.core.status().followers[1]).toMatchObject({ matchIndex: 7, inflightMessages: 0, inflightBytes: 0 });
  });

  test('H3: a caught-up follower that was unreachable leaves the probe by itself', () => {
    const world = cluster(3);
    const leader = world.elect('n1');
    leader.input({ kind: 'unreachable', peer: 'n3', now: 0 });
    world.run(500_000);
    expect(leader.core.status().followers[1]?.state).toBe('replicate');
  });

  test('messages carry at most maxAppendBytes, unless one entry alone is larger', () => {
    const world = cluster(2, { options: { maxAppendBytes: 10 + 2 * entryOverheadBytes } });
    const leader = world.elect('n1');
    leader.propose(1, ['aaaa', 'bbbb', 'cccc', 'dddddddddddddddd', 'e']);
    const sizes = world
      .find({ kind: 'appendEntries' })
      .map(({ message }) => (message.kind === 'appendEntries' ? message.entries.length : 0));
    expect(sizes).toEqual([2, 1, 1, 1]);
    world.settle();
    expect(world.server('n2').machine.commands).toHaveLength(5);
  });

  test('proposals of one turn travel in one message and one batch', () => {
    const world = cluster(3);
    const leader = world.elect('n1');
    leader.automatic.disk = false;
    leader.gathering = true;
    leader.propose(1, ['a']);
    leader.propose(2, ['b', 'c']);
    leader.gathering = false;
    leader.flush();
    expect(leader.disk.pending).toHaveLength(1);
    expect(world.find({ kind: 'appendEntries', to: 'n2' })).toHaveLength(1);
  });

  test('what is not committed is bounded, and room is made by commits alone', () => {
    const world = cluster(3, { options: { maxUncommittedBytes: 10 } });
    const leader = world.elect('n1');
    leader.propose(1, ['first.']);
    leader.propose(2, ['second']);
    world.settle();
    leader.propose(3, ['third.']);
    expect(leader.proposals.map((result) => result.refused)).toEqual([null, 'busy', null]);
    // One that could never fit may pass alone, or its client would wait for ever.
    world.settle();
    leader.propose(4, ['12345678901234567890']);
    expect(leader.proposals.at(-1)?.refused).toBeNull();
  });

  test('memory forgets what is durable and applied; slow followers are served from storage', () => {
    const world = cluster(3, { options: { maxLogCacheBytes: 100 } });
    const leader = world.elect('n1');
    world.partition(['n1', 'n2'], ['n3']);
    for (let id = 1; id <= 50; id++) {
      leader.propose(id, ['x'.repeat(20)]);
      world.settle();
    }
    expect(leader.core.entries(2, 2, 1)).toEqual([]);
    expect(leader.core.entries(51, 51, 1)).toHaveLength(1);
    world.heal();
    world.run(2_000_000);
    expect(world.server('n3').machine.commands).toEqual(leader.machine.commands);
  });
});

test('any number of servers, all the same log', () => {
  for (const size of [1, 2, 3, 4, 5, 7]) {
    const world = cluster(size);
    const leader = world.elect('n1');
    leader.propose(1, ['a']);
    world.settle();
    expect(memberNames(size).map((id) => world.server(id).machine.commands)).toEqual(
      memberNames(size).map(() => ['a']),
    );
  }
});
