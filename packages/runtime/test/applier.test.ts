import { type Entry, EntryKind } from '@quorate/raft';
import { expect, test } from 'vitest';
import { Applier } from '../src/loop/applier.ts';
import { defaultNodeLimits } from '../src/node-options.ts';
import type { RaftStorage } from '../src/storage.ts';
import { command, Journal } from './support/counter.ts';
import { VirtualWorld } from './support/virtual-world.ts';
import { noDisk } from './support/no-disk.ts';
import { replaceThird, threeOnDisk } from './support/three-on-disk.ts';

// Found by the simulator (two states behind one entry): after a restart a follower had the old end of its log on disk, the leader's
// in memory, and the commit index spoke of the latter while the read for the state machine went to the former.
test('what a leader has replaced is never applied from a disk that still has it', async () => {
  const entry = (index: number, term: number, text: string): Entry => {
    return { index, term, kind: EntryKind.command, data: command(text) };
  };
  const onDisk = [entry(1, 1, 'one'), entry(2, 1, 'two'), entry(3, 1, 'replaced')];
  const raft = threeOnDisk();
  replaceThird(raft);
  const { apply } = raft.takeOutput();
  expect(apply).toEqual({ from: 1, to: 3 });

  const world = new VirtualWorld(1);
  const storage = {
    read: (from: number, to: number, _maxBytes: number, done: (error: null, entries: readonly Entry[]) => void) => {
      world.after(10, () => done(null, onDisk.slice(from - 1, to)));
    },
  } as unknown as RaftStorage;
  const journal = new Journal();
  const fail = (error: Error): void => {
    throw error;
  };
  const applier = new Applier(
    world.environment('b', noDisk, () => true),
    defaultNodeLimits,
    raft,
    storage,
    journal,
    {
      schedule: () => undefined,
      onEntry: () => undefined,
      onRestored: () => undefined,
      onFatal: fail,
      onFaulty: ({ message }) => fail(new Error(message)),
    },
    0,
  );
  applier.extend({ from: 1, to: 3 });
  applier.run();
  await world.run(100);
  applier.run();
  expect(journal.commands).toEqual(['one', 'two', 'three']);
});

test('what is damaged on disk is not applied before it is whole again, and then goes on by itself', async () => {
  const entries = ['one', 'two', 'three'].map(
    (text, at): Entry => ({ index: at + 1, term: 1, kind: EntryKind.command, data: command(text) }),
  );
  const raft = threeOnDisk();
  const envelope = { group: 0, from: 'a', to: 'b', incarnation: 'a', term: 1 };
  raft.step({
    kind: 'message',
    now: 1,
    message: { kind: 'appendEntries', ...envelope, prevIndex: 3, prevTerm: 1, entries: [], commit: 3 },
  });
  expect(raft.takeOutput().apply).toEqual({ from: 1, to: 3 });

  const world = new VirtualWorld(1);
  let isDamaged = true;
  const storage = {
    read: (from: number, to: number, _: number, done: Parameters<RaftStorage['read']>[3]) => {
      const readable = isDamaged ? entries.slice(from - 1, 1) : entries.slice(from - 1, to);
      const error = {
        code: 'FaultyEntry',
        message: 'The record has rotted.',
        path: 'log',
        offset: 64,
        index: from,
      } as const;
      world.after(10, () => (readable.length > 0 ? done(null, readable) : done(error, [])));
    },
  } as unknown as RaftStorage;
  const journal = new Journal();
  const faulty: number[] = [];
  const applier = new Applier(
    world.environment('b', noDisk, () => true),
    defaultNodeLimits,
    raft,
    storage,
    journal,
    {
      schedule: () => undefined,
      onEntry: () => undefined,
      onRestored: () => undefined,
      onFatal: (error) => {
        throw error;
      },
      onFaulty: ({ index }) => {
        faulty.push(index ?? 0);
        raft.step({ kind: 'faulty', now: 2, index: index ?? 0 });
      },
    },
    0,
  );
  applier.extend({ from: 1, to: 3 });
  for (let turn = 0; turn < 5; turn++) {
    applier.run();
    await world.run(100);
  }
  expect(journal.commands).toEqual(['one']);
  expect(faulty).toEqual([2]);

  const asked = raft.takeOutput().send.map(({ message }) => message);
  expect(asked).toMatchObject([{ kind: 'fetchEntries', to: 'a', wanted: [{ index: 2, term: 1 }] }]);
  const round = asked[0]?.kind === 'fetchEntries' ? asked[0].round : 0;
  raft.step({
    kind: 'message',
    now: 3,
    message: {
      kind: 'fetchEntriesReply',
      ...envelope,
      round,
      answers: entries.slice(1, 2).map((entry) => ({ verdict: 'have', entry })),
    },
  });
  const { persist } = raft.takeOutput();
  expect(persist?.repairs).toEqual(entries.slice(1, 2));
  isDamaged = false;
  applier.run();
  expect(journal.commands, 'not before the repair is durable').toEqual(['one']);
  raft.step({ kind: 'persisted', now: 4, id: persist?.id ?? 0 });
  applier.run();
  await world.run(100);
  applier.run();
  expect(journal.commands).toEqual(['one', 'two', 'three']);
});
