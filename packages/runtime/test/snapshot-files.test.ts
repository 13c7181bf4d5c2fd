import type { SnapshotMetadata } from '@quorate/raft';
import { describe, expect, test } from 'vitest';
import type { OpenedStorage, SnapshotReader, SnapshotReceiver, StorageError } from '../src/storage.ts';
import { snapshotFile } from './support/storage-life.ts';
import { batch, creation, entries, StorageWorld } from './support/storage-world.ts';

function metadata(index: number, term = 1): SnapshotMetadata {
  return { index, term, configuration: creation.configuration };
}

/** A server with forty entries in its log. */
function begun(): { world: StorageWorld; opened: OpenedStorage } {
  const world = new StorageWorld();
  const opened = world.open();
  world.append(opened, batch({ hardState: { term: 1, vote: 'a' }, entries: entries(1, 40, 1) }));
  return { world, opened };
}

function take(world: StorageWorld, opened: OpenedStorage, of: SnapshotMetadata, slices: readonly Uint8Array[]): void {
  const writer = opened.storage.createSnapshot(of);
  for (const slice of slices) expect(world.wait((done) => writer.write(slice, done))).toBeNull();
  expect(world.wait((done) => writer.commit(done))).toBeNull();
  world.run();
}

function openReader(world: StorageWorld, opened: OpenedStorage): SnapshotReader | null {
  const { error, reader } = world.wait<{ error: StorageError | null; reader: SnapshotReader | null }>((done) =>
    opened.storage.openSnapshot((error, reader) => done({ error, reader })),
  );
  if (error !== null) throw new Error(`${error.code}: ${error.message}`);
  return reader;
}

function slicesOf(world: StorageWorld, reader: SnapshotReader): Uint8Array[] {
  const slices: Uint8Array[] = [];
  for (;;) {
    const { error, slice } = world.wait<{ error: StorageError | null; slice: Uint8Array | null }>((done) =>
      reader.readSlice((error, slice) => done({ error, slice })),
    );
    if (error !== null) throw new Error(`${error.code}: ${error.message}`);
    if (slice === null) return slices;
    slices.push(slice);
  }
}

/** Where a damaged snapshot is noticed, and how; 'unnoticed' if it is not. */
function openAndRestore(image: Map<string, Uint8Array>): string {
  const world = new StorageWorld(image);
  const { error, opened } = world.tryOpen(null);
  if (opened === null) return `opening: ${error?.code}`;
  try {
    const reader = openReader(world, opened);
    if (reader !== null) slicesOf(world, reader);
    return 'unnoticed';
  } catch (failure) {
    return `at restore: ${String(failure).split(':')[1]?.trim()}`;
  }
}

function receive(world: StorageWorld, opened: OpenedStorage, of: SnapshotMetadata, bytes: number): SnapshotReceiver {
  const { error, receiver } = world.wait<{ error: StorageError | null; receiver: SnapshotReceiver | null }>((done) =>
    opened.storage.receiveSnapshot(of, bytes, (error, receiver) => done({ error, receiver })),
  );
  if (receiver === null) throw new Error(error?.message);
  return receiver;
}

function snapshotNames(world: StorageWorld): string[] {
  return [...world.disk.image().keys()].filter((name) => name.startsWith('snapshots/')).sort();
}

const SLICES = [
  new Uint8Array(10).fill(1),
  new Uint8Array(0),
  new Uint8Array(20_000).fill(2),
  new Uint8Array(7).fill(3),
];

