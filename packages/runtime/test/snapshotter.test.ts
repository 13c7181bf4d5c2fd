import type { SnapshotMetadata } from '@quorate/raft';
import { expect, test } from 'vitest';
import { Snapshotter } from '../src/loop/snapshotter.ts';
import { defaultNodeLimits } from '../src/node-options.ts';
import type { RaftStorage, SnapshotWriter } from '../src/storage.ts';
import { Journal } from './support/counter.ts';
import { noDisk } from './support/no-disk.ts';
import { replaceThird, threeOnDisk } from './support/three-on-disk.ts';
import { VirtualWorld } from './support/virtual-world.ts';

// Found by the simulator (seed 74965, E1): a follower's disk still had the entries that a leader had replaced and committed, as many as the new
// ones, and a snapshot of the new ones was kept before their batch was durable.
test('a snapshot waits for its own entries: those that they replace do not vouch for it', async () => {
  const raft = threeOnDisk();
  replaceThird(raft);
  const { persist } = raft.takeOutput();
  expect(persist).toMatchObject({ truncateFrom: 3 });
  raft.step({ kind: 'applied', now: 2, index: 3 });

  const world = new VirtualWorld(1);
  let isCommitted = false;
  const writer: SnapshotWriter = {
    write: (_slice, done) => world.after(10, () => done(null)),
    commit: (done) => {
      isCommitted = true;
      world.after(10, () => done(null));
    },
    abort: () => undefined,
  };
  const storage = {
    createSnapshot: () => writer,
    logBytesSince: () => 0,
    compact: () => undefined,
  } as unknown as RaftStorage;
  const taken: SnapshotMetadata[] = [];
  const snapshotter = new Snapshotter(
    world.environment('b', noDisk, () => true),
    defaultNodeLimits,
    raft,
    storage,
    new Journal(),
    {
      appliedIndex: () => 3,
      snapshotFloor: () => null,
      onSnapshot: (snapshot) => taken.push(snapshot),
      onFatal: (error) => {
        throw error;
      },
    },
    { index: 0, bytes: 0 },
  );
  snapshotter.want();
  await world.run(1_000);
  snapshotter.onDurable();
  await world.run(1_000);
  expect(isCommitted).toBe(false);

  raft.step({ kind: 'persisted', now: 3, id: persist?.id ?? 0 });
  snapshotter.onDurable();
  await world.run(1_000);
  expect(isCommitted).toBe(true);
  expect(taken).toMatchObject([{ index: 3, term: 2 }]);
});
