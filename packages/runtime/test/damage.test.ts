import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertLong } from '../../../test-support/long-property.ts';
import { crc32c } from '../src/crc32c.ts';
import { viewOf } from '../src/bytes.ts';
import type { StorageError } from '../src/storage.ts';
import { HARD_STATE_PATH } from '../src/wal/hard-state-file.ts';
import { identitySeed, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES } from '../src/wal/format.ts';
import { draws } from './support/random.ts';
import { difference, firstState, type ModelState, StorageLife } from './support/storage-life.ts';
import { batch, creation, entries, StorageWorld } from './support/storage-world.ts';

const SEGMENT = 'wal/0000000001.wal';

/** Three acknowledged batches in one segment; returns the image and where each batch begins. */
function threeBatches(): { image: Map<string, Uint8Array>; starts: number[] } {
  const world = new StorageWorld();
  const opened = world.open();
  const starts: number[] = [];
  for (const from of [1, 11, 21]) {
    starts.push(world.disk.image().get(SEGMENT)?.length ?? 0);
    world.append(opened, batch({ hardState: { term: from, vote: 'b' }, entries: entries(from, from + 9, from, 120) }));
  }
  return { image: world.disk.image(), starts };
}

function reopened(image: Map<string, Uint8Array>): { error: StorageError | null; lastIndex: number; notes: string } {
  const { error, opened } = new StorageWorld(image).tryOpen(null);
  return { error, lastIndex: opened?.recovered.lastIndex ?? -1, notes: opened?.notes.join(' ') ?? '' };
}

function flipped(
  image: ReadonlyMap<string, Uint8Array>,
  path: string,
  offset: number,
  bit = 1,
): Map<string, Uint8Array> {
  const copy = new Map([...image].map(([name, bytes]) => [name, bytes.slice()]));
  const bytes = copy.get(path);
  if (bytes === undefined) throw new Error(`no ${path}`);
  bytes[offset] = (bytes[offset] ?? 0) ^ bit;
  return copy;
}