describe("a snapshot of the server's own state", () => {
  test('comes back slice by slice as it was cut, also after a restart', () => {
    const { world, opened } = begun();
    expect(openReader(world, opened)).toBeNull();
    take(world, opened, metadata(30), SLICES);
    const reader = openReader(world, opened);
    expect(reader?.metadata).toEqual(metadata(30));
    expect(reader === null ? null : slicesOf(world, reader)).toEqual(SLICES);

    const later = new StorageWorld(world.disk.image());
    const again = later.open(null);
    expect(again.recovered.snapshot).toEqual(metadata(30));
    const second = openReader(later, again);
    expect(second === null ? null : slicesOf(later, second)).toEqual(SLICES);
    expect(snapshotNames(later)).toEqual(['snapshots/0000000000000030-0000000000000001.snap']);
  });

  test('is nothing until it is committed, and leaves nothing when it is abandoned', () => {
    const { world, opened } = begun();
    const writer = opened.storage.createSnapshot(metadata(30));
    world.wait((done) => writer.write(new Uint8Array(5), done));
    expect(new StorageWorld(world.disk.image()).open(null).recovered.snapshot.index).toBe(0);
    writer.abort();
    world.run();
    expect(snapshotNames(world)).toEqual(['snapshots/0000000000000000-0000000000000000.snap']);
  });

  test('lets the log forget whole segments, and no more than it may', () => {
    const { world, opened } = begun();
    for (let from = 41; from <= 1040; from += 50) {
      world.append(opened, batch({ entries: entries(from, from + 49, 1, 300) }));
      world.run();
    }
    take(world, opened, metadata(1000), SLICES);
    expect(opened.storage.logBytesSince(1000)).toBeGreaterThan(40 * 300);
    expect(opened.storage.logBytesSince(1000)).toBeLessThan(70 * 400);
    expect(world.wait((done) => opened.storage.compact(800, done))).toBeNull();
    expect(world.tryRead(opened, 1, 5).error?.code).toBe('Compacted');
    expect(world.read(opened, 801, 1040)).toEqual(entries(801, 1040, 1, 300));
    const again = new StorageWorld(world.disk.image()).open(null);
    expect(again.recovered.base.index).toBeGreaterThan(500);
    expect(again.recovered.base.index).toBeLessThanOrEqual(800);
    expect(again.recovered.base.term).toBe(1);
  });

  test('that is damaged stops the server or the restore, and the old log is not replayed instead', () => {
    const { world, opened } = begun();
    take(world, opened, metadata(30), SLICES);
    const path = 'snapshots/0000000000000030-0000000000000001.snap';
    const length = world.disk.image().get(path)?.length ?? 0;
    const outcomes = new Map<string, number>();
    for (let offset = 0; offset < length; offset += offset < 400 || offset > length - 50 ? 5 : 1_999) {
      const image = world.disk.image();
      const bytes = image.get(path) ?? new Uint8Array(0);
      bytes[offset] = (bytes[offset] ?? 0) ^ 4;
      const outcome = openAndRestore(image);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect([...outcomes.keys()].sort()).toEqual([
      'at restore: CorruptSnapshot',
      'opening: CorruptSnapshot',
      'opening: UnsupportedVersion',
    ]);
    expect(outcomes.get('at restore: CorruptSnapshot')).toBeGreaterThan(10);
  });

  test('that is missing stops the server', () => {
    const { world, opened } = begun();
    take(world, opened, metadata(30), SLICES);
    const image = world.disk.image();
    image.delete('snapshots/0000000000000030-0000000000000001.snap');
    expect(new StorageWorld(image).tryOpen(null).error?.code).toBe('CorruptSnapshot');
  });

  test('stays readable while a newer one replaces it, and goes when its reader closes', () => {
    const { world, opened } = begun();
    take(world, opened, metadata(20), SLICES);
    const reader = openReader(world, opened);
    take(world, opened, metadata(30), [new Uint8Array(1)]);
    expect(snapshotNames(world)).toHaveLength(2);
    expect(reader === null ? null : slicesOf(world, reader)).toEqual(SLICES);
    reader?.close();
    world.run();
    expect(snapshotNames(world)).toEqual(['snapshots/0000000000000030-0000000000000001.snap']);
  });
});

describe('a snapshot from a peer', () => {
  const file = snapshotFile(metadata(100, 2), SLICES);

  test('replaces the log when a batch names it, with the entries behind it', () => {
    const { world, opened } = begun();
    const receiver = receive(world, opened, metadata(100, 2), file.length);
    expect(receiver.offset).toBe(0);
    for (let at = 0; at < file.length; at += 1000) {
      expect(world.wait((done) => receiver.write(file.slice(at, at + 1000), done))).toBeNull();
    }
    expect(world.wait((done) => receiver.finish(done))).toBeNull();
    expect(new StorageWorld(world.disk.image()).open(null).recovered).toMatchObject({ lastIndex: 40, applied: 0 });

    const install = batch({
      hardState: { term: 2, vote: null },
      snapshot: metadata(100, 2),
      entries: entries(101, 103, 2),
    });
    expect(world.append(opened, install)).toBeNull();
    world.run();
    expect(snapshotNames(world)).toEqual(['snapshots/0000000000000100-0000000000000002.snap']);
    expect(world.read(opened, 101, 103)).toEqual(entries(101, 103, 2));
    const later = new StorageWorld(world.disk.image());
    const again = later.open(null);
    expect(again.recovered).toMatchObject({
      snapshot: metadata(100, 2),
      base: { index: 100, term: 2 },
      lastIndex: 103,
      hardState: { term: 2, vote: null },
    });
    const reader = openReader(later, again);
    expect(reader === null ? null : slicesOf(later, reader)).toEqual(SLICES);
  });

  test('goes on where it stopped, after a restart too', () => {
    const { world, opened } = begun();
    const first = receive(world, opened, metadata(100, 2), file.length);
    world.wait((done) => first.write(file.slice(0, 15_000), done));
    first.suspend();
    const later = new StorageWorld(world.disk.image());
    const again = later.open(null);
    const second = receive(later, again, metadata(100, 2), file.length);
    expect(second.offset).toBeGreaterThan(0);
    expect(second.offset).toBeLessThan(15_000);
    expect(later.wait((done) => second.write(file.slice(second.offset), done))).toBeNull();
    expect(second.offset).toBe(file.length);
    expect(later.wait((done) => second.finish(done))).toBeNull();
    const whole = receive(later, again, metadata(100, 2), file.length);
    expect(whole.offset).toBe(file.length);
    expect(later.wait((done) => whole.finish(done))).toBeNull();
  });

  test.each([
    ['a flipped bit', (bytes: Uint8Array) => bytes.fill((bytes[5000] ?? 0) ^ 1, 5000, 5001), 'checksum'],
    [
      'a header of another snapshot',
      (bytes: Uint8Array) => bytes.set(snapshotFile(metadata(99, 2), SLICES)),
      'index 99',
    ],
    ['rubbish', (bytes: Uint8Array) => bytes.fill(9), 'header'],
  ])('with %s is refused, and must be sent again', (_name, spoil, reason) => {
    const { world, opened } = begun();
    const bytes = file.slice();
    spoil(bytes);
    const receiver = receive(world, opened, metadata(100, 2), bytes.length);
    let error: StorageError | null = null;
    for (let at = 0; at < bytes.length && error === null; at += 5_000) {
      error = world.wait((done) => receiver.write(bytes.slice(at, at + 5_000), done));
    }
    expect(error?.code).toBe('InvalidSnapshot');
    expect(error?.message).toContain(reason);
    expect(receive(world, opened, metadata(100, 2), bytes.length).offset).toBe(0);
  });

  test('that is shorter or longer than announced is refused', () => {
    const { world, opened } = begun();
    const short = receive(world, opened, metadata(100, 2), file.length);
    world.wait((done) => short.write(file.slice(0, 1000), done));
    expect(world.wait<StorageError | null>((done) => short.finish(done))?.code).toBe('InvalidSnapshot');
    const long = receive(world, opened, metadata(100, 2), file.length - 1);
    expect(world.wait<StorageError | null>((done) => long.write(file.slice(), done))?.code).toBe('InvalidSnapshot');
  });

  test('is not installed before it was received', () => {
    const { world, opened } = begun();
    const error = world.append(opened, batch({ snapshot: metadata(100, 2) }));
    expect(error?.code).toBe('InvalidSnapshot');
  });
});

test('a snapshot ahead of the log makes the log begin anew behind it', () => {
  const { world, opened } = begun();
  take(world, opened, metadata(45, 3), SLICES);
  const again = new StorageWorld(world.disk.image()).open(null);
  expect(again.recovered).toMatchObject({
    base: { index: 45, term: 3 },
    lastIndex: 45,
    termRuns: [],
    hardState: { term: 3, vote: null },
    faulty: [],
    tail: [],
  });
  expect(again.notes.join()).toContain('ahead of the log');
});
