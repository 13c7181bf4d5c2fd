import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertLong } from '../../../test-support/long-property.ts';
import type { SnapshotWriter, StorageError } from '../src/storage.ts';
import { batch, creation, entries, smallSegments, StorageWorld } from './support/storage-world.ts';

const KIB = 1024;
const options = { ...smallSegments, reserveBytes: 64 * KIB, freePollBytes: 32 * KIB };

describe('a disk that fills faster than it is looked at', () => {
  test('is refused before anything is appended', () => {
    const world = new StorageWorld(new Map(), { capacity: 900 * KIB });
    const opened = world.open(creation, options);
    let index = 0;
    // No timer fires: all that is known of free space is what was found at the start.
    while (opened.storage.hasRoomFor(16 * KIB, 1)) {
      expect(world.append(opened, batch({ entries: entries(index + 1, index + 1, 1, 16 * KIB) }))).toBeNull();
      world.run();
      index += 1;
    }
    expect(index).toBeGreaterThan(30);
    expect(world.append(opened, batch({ hardState: { term: 9, vote: 'b' } }))).toBeNull();

    world.disk.capacity = 2000 * KIB;
    world.fireTimers();
    expect(opened.storage.hasRoomFor(16 * KIB, 1)).toBe(true);
  });

  test('by somebody else: the reserve is given up, and what was let in becomes durable', () => {
    const world = new StorageWorld(new Map(), { capacity: 2000 * KIB });
    const opened = world.open(creation, options);
    world.append(opened, batch({ entries: entries(1, 1, 1) }));
    world.fireTimers();
    world.fireTimers();
    expect(world.disk.image().get('reserve')?.length).toBe(64 * KIB);
    expect(opened.storage.hasRoomFor(40 * KIB, 1)).toBe(true);
    const used = [...world.disk.image().values()].reduce((sum, bytes) => sum + bytes.length, 0);
    world.disk.capacity = used + KIB;
    expect(world.append(opened, batch({ entries: entries(2, 2, 1, 40 * KIB) }))).toBeNull();
    expect(world.disk.image().has('reserve')).toBe(false);
    expect(new StorageWorld(world.disk.image()).open(null, options).recovered.lastIndex).toBe(2);
    world.fireTimers();
    expect(opened.storage.hasRoomFor(1, 1)).toBe(false);
  });

  test('a snapshot that would touch the reserve is refused, and the log goes on', () => {
    const world = new StorageWorld(new Map(), { capacity: 500 * KIB });
    const opened = world.open(creation, options);
    world.append(opened, batch({ entries: entries(1, 8, 1, 4 * KIB) }));
    world.fireTimers();
    const writer = opened.storage.createSnapshot({ ...opened.recovered.snapshot, index: 8, term: 1 });
    let refused: StorageError | null = null;
    for (let slice = 0; slice < 100 && refused === null; slice++) {
      refused = world.wait<StorageError | null>((done) => writer.write(new Uint8Array(16 * KIB), done));
    }
    expect(refused).toMatchObject({ code: 'DiskFull' });
    writer.abort();
    world.run();
    expect(world.append(opened, batch({ entries: entries(9, 9, 1, 4 * KIB) }))).toBeNull();
    world.fireTimers();
    expect(opened.storage.hasRoomFor(32 * KIB, 1)).toBe(true);
  });
});

test('whatever is let in fits, beside snapshots, spare segments and a reserve that comes and goes', () => {
  const action = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        bytes: fc.integer({ min: 1, max: 24 * KIB }),
        count: fc.integer({ min: 1, max: 12 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('snapshot' as const),
        bytes: fc.integer({ min: 1, max: 20 * KIB }),
        count: fc.constant(1),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom('timers' as const, 'step' as const, 'commit' as const, 'abort' as const),
        bytes: fc.constant(0),
        count: fc.integer({ min: 1, max: 6 }),
      }),
    },
  );
  assertLong(
    fc.property(fc.integer({ min: 300, max: 1200 }), fc.array(action, { maxLength: 120 }), (capacity, actions) => {
      const world = new StorageWorld(new Map(), { capacity: capacity * KIB });
      const opened = world.open(creation, options);
      let index = 0;
      let writer: SnapshotWriter | null = null;
      let at = 0;
      let isWriting = false;
      for (const { kind, bytes, count } of actions) {
        switch (kind) {
          case 'append':
            if (!opened.storage.hasRoomFor(bytes * count, count)) break;
            expect(world.append(opened, batch({ entries: entries(index + 1, index + count, 1, bytes) }))).toBeNull();
            index += count;
            break;
          case 'snapshot':
            if (index === 0 || isWriting) break;
            if (writer === null) {
              at = index;
              writer = opened.storage.createSnapshot({ ...opened.recovered.snapshot, index, term: 1 });
            }
            isWriting = true;
            writer.write(new Uint8Array(bytes), (error) => {
              isWriting = false;
              if (error === null) return;
              expect(error.code).toBe('DiskFull');
              writer?.abort();
              writer = null;
            });
            break;
          case 'timers':
            world.fireTimers();
            break;
          case 'step':
            for (let more = 0; more < count; more++) world.step();
            break;
          case 'commit': {
            if (writer === null || isWriting) break;
            const finished = writer;
            writer = null;
            const error = world.wait<StorageError | null>((done) => finished.commit(done));
            if (error === null) expect(world.wait((done) => opened.storage.compact(at, done))).toBeNull();
            else expect(error.code).toBe('DiskFull');
            break;
          }
          case 'abort':
            world.run();
            writer?.abort();
            writer = null;
        }
      }
      world.run();
      expect(world.append(opened, batch({ hardState: { term: 7, vote: 'b' } }))).toBeNull();
      const again = new StorageWorld(world.disk.image()).open(null, options);
      expect([again.recovered.lastIndex, again.recovered.hardState.term]).toEqual([index, 7]);
    }),
    { numRuns: 400 },
  );
});
