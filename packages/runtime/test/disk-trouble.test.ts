import { describe, expect, test } from 'vitest';
import { batch, creation, entries, smallSegments, StorageWorld } from './support/storage-world.ts';

describe('a failed write or sync', () => {
  test.each(['EIO', 'ENOSPC'])('(%s) is fatal: nothing is confirmed after it, though the disk works again', (code) => {
    const world = new StorageWorld();
    const opened = world.open();
    world.append(opened, batch({ entries: entries(1, 5, 1) }));
    world.run();
    world.disk.failAt = { operation: world.disk.operations + 2, code };
    const expected = code === 'EIO' ? 'DiskFailed' : 'DiskFull';
    expect(world.append(opened, batch({ entries: entries(6, 9, 1) }))?.code).toBe(expected);
    expect(world.append(opened, batch({ entries: entries(6, 9, 1) }))?.code).toBe(expected);
    expect(opened.storage.hasRoomFor(1, 1)).toBe(false);
    expect(world.wait((done) => opened.storage.compact(3, done))).toMatchObject({ code: expected });
  });

  test('in the preparation of a segment is fatal as well', () => {
    const world = new StorageWorld();
    const opened = world.open();
    world.disk.failAt = { operation: world.disk.operations + 3, code: 'EIO' };
    expect(world.append(opened, batch({ entries: entries(1, 10, 1, 4000) }))).toBeNull();
    world.run();
    expect(world.disk.journal).toHaveLength(world.disk.operations);
    expect(world.disk.journal.at(-1)).toBe('allocate wal/spare');
    const operations = world.disk.operations;
    expect(world.append(opened, batch({ entries: entries(11, 12, 1) }))?.code).toBe('DiskFailed');
    expect(world.disk.operations).toBe(operations);
  });
});

// Found by the simulator: a leader whose log had failed while it was shortened refused every command and stayed in office.
describe('a failure that no append meets', () => {
  test('while a segment is prepared is told', () => {
    const world = new StorageWorld();
    const opened = world.open();
    const heard: string[] = [];
    opened.storage.onFailure(({ code }) => heard.push(code));
    world.disk.failAt = { operation: world.disk.operations + 3, code: 'EIO' };
    expect(world.append(opened, batch({ entries: entries(1, 10, 1, 4000) }))).toBeNull();
    world.run();
    expect(heard).toEqual(['DiskFailed']);
  });

  test('while the log is shortened is told, also to who asks later', () => {
    const world = new StorageWorld();
    const opened = world.open();
    for (let round = 0; round < 20; round++) {
      const first = round * 5 + 1;
      expect(world.append(opened, batch({ entries: entries(first, first + 4, 1, 4000) }))).toBeNull();
      world.run();
    }
    world.disk.failAt = { operation: world.disk.operations + 1, code: 'EIO' };
    expect(world.wait((done) => opened.storage.compact(90, done))).toMatchObject({ code: 'DiskFailed' });
    const heard: string[] = [];
    opened.storage.onFailure(({ code }) => heard.push(code));
    world.run();
    expect(heard).toEqual(['DiskFailed']);
  });
});

describe('a disk that fills up', () => {
  const KIB = 1024;
  const options = { ...smallSegments, reserveBytes: 64 * KIB };

  test('refuses before anything is appended, still records a vote, and recovers when there is room', () => {
    const world = new StorageWorld(new Map(), { capacity: 600 * KIB });
    const opened = world.open(creation, options);
    world.fireTimers();
    let index = 0;
    while (opened.storage.hasRoomFor(4000, 1) && index < 10_000) {
      expect(world.append(opened, batch({ entries: entries(index + 1, index + 1, 1, 4000) }))).toBeNull();
      world.fireTimers();
      index += 1;
    }
    expect(index).toBeGreaterThan(50);
    expect(index).toBeLessThan(150);

    // What cannot be refused still fits: votes, and what a leader sends.
    for (let term = 2; term < 40; term++) {
      expect(world.append(opened, batch({ hardState: { term, vote: 'c' } }))).toBeNull();
      world.fireTimers();
    }
    for (let more = 0; more < 10; more++) {
      index += 1;
      expect(
        world.append(opened, batch({ entries: entries(index, index, 40, 4000), hardState: { term: 40, vote: null } })),
      ).toBeNull();
    }
    expect(opened.storage.hasRoomFor(4000, 1)).toBe(false);

    world.disk.capacity = 4000 * KIB;
    world.fireTimers();
    world.fireTimers();
    expect(opened.storage.hasRoomFor(4000, 1)).toBe(true);
    expect(world.append(opened, batch({ entries: entries(index + 1, index + 1, 40, 4000) }))).toBeNull();
    world.fireTimers();
    expect(world.disk.image().get('reserve')?.length).toBe(64 * KIB);
    expect(new StorageWorld(world.disk.image()).open(null, options).recovered.lastIndex).toBe(index + 1);
  });

  test('while a damaged entry is written back gives up the reserve and writes it again', () => {
    const before = new StorageWorld();
    const [damaged, later] = [entries(1, 1, 1, 120), entries(2, 2, 1, 120)];
    before.append(before.open(), batch({ entries: damaged }));
    const image = before.disk.image();
    const segment = image.get('wal/0000000001.wal') ?? new Uint8Array(0);
    const data = damaged[0]?.data ?? new Uint8Array(0);
    const at = Buffer.from(segment).indexOf(data);
    segment[at] = (segment[at] ?? 0) ^ 1;

    const world = new StorageWorld(image);
    const opened = world.open(null, options);
    expect(opened.recovered.faulty).toMatchObject([{ index: 1 }]);
    expect(world.append(opened, batch({ entries: later }))).toBeNull();
    world.fireTimers();
    expect(world.disk.image().has('reserve')).toBe(true);

    world.disk.failAt = { operation: world.disk.operations + 1, code: 'ENOSPC' };
    expect(world.append(opened, batch({ repairs: damaged }))).toBeNull();
    expect(world.disk.image().has('reserve')).toBe(false);
    expect(world.read(opened, 1, 2)).toEqual([...damaged, ...later]);
  });

  test('counts what it has let in before it arrives', () => {
    const world = new StorageWorld(new Map(), { capacity: 1000 * KIB });
    const opened = world.open(creation, options);
    world.fireTimers();
    expect(opened.storage.hasRoomFor(500 * KIB, 1)).toBe(true);
    expect(opened.storage.hasRoomFor(500 * KIB, 1)).toBe(false);
    world.fireTimers();
    expect(opened.storage.hasRoomFor(500 * KIB, 1)).toBe(true);
  });

  test('an idle server is not woken to look at it', () => {
    const world = new StorageWorld();
    const opened = world.open();
    world.append(opened, batch({ entries: entries(1, 5, 1) }));
    world.fireTimers();
    const operations = world.disk.operations;
    for (let turn = 0; turn < 5; turn++) world.fireTimers();
    expect(world.disk.operations).toBe(operations);
  });
});

describe('what a caller must not do', () => {
  test('append while an append is in flight', () => {
    const world = new StorageWorld();
    const opened = world.open();
    opened.storage.append([batch({})], () => undefined);
    expect(() => opened.storage.append([batch({})], () => undefined)).toThrow('second append');
  });

  test('leave a gap', () => {
    const world = new StorageWorld();
    const opened = world.open();
    expect(() => opened.storage.append([batch({ entries: entries(2, 3, 1) })], () => undefined)).toThrow('no gaps');
  });

  test('read what was never appended', () => {
    const world = new StorageWorld();
    const opened = world.open();
    expect(() => opened.storage.read(1, 2, 100, () => undefined)).toThrow(RangeError);
  });
});