describe('a flipped bit', () => {
  test.each([0, 2])("in an entry's header, in batch %i, marks that entry and nothing else", (which) => {
    const { image, starts } = threeBatches();
    const world = new StorageWorld(flipped(image, SEGMENT, (starts[which] ?? 0) + 10));
    const opened = world.open(null);
    const index = which * 10 + 1;
    expect(opened.recovered.faulty).toEqual([{ index, term: index, kind: null }]);
    expect(opened.recovered).toMatchObject({ lastIndex: 30, hardState: { term: 21, vote: 'b' } });
    expect(opened.notes.join(' ')).toContain(`'${SEGMENT}' is damaged at offset ${starts[which]}: entry ${index}`);
    expect(world.tryRead(opened, index, 30).error).toMatchObject({ code: 'FaultyEntry', path: SEGMENT, index });
    expect(world.read(opened, index + 1, 30)).toHaveLength(30 - index);
  });

  test("in an entry's header is undone for good by the entry that another server sends", () => {
    const { image, starts } = threeBatches();
    const world = new StorageWorld(flipped(image, SEGMENT, (starts[1] ?? 0) + 10));
    const opened = world.open(null);
    const repairs = entries(11, 11, 11, 120);
    expect(world.append(opened, batch({ repairs, entries: entries(31, 32, 22, 50) }))).toBeNull();
    const later = new StorageWorld(world.disk.image());
    const again = later.open(null);
    for (const [where, storage] of [
      [world, opened],
      [later, again],
    ] as const) {
      expect(where.read(storage, 11, 11)).toEqual(repairs);
      const all = [10, 11, 12].flatMap((index) => where.read(storage, index, index));
      expect(all.map(({ index }) => index)).toEqual([10, 11, 12]);
      expect(where.read(storage, 30, 32)).toHaveLength(3);
    }
    expect(again.recovered).toMatchObject({ faulty: [], lastIndex: 32 });
    expect(again.notes).toEqual([]);
  });

  test('in a seal loses nothing if another follows', () => {
    const { image, starts } = threeBatches();
    for (let back = 1; back <= 72; back++) {
      const world = new StorageWorld(flipped(image, SEGMENT, (starts[1] ?? 0) - back));
      const opened = world.open(null);
      expect(opened.recovered, `${back} bytes before the end`).toMatchObject({
        lastIndex: 30,
        faulty: [],
        hardState: { term: 21, vote: 'b' },
      });
      expect(world.read(opened, 1, 30)).toHaveLength(30);
    }
  });

  test.each([0, 2])("in an entry's data, in batch %i, marks that entry and nothing else", (which) => {
    const { image, starts } = threeBatches();
    const world = new StorageWorld(flipped(image, SEGMENT, (starts[which] ?? 0) + RECORD_HEADER_BYTES + 10));
    const opened = world.open(null);
    const index = which * 10 + 1;
    expect(opened.recovered.faulty).toEqual([{ index, term: index, kind: 1 }]);
    expect(opened.recovered.lastIndex).toBe(30);
    expect(opened.recovered.tail[0]?.index).toBe(index + 1);
    expect(opened.notes.join(' ')).toContain(`'${SEGMENT}' is damaged at offset ${starts[which]}: entry ${index}`);
    expect(world.tryRead(opened, index, 30).error).toMatchObject({ code: 'FaultyEntry', path: SEGMENT, index });
    expect(world.read(opened, index + 1, index + 5)).toHaveLength(5);
    if (index > 1) expect(world.read(opened, index - 1, 30)).toHaveLength(1);
  });

  test('is undone by the entry that another server sends, to the last byte', () => {
    const { image, starts } = threeBatches();
    const world = new StorageWorld(flipped(image, SEGMENT, (starts[1] ?? 0) + RECORD_HEADER_BYTES + 10));
    const opened = world.open(null);
    const [whole] = entries(11, 11, 11, 120);
    expect(world.append(opened, batch({ repairs: whole === undefined ? [] : [whole] }))).toBeNull();
    expect(world.read(opened, 11, 11)).toEqual([whole]);
    const mended = world.disk.image().get(SEGMENT) ?? new Uint8Array(0);
    const before = image.get(SEGMENT) ?? new Uint8Array(0);
    expect(mended.subarray(0, before.length)).toEqual(before);
    expect(new StorageWorld(world.disk.image()).open(null).recovered.faulty).toEqual([]);
  });

  test('is not undone by an entry that never stood there', () => {
    const { image, starts } = threeBatches();
    const world = new StorageWorld(flipped(image, SEGMENT, (starts[1] ?? 0) + RECORD_HEADER_BYTES + 10));
    const opened = world.open(null);
    const error = world.append(opened, batch({ repairs: entries(11, 11, 11, 121) }));
    expect(error).toMatchObject({ code: 'CorruptLog', index: 11 });
  });

  test('met while reading is told, and what stands before it is read', () => {
    const world = new StorageWorld();
    const opened = world.open();
    world.append(opened, batch({ entries: entries(1, 40, 1, 120) }));
    const bytes = world.disk.image().get(SEGMENT) ?? new Uint8Array(0);
    const rotten = new StorageWorld(world.disk.image());
    const again = rotten.open(null);
    const place = bytes.findIndex(
      (_, at) =>
        viewOf(bytes).byteLength > at + 48 &&
        bytes[at + 12] === 1 &&
        viewOf(bytes).getUint32(at + 32, true) === 20 &&
        viewOf(bytes).getUint32(at + 24, true) === at,
    );
    rotten.disk.submit(
      [{ op: 'write', path: SEGMENT, offset: place + RECORD_HEADER_BYTES, bytes: new Uint8Array([1, 2, 3]) }],
      () => undefined,
    );
    rotten.run();
    expect(rotten.read(again, 15, 40).map(({ index }) => index)).toEqual([15, 16, 17, 18, 19]);
    expect(rotten.tryRead(again, 20, 40).error).toMatchObject({ code: 'FaultyEntry', index: 20 });
    expect(rotten.append(again, batch({ repairs: entries(20, 20, 1, 120) }))).toBeNull();
    expect(rotten.read(again, 15, 40)).toHaveLength(26);
  });

  test('in the last seal is not taken for a torn write', () => {
    const { image } = threeBatches();
    const end = image.get(SEGMENT)?.length ?? 0;
    for (let back = 1; back <= 60; back++) {
      const { error } = reopened(flipped(image, SEGMENT, end - back));
      expect(error?.code, `${back} bytes before the end`).toBe('CorruptLog');
    }
  });

  test('anywhere in any file is noticed, or changes nothing', { timeout: 60_000 }, () => {
    const check = fc.property(fc.nat(), (seed) => {
      const draw = draws(seed);
      const world = new StorageWorld();
      const life = new StorageLife(world, world.open(), firstState, draw);
      for (let acts = 0; acts < 12 && life.act(); acts++);
      world.run();
      const state = life.state;
      const image = world.disk.image();
      for (let tries = 0; tries < 40; tries++) {
        const paths = [...image.keys()];
        const path = paths[draw(paths.length)] ?? '';
        const length = image.get(path)?.length ?? 0;
        if (length === 0) continue;
        const offset = draw(2) === 0 ? draw(Math.min(length, 2000)) : draw(length);
        assertNoticed(flipped(image, path, offset, 1 << draw(8)), state, `${path} at ${offset}`);
      }
    });
    assertLong(check, { numRuns: Number(process.env['QUORATE_STORAGE_RUNS'] ?? 60) });
    expect.assertions(0);
  });
});

