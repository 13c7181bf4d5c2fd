import { describe, expect, test } from 'vitest';
import type { StorageError } from '../src/storage.ts';
import { dumpWal, type WalDumpSummary } from '../src/wal/dump.ts';
import { planWalRepair, repairWalDropTail, type WalRepairPlan } from '../src/wal/repair.ts';
import { batch, entries, StorageWorld } from './support/storage-world.ts';

const FIRST = 'wal/0000000001.wal';

/** A batch of ten entries for each term given, each with a vote. */
function logOf(terms: readonly number[]): { image: Map<string, Uint8Array>; starts: number[] } {
  const world = new StorageWorld();
  const opened = world.open();
  const starts: number[] = [];
  terms.forEach((term, at) => {
    starts.push(world.disk.image().get(FIRST)?.length ?? 0);
    const added = entries(at * 10 + 1, at * 10 + 10, term, 100);
    world.append(opened, batch({ hardState: { term, vote: 'b' }, entries: added }));
  });
  return { image: world.disk.image(), starts };
}

function spoil(image: Map<string, Uint8Array>, path: string, offset: number): Map<string, Uint8Array> {
  const bytes = image.get(path)?.slice() ?? new Uint8Array(0);
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  return new Map(image).set(path, bytes);
}

/** Entries of a term each, of which more are lost at one place than a seal names. */
function manyTermsLost(): Map<string, Uint8Array> {
  const world = new StorageWorld();
  const opened = world.open();
  for (let index = 1; index <= 500; index++) {
    const hardState = { term: index, vote: null };
    world.append(opened, batch({ hardState, entries: entries(index, index, index, 300) }));
  }
  const image = world.disk.image();
  image.get('wal/0000000002.wal')?.fill(0xa5, 20_000, 30_000);
  return image;
}

function dump(world: StorageWorld): { lines: string[]; error: StorageError | null; summary: WalDumpSummary | null } {
  const lines: string[] = [];
  return world.wait((done) =>
    dumpWal(
      world.disk,
      (line) => lines.push(line),
      (error, summary) => done({ lines, error, summary }),
    ),
  );
}

function plan(world: StorageWorld): { error: StorageError | null; plan: WalRepairPlan | null } {
  return world.wait((done) => planWalRepair(world.disk, (error, found) => done({ error, plan: found })));
}

describe('dumping a log', () => {
  test('shows segments, records and seals', () => {
    const world = new StorageWorld();
    const opened = world.open();
    world.append(opened, batch({ hardState: { term: 2, vote: 'b' }, entries: entries(1, 2, 2) }));
    world.append(opened, batch({ truncateFrom: 2, entries: entries(2, 2, 3, 5) }));
    const { lines, summary } = dump(new StorageWorld(world.disk.image()));
    expect(summary).toEqual({ segments: 1, batches: 3, entries: 3, problems: 0 });
    expect(lines).toEqual([
      "directory of member 'a' (incarnation 00000000000000aa) of cluster 00000000000000c1, group 0",
      'hardstate  term 0  vote none  as of batch 1  segments 1 to 1',
      'segment 1  wal/0000000001.wal',
      '         512  seal      batch 1  records 0  term 0  vote none  last index 0  terms 0 from 0  chain ok',
      '         584  entry     index 1  term 2  command  length 32',
      '         664  entry     index 2  term 2  command  length 32',
      '         744  seal      batch 2  records 2  term 2  vote b  last index 2  terms 0 from 0, 2 from 1  chain ok',
      '         816  truncate  from index 2  behind an entry of term 2',
      '         864  entry     index 2  term 3  command  length 5',
      '         920  seal      batch 3  records 2  term 2  vote b  last index 2  terms 0 from 0, 2 from 1, 3 from 2  chain ok',
      '         992  end       3 batches, 0 bytes of zeros follow',
    ]);
  });

  test('goes on behind damage and says what it is', () => {
    const { image, starts } = logOf([1, 2, 3]);
    const { lines, summary } = dump(new StorageWorld(spoil(image, FIRST, (starts[1] ?? 0) + 20)));
    expect(summary).toMatchObject({ batches: 4, entries: 29, problems: 1 });
    expect(lines.find((line) => line.startsWith('!'))).toBe(
      `! ${String(starts[1]).padStart(12)}  152 bytes of segment 1 are damaged, or were written before what follows`,
    );
    expect(lines.filter((line) => line.includes('seal')).map((line) => line.slice(line.lastIndexOf('  ') + 2))).toEqual(
      ['chain ok', 'chain ok', 'behind damage', 'chain ok'],
    );
  });

  test('of a directory without one is an error', () => {
    expect(dump(new StorageWorld()).error?.code).toBe('ForeignDirectory');
  });
});

