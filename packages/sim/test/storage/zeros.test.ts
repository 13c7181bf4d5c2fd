/**
 * Payloads of zeros look like sectors that were never written, and so rot beside them like a write that a crash cut off. Found by
 * random lives, seed 15000: a whole newest batch, acknowledged, was dropped in silence.
 */
import { expect, test } from 'vitest';
import { RandomStream } from '@quorate/sim';
import { batch, entries, entry, StorageBench } from '../support/storage-bench.ts';

const SEGMENT = 'wal/0000000001.wal';
const zeros = (index: number) => ({ ...entry(index, 1, 3000), data: new Uint8Array(3000) });

test('rot in the newest batch is noticed, though sectors of zeros stand in it', () => {
  for (let from = 700; from <= 2900; from += 100) {
    const bench = new StorageBench(new RandomStream(1));
    const opened = bench.open();
    bench.append(opened, batch({ hardState: { term: 1, vote: 'a' }, entries: entries(1, 3, 1) }));
    bench.append(opened, batch({ entries: [zeros(4)] }));
    const file = bench.disk.volume.file(SEGMENT);
    const end = file?.durable.length ?? 0;
    // The end of the payload and the seal behind it.
    file?.overwriteAtRest(end - from, new Uint8Array(from).fill(0xa5));
    bench.restart('power');
    expect(bench.tryOpen().error, `${from} bytes`).toMatchObject({ code: 'CorruptLog', path: SEGMENT });
  }
});

test('a torn write of zeros is still a torn write', () => {
  let torn = 0;
  let marked = 0;
  for (let seed = 0; seed < 200; seed++) {
    const bench = new StorageBench(new RandomStream(seed));
    const opened = bench.open();
    bench.append(opened, batch({ hardState: { term: 1, vote: 'a' }, entries: entries(1, 3, 1) }));
    opened.storage.append([batch({ entries: [zeros(4), entry(5, 1, 3000)] })], () => undefined);
    bench.restart('power');
    const { error, opened: again } = bench.tryOpen();
    expect(error).toBeNull();
    // A seal that arrived before the rest of its batch tells what is missing.
    expect([3, 5]).toContain(again?.recovered.lastIndex);
    if (again?.recovered.lastIndex === 3 && again.notes.join().includes('cut off')) torn++;
    if ((again?.recovered.faulty.length ?? 0) > 0) marked++;
  }
  expect(torn).toBeGreaterThan(5);
  expect(marked).toBeGreaterThan(5);
});
