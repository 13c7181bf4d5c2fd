/** A disk that others fill while the server runs, and free again. */
import { describe, expect, test } from 'vitest';
import { RandomStream, Volume } from '@quorate/sim';
import { batch, entries, smallStorage, StorageBench } from '../support/storage-bench.ts';

const SECOND = 1_000_000;
const options = { ...smallStorage, reserveBytes: 64 << 10 };

/** A server that has written long enough to hold its reserve, with `taken` bytes of log behind it. */
function running(seed: number) {
  const bench = new StorageBench(new RandomStream(seed), {}, options, Volume.empty(4 << 20));
  const opened = bench.open();
  let last = 0;
  for (; bench.disk.volume.file('reserve')?.visible.length !== options.reserveBytes; last++) {
    expect(bench.append(opened, batch({ entries: entries(last + 1, last + 1, 1, 2000) }))).toBeNull();
    bench.time.run(bench.time.now() + SECOND);
  }
  bench.time.run(bench.time.now() + SECOND);
  return { bench, opened, last };
}

describe('while others hold all free space', () => {
  test('new writes are refused before they are appended, term and vote are recorded a hundred times, and room ends it', () => {
    for (let seed = 0; seed < 10; seed++) {
      const { bench, opened, last } = running(seed);
      const { volume } = bench.disk;
      volume.others = volume.free;
      bench.append(opened, batch({ hardState: { term: 2, vote: 'a' } }));
      bench.time.run(bench.time.now() + 10 * SECOND);
      expect(opened.storage.hasRoomFor(100_000, 50)).toBe(false);
      for (let term = 3; term <= 102; term++) {
        expect(bench.append(opened, batch({ hardState: { term, vote: 'b' } })), `term ${term}`).toBeNull();
      }
      volume.others = 0;
      bench.time.run(bench.time.now() + 10 * SECOND);
      expect(opened.storage.hasRoomFor(100_000, 50)).toBe(true);
      expect(bench.append(opened, batch({ entries: entries(last + 1, last + 40, 102, 2000) }))).toBeNull();
      bench.restart('power');
      expect(bench.open().recovered).toMatchObject({ lastIndex: last + 40, hardState: { term: 102, vote: 'b' } });
    }
  });

  test('a server that was down opens, and has its term and vote', () => {
    // So many that a power cut takes an unsynced name in some of them.
    for (let seed = 0; seed < 24; seed++) {
      const { bench, opened, last } = running(seed);
      expect(bench.append(opened, batch({ hardState: { term: 9, vote: 'c' } }))).toBeNull();
      bench.restart('power');
      bench.disk.volume.others = bench.disk.volume.free;
      const again = bench.open();
      expect(again.recovered).toMatchObject({ lastIndex: last, hardState: { term: 9, vote: 'c' } });
      for (let term = 10; term <= 30; term++) {
        expect(
          bench.append(again, batch({ hardState: { term, vote: null } })),
          `seed ${seed}, term ${term}`,
        ).toBeNull();
      }
    }
  });
});

test('an append that the full disk refused in the middle leaves nothing behind', () => {
  for (let seed = 0; seed < 20; seed++) {
    const bench = new StorageBench(new RandomStream(seed), {}, { ...options, reserveBytes: 0 }, Volume.empty(1 << 20));
    const opened = bench.open();
    expect(
      bench.append(opened, batch({ hardState: { term: 1, vote: 'a' }, entries: entries(1, 5, 1, 500) })),
    ).toBeNull();
    bench.disk.volume.others = bench.disk.volume.free - 6000;
    expect(bench.append(opened, batch({ entries: entries(6, 25, 1, 500) }))?.code).toBe('DiskFull');
    bench.restart(seed % 2 === 0 ? 'process' : 'power');
    const again = bench.open();
    expect(again.recovered).toMatchObject({ lastIndex: 5, hardState: { term: 1, vote: 'a' } });
    bench.disk.volume.others = 0;
    expect(bench.append(again, batch({ entries: entries(6, 8, 2, 500) }))).toBeNull();
    bench.restart('power');
    expect(bench.open().recovered.lastIndex).toBe(8);
  }
});
