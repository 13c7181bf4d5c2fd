import type { Raft, SnapshotMetadata } from '@quorate/raft';
import { expect, test } from 'vitest';
import type { Environment } from '../src/environment.ts';
import type { RaftError } from '../src/errors.ts';
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
  const { snapshotter, seen } = snapshotterOf(world, raft, new Journal());
  snapshotter.want();
  await world.run(1_000);
  snapshotter.onDurable();
  await world.run(1_000);
  expect(seen.isCommitted).toBe(false);

  raft.step({ kind: 'persisted', now: 3, id: persist?.id ?? 0 });
  snapshotter.onDurable();
  await world.run(1_000);
  expect(seen.isCommitted).toBe(true);
  expect(seen.taken).toMatchObject([{ index: 3, term: 2 }]);
});

test('a snapshot rests three times as long as its slices took to make, so that commands have the most of the loop', async () => {
  const world = new VirtualWorld(1);
  const environment = world.environment('b', noDisk, () => true);
  let worked = 0;
  const busy = { ...environment, clock: { ...environment.clock, now: () => environment.clock.now() + worked } };
  const slices = Array.from({ length: 8 }, () => new Uint8Array(10));
  const machine = new Journal();
  machine.openSnapshot = () => ({
    next: () => {
      worked += 500;
      return slices.pop() ?? null;
    },
    close: () => undefined,
  });
  const { snapshotter, seen } = snapshotterOf(world, threeOnDisk(), machine, busy);
  snapshotter.want();
  await world.run(11_000);
  expect(seen.isCommitted).toBe(false);
  await world.run(2_000);
  expect(seen.isCommitted).toBe(true);
});

function snapshotterOf(
  world: VirtualWorld,
  raft: Raft,
  machine: Journal,
  environment: Environment = world.environment('b', noDisk, () => true),
) {
  const seen: { isCommitted: boolean; readonly taken: SnapshotMetadata[] } = { isCommitted: false, taken: [] };
  const writer: SnapshotWriter = {
    write: (_slice, done) => world.after(10, () => done(null)),
    commit: (done) => {
      seen.isCommitted = true;
      world.after(10, () => done(null));
    },
    abort: () => undefined,
  };
  const storage = {
    createSnapshot: () => writer,
    logBytesSince: () => 0,
    compact: () => undefined,
  } as unknown as RaftStorage;
  const host = {
    appliedIndex: () => 3,
    snapshotFloor: () => null,
    onSnapshot: (snapshot: SnapshotMetadata) => void seen.taken.push(snapshot),
    onFatal: (error: RaftError) => {
      throw error;
    },
  };
  const limits = defaultNodeLimits;
  const last = { index: 0, bytes: 0 };
  return { snapshotter: new Snapshotter(environment, limits, raft, storage, machine, host, last), seen };
}
