/**
 * What only the system's cache knows. A killed process leaves what it wrote to be read, not to be kept; so does a failed sync. The next
 * life reads it and answers for it, and then the power goes. Found by random lives (storage/lives.test.ts), seeds 6, 217 and 1090.
 */
import { describe, expect, test } from 'vitest';
import type { SnapshotReceiver, StorageError } from '@quorate/runtime';
import { healthyDisk, RandomStream } from '@quorate/sim';
import { batch, creation, entries, StorageBench } from '../support/storage-bench.ts';
import { donatedSnapshot, readSnapshot } from '../support/storage-life.ts';

/** Chance decides what a power cut takes: every case is tried with many streams. */
const STREAMS = 60;

function everyStream(scenario: (bench: StorageBench) => void): void {
  for (let seed = 0; seed < STREAMS; seed++) scenario(new StorageBench(new RandomStream(seed)));
}

/** Steps on until the disk shows it, then kills the process. */
function killWhen(bench: StorageBench, shows: () => boolean): void {
  while (!shows()) if (!bench.time.step()) throw new Error('It never came to that.');
  bench.restart('process');
}

const length = (bench: StorageBench, path: string): number => bench.disk.volume.file(path)?.visible.length ?? 0;

describe('what an opening found outlives a power cut', () => {
  test('after a kill between write and sync', () => {
    everyStream((bench) => {
      const first = bench.open();
      const before = length(bench, 'wal/0000000001.wal');
      first.storage.append([batch({ hardState: { term: 3, vote: 'b' }, entries: entries(1, 5, 3, 900) })], () => {
        throw new Error('It was not to be confirmed.');
      });
      killWhen(bench, () => length(bench, 'wal/0000000001.wal') > before);
      const { lastIndex, hardState } = bench.open().recovered;
      bench.restart('power');
      expect(bench.open().recovered).toMatchObject({ lastIndex, hardState });
    });
  });

  test('after a sync that failed', () => {
    everyStream((bench) => {
      const first = bench.open();
      bench.disk.setFaults({ ...healthyDisk, syncError: 1000 });
      expect(
        bench.append(first, batch({ hardState: { term: 3, vote: 'b' }, entries: entries(1, 5, 3, 900) }))?.code,
      ).toBe('DiskFailed');
      bench.disk.setFaults(healthyDisk);
      bench.restart('process');
      const { lastIndex, hardState } = bench.open().recovered;
      bench.restart('power');
      expect(bench.open().recovered).toMatchObject({ lastIndex, hardState });
    });
  });

  test('after a kill when a segment had its name and its folder was not synced', () => {
    everyStream((bench) => {
      const first = bench.open();
      for (let index = 1; length(bench, 'wal/0000000002.wal') === 0; index++) {
        first.storage.append([batch({ entries: entries(index, index, 1, 9000) })], () => undefined);
        while (first.storage.logBytesSince(index - 1) === 0 && length(bench, 'wal/0000000002.wal') === 0)
          bench.time.step();
      }
      bench.restart('process');
      const second = bench.open();
      const next = second.recovered.lastIndex + 1;
      expect(bench.append(second, batch({ entries: entries(next, next, 1) }))).toBeNull();
      bench.restart('power');
      expect(bench.open().recovered.lastIndex).toBe(next);
    });
  });

  test('after a kill when the creation was complete but for the last sync', () => {
    everyStream((bench) => {
      bench.beginOpen(null, () => undefined);
      bench.time.run();
      bench.beginOpen(creation, () => undefined);
      killWhen(bench, () => length(bench, 'hardstate') > 0 && bench.disk.volume.file('unfinished') === null);
      const opened = bench.open();
      expect(bench.append(opened, batch({ entries: entries(1, 3, 1) }))).toBeNull();
      bench.restart('power');
      expect(bench.open().recovered.lastIndex).toBe(3);
    });
  });

  test('after a kill when only the first copy in `hardstate` told that old segments may go', () => {
    everyStream((bench) => {
      const first = bench.open();
      for (let index = 1; index <= 20; index++) bench.append(first, batch({ entries: entries(index, index, 1, 9000) }));
      const writer = first.storage.createSnapshot({ ...first.recovered.snapshot, index: 19, term: 1 });
      expect(bench.time.wait((done) => writer.commit(done))).toBeNull();
      const before = bench.disk.volume.file('hardstate')?.visible.read(0, 512).join();
      first.storage.compact(18, () => undefined);
      killWhen(bench, () => bench.disk.volume.file('hardstate')?.visible.read(0, 512).join() !== before);
      // The second life may die at any point of its opening.
      bench.beginOpen(null, () => undefined);
      for (let step = bench.time.now() % 23; step > 0; step--) bench.time.step();
      bench.restart('power');
      expect(bench.open().recovered.lastIndex).toBe(20);
    });
  });

  test('after a sync of a coming snapshot that failed, when the rest of it came later', () => {
    everyStream((bench) => {
      const opened = bench.open();
      const at = { index: 101, term: 7 };
      const file = donatedSnapshot(at);
      const metadata = { ...at, configuration: creation.configuration };
      const receive = (from: SnapshotReceiver | null, to: number): StorageError | null =>
        bench.time.wait((done) => from?.write(file.slice(from.offset, to), done));
      const begin = (): SnapshotReceiver | null =>
        bench.time.wait((done) =>
          opened.storage.receiveSnapshot(metadata, file.length, (_, receiver) => done(receiver)),
        );
      bench.disk.setFaults({ ...healthyDisk, syncError: 1000 });
      expect(receive(begin(), file.length - 20)?.code).toBe('DiskFailed');
      bench.disk.setFaults(healthyDisk);
      const receiver = begin();
      expect(receive(receiver, file.length)).toBeNull();
      expect(bench.time.wait((done) => receiver?.finish(done))).toBeNull();
      expect(bench.append(opened, batch({ hardState: { term: 7, vote: null }, snapshot: metadata }))).toBeNull();
      bench.restart('power');
      expect(bench.time.wait((done) => readSnapshot(bench.open(), done))).toBeNull();
    });
  });
});

test('a disk that reads its newest batch differently each time is not written to', () => {
  const bench = new StorageBench(new RandomStream(1));
  bench.append(bench.open(), batch({ entries: entries(1, 40, 1, 900) }));
  bench.restart('process');
  const path = 'wal/0000000001.wal';
  const file = bench.disk.volume.file(path);
  const sound = file?.visible.read(0, 1 << 20);
  let reads = 0;
  const { background } = bench.disk;
  const read = background.read.bind(background);
  // The first read of the records is right, the second is not.
  background.read = (at, offset, bytes, done) =>
    read(at, offset, bytes, (error, found) => {
      if (at === path && offset < 1024 && bytes > 4096 && ++reads === 2) found[2000] = (found[2000] ?? 0) ^ 1;
      done(error, found);
    });
  expect(bench.tryOpen().error).toMatchObject({ code: 'DiskFailed', path });
  expect(file?.visible.read(0, 1 << 20)).toEqual(sound);
});