describe('repairing a log by dropping its end', () => {
  test('says exactly what would go, and does it when told', () => {
    const { image } = logOf([1, 2, 3]);
    // In the payload of the seal.
    const damaged = spoil(image, FIRST, (image.get(FIRST)?.length ?? 0) - 20);
    const world = new StorageWorld(damaged);
    const found = plan(world).plan;
    expect(found).toMatchObject({
      path: FIRST,
      offset: (image.get(FIRST)?.length ?? 0) - 72,
      verdict: 'sealed',
      keepsThrough: 20,
      droppedEntries: 10,
      droppedIndexes: [21, 30],
      droppedTerms: [3, 3],
      droppedSegments: [],
      // The vote stood in that seal.
      hardState: { term: 3, vote: '-' },
    });
    expect(found?.text).toContain('at least 10 entries, index 21 to 30, term 3 to 3');
    expect(new StorageWorld(world.disk.image()).tryOpen(null).error?.code).toBe('CorruptLog');

    expect(world.wait((done) => repairWalDropTail(world.disk, found as WalRepairPlan, done))).toBeNull();
    const later = new StorageWorld(world.disk.image());
    const opened = later.open(null);
    expect(opened.recovered).toMatchObject({ lastIndex: 20, hardState: { term: 3, vote: '-' } });
    expect(later.append(opened, batch({ entries: entries(21, 25, 4) }))).toBeNull();
    expect(new StorageWorld(later.disk.image()).open(null).recovered.lastIndex).toBe(25);
  });

  test('drops the segments behind the damage, and votes for nobody where a vote may be lost', () => {
    const damaged = new StorageWorld(manyTermsLost());
    expect(damaged.tryOpen(null).error?.message).toContain('which entries are lost cannot be told');
    const found = plan(damaged).plan;
    expect(found?.droppedSegments.length).toBeGreaterThan(1);
    expect(found?.droppedIndexes?.[1]).toBe(500);
    expect(found?.hardState).toEqual({ term: 500, vote: '-' });
    expect(damaged.wait((done) => repairWalDropTail(damaged.disk, found as WalRepairPlan, done))).toBeNull();
    const later = new StorageWorld(damaged.disk.image());
    const { recovered } = later.open(null);
    expect(recovered.lastIndex).toBe(found?.keepsThrough);
    expect(recovered.hardState).toEqual({ term: 500, vote: '-' });
  });

  test('cut off by a crash anywhere, never forgets that it may have voted', () => {
    const { image } = logOf([1, 2, 3]);
    const damaged = spoil(image, FIRST, (image.get(FIRST)?.length ?? 0) - 20);
    const agreed = plan(new StorageWorld(damaged)).plan as WalRepairPlan;
    const whole = new StorageWorld(damaged);
    whole.wait((done) => repairWalDropTail(whole.disk, agreed, done));
    for (let crashAt = 1; crashAt <= whole.disk.operations; crashAt++) {
      for (const keep of [0, 1]) {
        const world = new StorageWorld(damaged, { crashAt });
        repairWalDropTail(world.disk, agreed, () => undefined);
        world.run();
        const later = new StorageWorld(world.disk.crash((bound) => Math.min(keep, bound - 1)));
        const { error, opened } = later.tryOpen(null);
        const { lastIndex, hardState } = opened?.recovered ?? {};
        expect([{ code: 'CorruptLog' }, { lastIndex: 20, hardState: { term: 3, vote: '-' } }]).toContainEqual(
          error === null ? { lastIndex, hardState } : { code: error.code },
        );
      }
    }
  });

  test('has nothing to do in a sound log, or in one that is only torn', () => {
    const { image } = logOf([1, 2]);
    expect(plan(new StorageWorld(image))).toEqual({ error: null, plan: null });
    const bytes = image.get(FIRST) ?? new Uint8Array(0);
    expect(plan(new StorageWorld(image.set(FIRST, bytes.slice(0, -100))))).toEqual({ error: null, plan: null });
  });

  test('is refused when the log is not as the plan has it', () => {
    const { image, starts } = logOf([1, 2, 3]);
    const end = image.get(FIRST)?.length ?? 0;
    const agreed = plan(new StorageWorld(spoil(image, FIRST, end - 20))).plan as WalRepairPlan;
    // The first record of its batch as well.
    const other = new StorageWorld(spoil(spoil(image, FIRST, end - 20), FIRST, (starts[2] ?? 0) + 20));
    const error = other.wait<StorageError | null>((done) => repairWalDropTail(other.disk, agreed, done));
    expect(error?.message).toContain('changed since the plan');
  });

  test('is refused when nothing would be left', () => {
    const { image } = logOf([]);
    const { error } = plan(new StorageWorld(spoil(image, FIRST, 580)));
    expect(error?.code).toBe('CorruptState');
    expect(error?.message).toContain('Remove the member');
  });
});