/** Opening fails, or finds everything; a snapshot's slices are checked when they are read. */
function assertNoticed(image: Map<string, Uint8Array>, state: ModelState, where: string): void {
  const world = new StorageWorld(image);
  const { error, opened } = world.tryOpen(null);
  if (error !== null || opened === null) return;
  const wrong = difference(world, opened, state);
  if (wrong !== null) throw new Error(`A flipped bit in ${where} went unnoticed: ${wrong}`);
}

test('a last batch without its seal is dropped, and the next one takes its place', () => {
  const { image, starts } = threeBatches();
  const bytes = image.get(SEGMENT) ?? new Uint8Array(0);
  image.set(SEGMENT, bytes.slice(0, (starts[2] ?? 0) + 700));
  const world = new StorageWorld(image);
  const opened = world.open(null);
  expect(opened.recovered).toMatchObject({ lastIndex: 20, hardState: { term: 11, vote: 'b' } });
  expect(opened.notes.join()).toContain('A crash cut off the last batch');
  expect(world.append(opened, batch({ entries: entries(21, 22, 30) }))).toBeNull();
  const later = new StorageWorld(world.disk.image());
  const again = later.open(null);
  expect(again.notes).toEqual([]);
  expect(later.read(again, 20, 22)).toEqual([...entries(20, 20, 11, 120), ...entries(21, 22, 30)]);
});

describe('a file that is not what it should be', () => {
  test('a missing last segment is noticed', () => {
    const { image } = manySegments();
    const last = segmentsOf(image).at(-1) ?? '';
    image.delete(last);
    expect(reopened(image).error).toMatchObject({ code: 'CorruptLog', path: last });
  });

  test('a missing segment in the middle is noticed', () => {
    const { image } = manySegments();
    const middle = segmentsOf(image)[2] ?? '';
    image.delete(middle);
    expect(reopened(image).error).toMatchObject({ code: 'CorruptLog', path: middle });
  });

  test('two segments that changed places are noticed', () => {
    const { image } = manySegments();
    const [, second = '', third = ''] = segmentsOf(image);
    const [a, b] = [image.get(second), image.get(third)];
    image.set(second, b ?? new Uint8Array(0)).set(third, a ?? new Uint8Array(0));
    expect(reopened(image).error).toMatchObject({ code: 'CorruptLog', path: second });
  });

  test('a segment of another server is refused as foreign', () => {
    const other = new StorageWorld();
    other.open({ ...creation, identity: { ...creation.identity, incarnation: '00000000000000bb' } });
    const { image } = threeBatches();
    image.set(SEGMENT, other.disk.image().get(SEGMENT) ?? new Uint8Array(0));
    const { error } = reopened(image);
    expect(error?.code).toBe('ForeignDirectory');
    expect(error?.message).toContain('00000000000000bb');
  });

  test('a segment that is no segment is refused as foreign', () => {
    const { image } = threeBatches();
    image.set(SEGMENT, new Uint8Array(4096).fill(65));
    expect(reopened(image).error).toMatchObject({ code: 'ForeignDirectory', path: SEGMENT });
  });

  test('a segment of a later format is refused as such', () => {
    const { image } = threeBatches();
    const bytes = image.get(SEGMENT) ?? new Uint8Array(0);
    viewOf(bytes).setUint32(12, 3, true);
    viewOf(bytes).setUint32(8, crc32c(bytes, 12, SEGMENT_HEADER_BYTES), true);
    expect(reopened(image).error).toMatchObject({ code: 'UnsupportedVersion', path: SEGMENT });
  });

  test('an entry of a kind that is not known stops the server', () => {
    const { image, starts } = threeBatches();
    const bytes = image.get(SEGMENT) ?? new Uint8Array(0);
    const at = starts[0] ?? 0;
    bytes[at + 13] = 77;
    const checksum = crc32c(bytes, at + 4, at + RECORD_HEADER_BYTES, identitySeed(creation.identity));
    viewOf(bytes).setUint32(at, checksum, true);
    const { error } = reopened(image);
    expect(error).toMatchObject({ code: 'UnknownEntryKind', path: SEGMENT, offset: at });
    expect(error?.message).toContain('kind 77');
  });
});

