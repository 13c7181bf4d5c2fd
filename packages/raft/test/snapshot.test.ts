/** Log compaction and snapshots: §7, dissertation chapter 5. */
import { describe, expect, test } from 'vitest';
import { encodeConfiguration, EntryKind } from '../src/index.ts';
import { configuration, memberNames } from './support/configurations.ts';
import { cluster, command, envelope, lawless, say, violations } from './support/scene.ts';

const founders = configuration({ voters: memberNames(3) });

describe('compaction', () => {
  test('the log forgets what the snapshot covers, but for the tail that it is told to keep', () => {
    const world = cluster(3);
    const leader = world.elect('n1');
    leader.propose(1, ['a', 'b', 'c']);
    world.settle();
    leader.compact(2);
    const status = leader.core.status();
    expect(status).toMatchObject({ baseIndex: 2, snapshot: { index: 4, term: 1 }, lastIndex: 4 });
    expect(leader.core.termAt(1)).toBeNull();
    expect(leader.core.termAt(2)).toBe(1);
    // With the same snapshot the tail may go later.
    leader.input({ kind: 'compacted', snapshot: status.snapshot, through: 4, now: 0 });
    expect(leader.core.status().baseIndex).toBe(4);
  });

  test('a restart from snapshot and tail goes on where it stopped', () => {
    const world = cluster(3);
    const leader = world.elect('n1');
    leader.propose(1, ['a', 'b', 'c']);
    world.settle();
    for (const server of world.running) {
      server.compact(2);
      server.crash();
      server.start();
    }
    expect(world.server('n1').core.status()).toMatchObject({
      baseIndex: 2,
      commitIndex: 4,
      appliedIndex: 4,
      lastIndex: 4,
    });
    world.elect('n2').propose(5, ['d']);
    world.settle();
    expect(world.server('n3').machine.commands).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('installation (Figure 13)', () => {
  const install = (index: number, term: number, leaderTerm = 5, inForce = founders) =>
    ({
      kind: 'installSnapshot',
      ...envelope('n1', 'n2', leaderTerm),
      snapshot: { index, term, configuration: inForce },
    }) as const;

  test('S1: entries behind the snapshot stay if it agrees with the log, and go if it does not', () => {
    const agreeing = lawless(3, { pasts: { n2: { log: [1, 1, 2, 2, 2] } } });
    expect(say(agreeing, install(3, 2))).toMatchObject([{ kind: 'installSnapshotReply', index: 3 }]);
    expect(agreeing.server('n2').core.status()).toMatchObject({ lastIndex: 5, commitIndex: 3 });

    const conflicting = lawless(3, { pasts: { n2: { log: [1, 1, 1, 1, 1] } } });
    conflicting.registerSnapshot({ index: 3, term: 2 }, { position: { index: 3, term: 2 }, commands: [] }, 1);
    expect(say(conflicting, install(3, 2))).toMatchObject([{ kind: 'installSnapshotReply', index: 3 }]);
    expect(conflicting.server('n2').core.status()).toMatchObject({ lastIndex: 3, commitIndex: 3, baseIndex: 3 });
  });

  test('the snapshot is durable before it is acknowledged and before the state machine is replaced', () => {
    const world = lawless(3);
    world.registerSnapshot({ index: 3, term: 2 }, { position: { index: 3, term: 2 }, commands: ['x'] }, 1);
    const server = world.server('n2');
    server.automatic.disk = false;
    expect(say(world, install(3, 2))).toEqual([]);
    expect(server.machine.commands).toEqual([]);
    server.completeDisk();
    expect(world.find({ from: 'n2' })).toHaveLength(1);
    expect(server.machine.commands).toEqual(['x']);
  });

  test('S9, E4: one that is older than what is committed changes nothing, and the answer says how far the follower is', () => {
    const world = lawless(3, { pasts: { n2: { log: [1, 1, 1, 1], snapshot: 4 } } });
    expect(say(world, install(2, 1))).toMatchObject([{ kind: 'installSnapshotReply', snapshotIndex: 2, index: 4 }]);
    expect(world.server('n2').core.status()).toMatchObject({ baseIndex: 4, commitIndex: 4 });
    expect(world.server('n2').restore).toBeNull();
  });

  test('S6: candidates and pre-candidates take one from the leader of their term', () => {
    for (const stableLeadership of [true, false]) {
      const world = lawless(3, { options: { stableLeadership } });
      world.registerSnapshot({ index: 3, term: 2 }, { position: { index: 3, term: 2 }, commands: [] }, 1);
      const server = world.server('n2');
      server.fire('election');
      expect(server.core.role).toBe(stableLeadership ? 'preCandidate' : 'candidate');
      say(world, install(3, 2));
      expect(server.core.role).toBe('follower');
      expect(server.core.lastIndex).toBe(3);
    }
  });

  test('C9: its configuration is in force at once', () => {
    const world = lawless(3);
    world.registerSnapshot({ index: 3, term: 2 }, { position: { index: 3, term: 2 }, commands: [] }, 1);
    const next = configuration({ voters: ['n2', 'n7', 'n8'] }, 2);
    say(world, {
      kind: 'installSnapshot',
      ...envelope('n1', 'n2', 5),
      snapshot: { index: 3, term: 2, configuration: next },
    });
    expect(world.server('n2').core.configuration).toEqual(next);
  });

  test.each([
    ['of a term that its leader has not reached', install(3, 9)],
    ['beyond any index', install(Number.MAX_SAFE_INTEGER, 2)],
    ['with a configuration from behind it', install(3, 2, 5, configuration({ voters: memberNames(3) }, 4))],
  ])('one %s is reported and refused', (_what, message) => {
    const world = lawless(3);
    expect(say(world, message)).toEqual([]);
    expect(world.server('n2').core.lastIndex).toBe(0);
    expect(violations(world.server('n2'))).toBe(1);
  });

  test('S10: a snapshot beyond the whole log voids it, and the log goes on behind it', () => {
    const world = lawless(3, { pasts: { n2: { log: [1, 1, 1] } } });
    world.registerSnapshot({ index: 9, term: 4 }, { position: { index: 9, term: 4 }, commands: [] }, 1);
    say(world, install(9, 4));
    say(world, {
      kind: 'appendEntries',
      ...envelope('n1', 'n2', 5),
      prevIndex: 9,
      prevTerm: 4,
      entries: [command(10, 5)],
      commit: 10,
    });
    expect(world.server('n2').core.status()).toMatchObject({ baseIndex: 9, lastIndex: 10, commitIndex: 10 });
  });
});

describe('the leader', () => {
  test('S2: a follower in `snapshot` leaves it by failure, by answer, by appends, by silence', () => {
    const world = lawless(3);
    const leader = world.elect('n1');
    world.partition(['n1', 'n2'], ['n3']);
    leader.propose(1, ['a', 'b', 'c']);
    world.settle();
    leader.compact();
    const answer = (message: 'failure' | 'installed' | 'append') => {
      if (message === 'failure') {
        leader.input({ kind: 'snapshotSent', peer: 'n3', delivered: false, now: 0 });
      } else if (message === 'installed') {
        say(world, { kind: 'installSnapshotReply', ...envelope('n3', 'n1', 1), snapshotIndex: 4, index: 4 });
      } else {
        say(world, {
          kind: 'appendEntriesReply',
          ...envelope('n3', 'n1', 1),
          accepted: true,
          index: 4,
          hintIndex: 0,
          hintTerm: 0,
        });
      }
      return leader.core.status().followers[1]?.state;
    };
    const enter = () => {
      say(world, {
        kind: 'appendEntriesReply',
        ...envelope('n3', 'n1', 1),
        accepted: false,
        index: 4,
        hintIndex: 1,
        hintTerm: 1,
      });
      return leader.core.status().followers[1]?.state;
    };
    expect(enter()).toBe('snapshot');
    expect(answer('failure')).toBe('probe');
    leader.fire('heartbeat');
    say(world, { kind: 'heartbeatReply', ...envelope('n3', 'n1', 1), round: 2, speaks: 1, behind: false });
    expect(leader.core.status().followers[1]?.state).toBe('snapshot');
    expect(answer('append')).toBe('replicate');
  });

  test('S3: a full window over a compacted log ends in a snapshot, not in silence', () => {
    const world = cluster(3, { options: { maxInflightMessages: 1 } });
    const leader = world.elect('n1');
    leader.propose(1, ['a']);
    world.drop({ to: 'n3' });
    leader.propose(2, ['b']);
    world.settle();
    leader.compact();
    world.run(1_000_000);
    expect(world.server('n3').machine.commands).toEqual(['a', 'b']);
  });

  test('S7: a whole log compacted and a follower of which nothing is known: it is served without any proposal', () => {
    const world = cluster(3, { pasts: { n1: { log: [1, 1], snapshot: 2 }, n2: { log: [1, 1], snapshot: 2 } } });
    world.elect('n1');
    expect(world.server('n3').core.commitIndex).toBe(3);
  });

  test('a load that finds the place compacted ends in a snapshot', () => {
    const world = cluster(3, { options: { maxLogCacheBytes: 0 } });
    const leader = world.elect('n1');
    leader.automatic.load = false;
    world.partition(['n1', 'n2'], ['n3']);
    leader.propose(1, ['a', 'b']);
    world.settle();
    world.heal();
    world.run(400_000);
    expect(leader.loads).toHaveLength(1);
    leader.compact();
    leader.failLoad('compacted');
    expect(leader.core.status().followers[1]?.state).toBe('snapshot');
    leader.automatic.load = true;
    world.run(1_000_000);
    expect(world.server('n3').machine.commands).toEqual(['a', 'b']);
  });
});

describe('configurations in log and snapshot', () => {
  test('C7: a restart scans the tail of the log for them', () => {
    const world = lawless(3);
    const next = configuration({ voters: ['n1', 'n2', 'n3', 'n4'] }, 1);
    const entry = { index: 1, term: 1, kind: EntryKind.configuration, data: encodeConfiguration(next) };
    say(world, {
      kind: 'appendEntries',
      ...envelope('n1', 'n2', 1),
      prevIndex: 0,
      prevTerm: 0,
      entries: [entry],
      commit: 0,
    });
    const server = world.server('n2');
    expect(server.core.configuration).toEqual(next);
    server.crash();
    server.start();
    expect(server.core.configuration).toEqual(next);
  });

  test('C6: one that is cut away leaves the one before it in force', () => {
    const world = lawless(3);
    const at = (index: number, voters: readonly string[]) => ({
      index,
      term: 1,
      kind: EntryKind.configuration,
      data: encodeConfiguration(configuration({ voters }, index)),
    });
    const server = world.server('n2');
    const entries = [at(1, ['n1', 'n2']), at(2, ['n2', 'n3']), at(3, ['n2'])];
    say(world, { kind: 'appendEntries', ...envelope('n1', 'n2', 1), prevIndex: 0, prevTerm: 0, entries, commit: 0 });
    expect(server.core.configuration).toMatchObject({ index: 3, voters: ['n2'] });
    say(world, {
      kind: 'appendEntries',
      ...envelope('n3', 'n2', 2),
      prevIndex: 1,
      prevTerm: 1,
      entries: [command(2, 2)],
      commit: 0,
    });
    expect(server.core.configuration).toMatchObject({ index: 1, voters: ['n1', 'n2'] });
    expect(server.core.configurationAt(0)).toMatchObject({ index: 0, voters: ['n1', 'n2', 'n3'] });
  });

  test('C8: a snapshot takes the one in force at its index, not a later one', () => {
    const world = lawless(3);
    const entry = {
      index: 2,
      term: 1,
      kind: EntryKind.configuration,
      data: encodeConfiguration(configuration({ voters: ['n2'] }, 2)),
    };
    say(world, {
      kind: 'appendEntries',
      ...envelope('n1', 'n2', 1),
      prevIndex: 0,
      prevTerm: 0,
      entries: [command(1, 1), entry],
      commit: 1,
    });
    const server = world.server('n2');
    expect(server.compact().configuration).toMatchObject({ index: 0, voters: ['n1', 'n2', 'n3'] });
    expect(server.core.configuration).toMatchObject({ index: 2 });
  });

  test('C7: a later compaction of a log that kept entries from before the configuration of its snapshot', () => {
    const world = cluster(1, { shape: { voters: ['n1'], unbound: ['n1'] } });
    const server = world.elect('n1');
    server.propose(1, ['a', 'b']);
    server.compact(0);
    server.crash();
    server.start();
    world.elect('n1');
    server.compact(1);
    expect(server.core.status()).toMatchObject({ baseIndex: 1, configuration: { index: 2 } });
  });
});
