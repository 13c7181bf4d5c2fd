/** Logs of version 1, whose seals do not say how the log looks. */
import { describe, expect, test } from 'vitest';
import { encodeBatch } from '../src/wal/batch.ts';
import { identitySeed, SEGMENT_HEADER_BYTES, segmentPath } from '../src/wal/format.ts';
import { HARD_STATE_PATH } from '../src/wal/hard-state-file.ts';
import { batch, creation, entries, StorageWorld } from './support/storage-world.ts';

const FIRST = segmentPath(1);

/** A directory as version 1 wrote it: three batches of ten entries. */
function directory(): Map<string, Uint8Array> {
  const world = new StorageWorld();
  world.open();
  const image = world.disk.image();
  const { identity } = creation;
  const seed = identitySeed(identity);
  const header = { version: 1, identity, segment: 1, firstIndex: 1, baseTerm: 0, chain: seed };
  let [offset, chain] = [SEGMENT_HEADER_BYTES, seed];
  const parts: Uint8Array[] = [];
  for (let sequence = 1; sequence <= 3; sequence++) {
    const change = {
      snapshot: null,
      rewritten: [],
      parts: [{ truncateFrom: 0, truncateTerm: 0, entries: entries(10 * sequence - 9, 10 * sequence, 1, 100) }],
      hardState: { term: sequence, vote: 'b' },
      lastIndex: 10 * sequence,
    };
    const place = { segment: 1, offset, chain, sequence, seed, outline: null };
    const encoded = encodeBatch(change, place, sequence === 1 ? header : null);
    parts.push(encoded.bytes);
    [offset, chain] = [encoded.end, encoded.chain];
  }
  return image.set(FIRST, new Uint8Array(Buffer.concat(parts)));
}

describe('a log of version 1', () => {
  test('opens, and goes on in a segment of the present version', () => {
    const world = new StorageWorld(directory());
    const opened = world.open(null);
    expect(opened.recovered).toMatchObject({ lastIndex: 30, hardState: { term: 3, vote: 'b' }, faulty: [] });
    expect(world.append(opened, batch({ entries: entries(31, 40, 3, 100) }))).toBeNull();
    expect(world.append(opened, batch({ entries: entries(41, 50, 3, 100) }))).toBeNull();
    const image = world.disk.image();
    expect(image.has(segmentPath(2))).toBe(true);
    expect(image.has(segmentPath(3))).toBe(false);
    const later = new StorageWorld(image);
    const again = later.open(null);
    expect(again.recovered).toMatchObject({ lastIndex: 50, faulty: [] });
    expect(later.read(again, 25, 45)).toEqual([...entries(25, 30, 1, 100), ...entries(31, 45, 3, 100)]);
  });

  test("with a damaged record's header is refused, since nobody noted what stood there", () => {
    const image = directory();
    const bytes = image.get(FIRST) ?? new Uint8Array(0);
    bytes[SEGMENT_HEADER_BYTES + 20] = 0xff;
    const { error } = new StorageWorld(image).tryOpen(null);
    expect(error).toMatchObject({ code: 'CorruptLog', path: FIRST, offset: SEGMENT_HEADER_BYTES });
    expect(error?.message).toContain('it was written by an earlier version');
  });

  test('with damage is followed by batches that say how the log looks, and then opens', () => {
    const world = new StorageWorld(directory());
    world.append(world.open(null), batch({ entries: entries(31, 40, 3, 100) }));
    const image = world.disk.image();
    const bytes = image.get(FIRST) ?? new Uint8Array(0);
    // The end of its last batch: the next seal that can be read is of the present version.
    bytes.fill(0, bytes.length - 1000);
    const { recovered } = new StorageWorld(image).open(null);
    expect(recovered.lastIndex).toBe(40);
    expect(recovered.faulty.map(({ index }) => index)).toEqual([24, 25, 26, 27, 28, 29, 30]);
  });

  test('whose two-slot file is damaged opens as well', () => {
    const image = directory();
    image.get(HARD_STATE_PATH)?.fill(7, 0, 512);
    expect(new StorageWorld(image).open(null).recovered.lastIndex).toBe(30);
  });
});
