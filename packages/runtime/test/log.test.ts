import { describe, expect, test } from 'vitest';
import { sameEntries } from './support/storage-life.ts';
import { batch, creation, entries, smallSegments, StorageWorld } from './support/storage-world.ts';

describe('a new directory', () => {
  test('is left alone without a creation, and begun with one', () => {
    const world = new StorageWorld();
    expect(world.tryOpen(null)).toEqual({ error: null, opened: null });
    expect(world.disk.image().size).toBe(0);
    const { recovered, identity, notes } = world.open();
    expect(identity).toEqual(creation.identity);
    expect(recovered).toEqual({
      hardState: { term: 0, vote: null },
      snapshot: { index: 0, term: 0, configuration: creation.configuration },
      base: { index: 0, term: 0 },
      lastIndex: 0,
      termRuns: [],
      configurations: [],
      faulty: [],
      tail: [],
      applied: 0,
    });
    expect(notes).toEqual([]);
  });
});

describe('what was appended', () => {
  test('is there after a restart, with term and vote', () => {
    const world = new StorageWorld();
    const opened = world.open();
    expect(world.append(opened, batch({ hardState: { term: 3, vote: 'b' }, entries: entries(1, 40, 2) }))).toBeNull();
    expect(world.append(opened, batch({ entries: entries(41, 50, 3) }))).toBeNull();

    const later = new StorageWorld(world.disk.image());
    const again = later.open();
    expect(again.recovered.hardState).toEqual({ term: 3, vote: 'b' });
    expect(again.recovered.lastIndex).toBe(50);
    expect(again.recovered.termRuns).toEqual([
      { first: 1, term: 2 },
      { first: 41, term: 3 },
    ]);
    expect(again.recovered.tail).toEqual([...entries(1, 40, 2), ...entries(41, 50, 3)]);
    expect(later.read(again, 17, 45)).toEqual([...entries(17, 40, 2), ...entries(41, 45, 3)]);
    expect(again.notes).toEqual([]);
  });

  test('goes over many segments, and reads across their borders', () => {
    const world = new StorageWorld();
    const opened = world.open();
    for (let first = 1; first <= 3000; first += 10) {
      expect(world.append(opened, batch({ entries: entries(first, first + 9, 1, 100) }))).toBeNull();
      if (first % 100 === 1) world.run();
    }
    expect([...world.disk.image().keys()].filter((name) => name.endsWith('.wal')).length).toBeGreaterThan(5);
    expect(sameEntries(world.read(opened, 1, 3000), entries(1, 3000, 1, 100))).toBe(true);
    expect(world.read(opened, 777, 3000, 1000)).toEqual(entries(777, 786, 1, 100));
    const later = new StorageWorld(world.disk.image());
    const again = later.open();
    expect(again.recovered.lastIndex).toBe(3000);
    expect(again.recovered.tail.at(-1)).toEqual(entries(3000, 3000, 1, 100)[0]);
    expect(sameEntries(later.read(again, 1, 3000), entries(1, 3000, 1, 100))).toBe(true);
  });
});

test('a write is one submission: the bytes, then one sync', () => {
  const world = new StorageWorld();
  const opened = world.open();
  const before = world.disk.journal.length;
  world.append(opened, batch({ entries: entries(1, 20, 1) }), batch({ entries: entries(21, 30, 1) }));
  expect(world.disk.journal.slice(before)).toEqual(['write wal/0000000001.wal', 'sync wal/0000000001.wal']);
});

test('the next segment is filled with zeros before it is needed, and then only renamed', () => {
  const world = new StorageWorld();
  const opened = world.open();
  let index = 0;
  const lines: string[] = [];
  while (!lines.includes('rename wal/spare')) {
    index += 1;
    const before = world.disk.journal.length;
    world.append(opened, batch({ entries: entries(index, index, 1, 4000) }));
    lines.splice(0, lines.length, ...world.disk.journal.slice(before));
    world.run();
  }
  expect(world.disk.journal.slice(0, -1)).toContain('allocate wal/spare');
  expect(lines).toEqual([
    'rename wal/spare',
    'syncDirectory wal',
    'write wal/0000000002.wal',
    'sync wal/0000000002.wal',
    'write hardstate',
    'sync hardstate',
    'write hardstate',
    'sync hardstate',
  ]);
  expect(world.disk.image().get('wal/0000000002.wal')?.length).toBe(smallSegments.segmentBytes);
});