describe('the two-slot file', () => {
  test('is mended when one copy is bad', () => {
    for (const offset of [0, 30, 4096, 4200]) {
      const { image } = threeBatches();
      const { error, lastIndex, notes } = reopened(flipped(image, HARD_STATE_PATH, offset));
      expect(error).toBeNull();
      expect(lastIndex).toBe(30);
      expect(notes).toContain('A copy in');
    }
  });

  test('is written anew from the log when both are bad: the last seal is newer', () => {
    const { image } = threeBatches();
    const world = new StorageWorld(flipped(flipped(image, HARD_STATE_PATH, 100), HARD_STATE_PATH, 4196));
    const opened = world.open(null);
    expect(opened.recovered.hardState).toEqual({ term: 21, vote: 'b' });
    expect(opened.identity).toEqual(creation.identity);
    expect(new StorageWorld(world.disk.image()).open(null).notes).toEqual([]);
  });

  test('and the log both bad: term and vote are never guessed', () => {
    const { image } = threeBatches();
    image.set(HARD_STATE_PATH, new Uint8Array(4608).fill(0));
    const bytes = image.get(SEGMENT) ?? new Uint8Array(0);
    bytes.fill(0, SEGMENT_HEADER_BYTES);
    expect(reopened(image).error?.code).toBe('CorruptState');
  });

  test('of another program, with no segment of a log beside it, is refused as foreign', () => {
    const { image } = threeBatches();
    image.set(HARD_STATE_PATH, new Uint8Array(8192).fill(66));
    for (const name of segmentsOf(image)) image.delete(name);
    image.set('wal/other', new Uint8Array(1));
    expect(reopened(image).error).toMatchObject({ code: 'ForeignDirectory', path: HARD_STATE_PATH });
  });

  test('missing is a loss, not a new directory', () => {
    const { image } = threeBatches();
    image.delete(HARD_STATE_PATH);
    expect(reopened(image).error).toMatchObject({ code: 'CorruptState', path: HARD_STATE_PATH });
  });

  test('knows of batches that the log lost', () => {
    const { image } = manySegments();
    const last = segmentsOf(image).at(-1) ?? '';
    const bytes = image.get(last) ?? new Uint8Array(0);
    image.set(last, new Uint8Array(bytes.length));
    expect(reopened(image).error?.code).toBe('CorruptLog');
  });
});

describe('whose directory it is', () => {
  test('a directory of another member is refused', () => {
    const { image } = threeBatches();
    const other = { ...creation, identity: { ...creation.identity, member: 'z' } };
    const { error } = new StorageWorld(image).tryOpen(other);
    expect(error?.code).toBe('ForeignDirectory');
    expect(error?.message).toContain("member 'a'");
  });

  test('a new incarnation does not replace the one that lives there', () => {
    const { image } = threeBatches();
    const other = { ...creation, identity: { ...creation.identity, incarnation: '00000000000000ff' } };
    expect(new StorageWorld(image).open(other).identity.incarnation).toBe('00000000000000aa');
  });

  test('a directory with files of somebody else is not begun', () => {
    const image = new Map([['thesis.doc', new Uint8Array(3)]]);
    const { error } = new StorageWorld(image).tryOpen();
    expect(error?.code).toBe('ForeignDirectory');
    expect(error?.message).toContain('thesis.doc');
  });

  test('an identity out of bounds is a mistake of the caller', () => {
    const wrong = { ...creation, identity: { ...creation.identity, clusterId: 'main' } };
    expect(() => new StorageWorld().tryOpen(wrong)).toThrow(RangeError);
  });
});

function manySegments(): { image: Map<string, Uint8Array> } {
  const world = new StorageWorld();
  const opened = world.open();
  for (let from = 1; from <= 1000; from += 50)
    world.append(opened, batch({ entries: entries(from, from + 49, 1, 300) }));
  return { image: world.disk.image() };
}

function segmentsOf(image: ReadonlyMap<string, Uint8Array>): string[] {
  return [...image.keys()].filter((name) => name.endsWith('.wal')).sort();
}
