/** Persist before promise: Figure 2 ("updated on stable storage before responding"), dissertation §10.2.1. */
import { describe, expect, test } from 'vitest';
import { cluster, command, envelope, heldBack, lawless, say } from './support/scene.ts';

describe('promises wait for the disk', () => {
  test('D3: an acknowledgement waits for its batch, an answer to a heartbeat for none', () => {
    const world = lawless(3);
    const server = world.server('n2');
    say(world, { kind: 'heartbeat', ...envelope('n1', 'n2', 1), commit: 0, round: 1 });
    server.automatic.disk = false;
    expect(
      say(world, {
        kind: 'appendEntries',
        ...envelope('n1', 'n2', 1),
        prevIndex: 0,
        prevTerm: 0,
        entries: [command(1, 1)],
        commit: 0,
      }),
    ).toEqual([]);
    expect(say(world, { kind: 'heartbeat', ...envelope('n1', 'n2', 1), commit: 0, round: 2 })).toMatchObject([
      { kind: 'heartbeatReply' },
    ]);
    expect(heldBack(server)).toEqual(['appendEntriesReply after #2']);
  });

  test('a copy of a message whose entries are still on their way waits as well', () => {
    const world = lawless(3);
    const server = world.server('n2');
    server.automatic.disk = false;
    const append = {
      kind: 'appendEntries',
      ...envelope('n1', 'n2', 1),
      prevIndex: 0,
      prevTerm: 0,
      entries: [command(1, 1)],
      commit: 0,
    } as const;
    say(world, append);
    say(world, append);
    expect(heldBack(server)).toHaveLength(2);
    expect(world.flights).toEqual([]);
  });

  test('a copy of a vote request whose vote is still on its way waits as well', () => {
    const world = lawless(3);
    const server = world.server('n2');
    server.automatic.disk = false;
    const ask = {
      kind: 'requestVote',
      ...envelope('n1', 'n2', 1),
      lastIndex: 0,
      lastTerm: 0,
      transfer: false,
    } as const;
    say(world, ask);
    say(world, ask);
    expect(heldBack(server)).toHaveLength(2);
    expect(world.flights).toEqual([]);
  });

  test('no word of a term leaves before the term is durable, refusals included', () => {
    const world = lawless(3, { pasts: { n2: { log: [3] } } });
    const server = world.server('n2');
    server.automatic.disk = false;
    expect(
      say(world, { kind: 'requestVote', ...envelope('n1', 'n2', 9), lastIndex: 0, lastTerm: 0, transfer: false }),
    ).toEqual([]);
    expect(say(world, { kind: 'preVote', ...envelope('n3', 'n2', 9), round: 1, lastIndex: 0, lastTerm: 0 })).toEqual(
      [],
    );
    expect(say(world, { kind: 'heartbeat', ...envelope('n3', 'n2', 9), commit: 0, round: 1 })).toEqual([]);
    expect(heldBack(server)).toEqual(['requestVoteReply after #1', 'preVoteReply after #1', 'heartbeatReply after #1']);
  });
});

describe('what counts is what is durable', () => {
  test('D1: a cluster of one commits, applies and answers reads only what is on its disk', () => {
    const world = cluster(1);
    const server = world.elect('n1');
    server.automatic.disk = false;
    server.propose(1, ['a']);
    expect(server.core.commitIndex).toBe(1);
    expect(server.machine.commands).toEqual([]);
    server.completeDisk();
    expect(server.machine.commands).toEqual(['a']);
  });

  test('D3: a leader does not count the entry of its own term before it is durable', () => {
    const world = cluster(2);
    const leader = world.elect('n1');
    leader.automatic.disk = false;
    leader.propose(1, ['a']);
    world.settle();
    expect(leader.core.commitIndex).toBe(1);
    leader.completeDisk();
    expect(leader.core.commitIndex).toBe(2);
  });

  test('I6: a batch that completes late does not vouch for other entries that took the place of its own', () => {
    const world = lawless(3);
    const server = world.server('n2');
    server.automatic.disk = false;
    const append = (from: string, term: number) =>
      say(world, {
        kind: 'appendEntries',
        ...envelope(from, 'n2', term),
        prevIndex: 0,
        prevTerm: 0,
        entries: [command(1, term), command(2, term)],
        commit: 0,
      });
    append('n1', 1);
    append('n3', 2);
    append('n1', 3);
    expect(server.disk.pending).toHaveLength(3);
    server.completeDisk(1);
    expect(server.core.status().durableIndex).toBe(0);
    server.completeDisk(1);
    expect(server.core.status().durableIndex).toBe(0);
    server.completeDisk(1);
    expect(server.core.status().durableIndex).toBe(2);
  });

  test('I8: one completion speaks for all batches before it, a second report of an old one says nothing', () => {
    const world = cluster(1);
    const server = world.elect('n1');
    server.automatic.disk = false;
    for (const id of [1, 2, 3]) {
      server.propose(id, [`${id}`]);
    }
    const ids = server.disk.pending.map((batch) => batch.id);
    expect(ids).toHaveLength(3);
    server.completeDisk(3);
    expect(server.core.commitIndex).toBe(4);
    server.input({ kind: 'persisted', id: ids[0] ?? 0, now: 0 });
    expect(server.core.commitIndex).toBe(4);
  });

  test('I7: a state machine that is durable in itself never gets ahead of the local log', () => {
    const world = cluster(3, { options: { applyDurableOnly: true } });
    const leader = world.elect('n1');
    leader.automatic.disk = false;
    leader.propose(1, ['a']);
    world.settle();
    expect(leader.core.commitIndex).toBe(2);
    expect(leader.machine.commands).toEqual([]);
    leader.completeDisk();
    expect(leader.machine.commands).toEqual(['a']);
  });
});

describe('restart (Figure 2)', () => {
  test('finds term, vote and log, and no commit index beyond the snapshot', () => {
    const world = cluster(3);
    world.elect('n1').propose(1, ['a', 'b']);
    world.settle();
    const server = world.server('n2');
    const before = { hardState: server.core.hardState, lastIndex: server.core.lastIndex };
    server.crash();
    server.start();
    expect({ hardState: server.core.hardState, lastIndex: server.core.lastIndex }).toEqual(before);
    expect(server.core.commitIndex).toBe(0);
    expect(server.core.role).toBe('follower');
  });

  test('what was written but never reported is there all the same', () => {
    const world = cluster(3);
    const leader = world.elect('n1');
    leader.automatic.disk = false;
    leader.propose(1, ['a']);
    leader.crash(1);
    leader.start();
    expect(leader.core.lastIndex).toBe(2);
  });

  test('D2: what was sent but not written is gone, and nothing else takes its place in that term', () => {
    const world = cluster(3);
    const leader = world.elect('n1');
    leader.automatic.disk = false;
    leader.propose(1, ['a']);
    leader.crash();
    leader.automatic.disk = true;
    leader.start();
    world.settle();
    expect(leader.core.lastIndex).toBe(1);
    // It leads no more; whoever leads next does so in another term.
    world.run(20_000_000);
    expect(world.leader?.core.term).toBeGreaterThan(1);
    expect(new Set(world.running.map((server) => server.core.lastIndex)).size).toBe(1);
  });
});
