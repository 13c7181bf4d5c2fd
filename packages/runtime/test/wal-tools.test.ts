import { describe, expect, test } from 'vitest';
import type { StorageError } from '../src/storage.ts';
import { dumpWal, type WalDumpSummary } from '../src/wal/dump.ts';
import { planWalRepair, repairWalDropTail, type WalRepairPlan } from '../src/wal/repair.ts';
import { viewOf } from '../src/bytes.ts';
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
      '         512  seal      batch 1  records 0  term 0  vote none  last index 0  chain ok',
      '         576  entry     index 1  term 2  command  length 32',
      '         656  entry     index 2  term 2  command  length 32',
      '         736  seal      batch 2  records 2  term 2  vote b  last index 2  chain ok',
      '         800  truncate  from index 2  behind an entry of term 2',
      '         848  entry     index 2  term 3  command  length 5',
      '         904  seal      batch 3  records 2  term 2  vote b  last index 2  chain ok',
      '         968  end       3 batches, 0 bytes of zeros follow',
    ]);
  });

  test('goes on behind damage and says what it is', () => {
    const { image, starts } = logOf([1, 2, 3]);
    const { lines, summary } = dump(new StorageWorld(spoil(image, FIRST, (starts[1] ?? 0) + 20)));
    expect(summary?.problems).toBe(1);
    expect(lines.at(-1)).toContain(
      `${starts[1]}  corrupt: the batch at offset ${starts[2]} behind it proves that it was durable`,
    );
  });

  test('of a directory without one is an error', () => {
    expect(dump(new StorageWorld()).error?.code).toBe('ForeignDirectory');
  });
});

describe('repairing a log by dropping its end', () => {
  test('says exactly what would go, does it when told, and keeps term and vote', () => {
    const { image, starts } = logOf([1, 2, 3]);
    const damaged = spoil(image, FIRST, (starts[2] ?? 0) + 20);
    const world = new StorageWorld(damaged);
    const found = plan(world).plan;
    expect(found).toMatchObject({
      path: FIRST,
      offset: starts[2],
      verdict: 'sealed',
      keepsThrough: 20,
      // The index of the one that is damaged cannot be read.
      droppedEntries: 9,
      droppedIndexes: [22, 30],
      droppedTerms: [3, 3],
      droppedSegments: [],
      hardState: { term: 3, vote: 'b' },
    });
    expect(found?.text).toContain('at least 9 entries, index 22 to 30, term 3 to 3');
    expect(new StorageWorld(world.disk.image()).tryOpen(null).error?.code).toBe('CorruptLog');

    expect(world.wait((done) => repairWalDropTail(world.disk, found as WalRepairPlan, done))).toBeNull();
    const later = new StorageWorld(world.disk.image());
    const opened = later.open(null);
    expect(opened.recovered).toMatchObject({ lastIndex: 20, hardState: { term: 3, vote: 'b' } });
    expect(later.append(opened, batch({ entries: entries(21, 25, 4) }))).toBeNull();
    expect(new StorageWorld(later.disk.image()).open(null).recovered.lastIndex).toBe(25);
  });

  test('drops the segments behind the damage, and votes for nobody where a vote may be lost', () => {
    const world = new StorageWorld();
    const opened = world.open();
    for (let from = 1; from <= 1000; from += 50) {
      const hardState = { term: from, vote: null };
      world.append(opened, batch({ hardState, entries: entries(from, from + 49, from, 300) }));
    }
    // In a record's header, so that nobody can tell what stood there: they are a few hundred bytes apart.
    const image = world.disk.image();
    const third = viewOf(image.get('wal/0000000003.wal') ?? new Uint8Array(0));
    let at = 30_000;
    while (third.getUint32(at + 24, true) !== at || third.getUint8(at + 12) !== 1) at += 8;
    const damaged = new StorageWorld(spoil(image, 'wal/0000000003.wal', at + 20));
    const found = plan(damaged).plan;
    expect(found?.droppedSegments.length).toBeGreaterThan(1);
    expect(found?.droppedIndexes?.[1]).toBe(1000);
    expect(found?.hardState).toEqual({ term: 951, vote: '-' });
    expect(damaged.wait((done) => repairWalDropTail(damaged.disk, found as WalRepairPlan, done))).toBeNull();
    const later = new StorageWorld(damaged.disk.image());
    const { recovered } = later.open(null);
    expect(recovered.lastIndex).toBe(found?.keepsThrough);
    expect(recovered.hardState).toEqual({ term: 951, vote: '-' });
  });

  test('cut off by a crash anywhere, never forgets the vote', () => {
    const { image, starts } = logOf([1, 2, 3]);
    const damaged = spoil(image, FIRST, (starts[1] ?? 0) + 20);
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
        expect([{ code: 'CorruptLog' }, { lastIndex: 10, hardState: { term: 3, vote: 'b' } }]).toContainEqual(
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
    const agreed = plan(new StorageWorld(spoil(image, FIRST, (starts[1] ?? 0) + 20))).plan as WalRepairPlan;
    const other = new StorageWorld(spoil(image, FIRST, (starts[2] ?? 0) + 20));
    const error = other.wait<StorageError | null>((done) => repairWalDropTail(other.disk, agreed, done));
    expect(error?.message).toContain('changed since the plan');
  });

  test('is refused when nothing would be left', () => {
    const { image } = logOf([1, 2, 3]);
    const { error } = plan(new StorageWorld(spoil(image, FIRST, 520)));
    expect(error?.code).toBe('CorruptState');
    expect(error?.message).toContain('Remove the member');
  });
});
