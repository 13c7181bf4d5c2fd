/**
 * The real storage alone, over a disk that does what disks do. Random lives, ended at any moment by a crash of the process or a power
 * cut; after each, opening must find what was promised (invariants D2, D6, D9, E6 of docs/invariants.md).
 */
import { expect, test } from 'vitest';
import { RandomStream } from '@quorate/sim';
import { liveAll, type LivesPlan, type LivesResult } from '../support/storage-lives.ts';

const SEEDS = Number(process.env['QUORATE_STORAGE_SEEDS'] ?? 150);
const FIRST = Number(process.env['QUORATE_STORAGE_FIRST_SEED'] ?? 0);

/** A different plan for each seed; the result says what happened, so that a test can see that it was not idle. */
function campaign(plan: (stream: RandomStream) => LivesPlan): LivesResult {
  const total: LivesResult = { lives: 0, appends: 0, snapshots: 0, installs: 0, refused: 0, damage: 0, full: 0 };
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    let result: LivesResult;
    try {
      result = liveAll(seed, plan(new RandomStream(seed)));
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`Seed ${seed}: ${message}`, { cause });
    }
    for (const key of Object.keys(total) as (keyof LivesResult)[]) total[key] += result[key];
  }
  return total;
}

test('a disk that fails in no way but by crashes keeps every promise', () => {
  const result = campaign(() => ({ faults: {}, policy: 'none' }));
  expect(result.lives).toBeGreaterThan(SEEDS * 4);
  expect(result.snapshots).toBeGreaterThan(SEEDS);
  expect(result.installs).toBeGreaterThan(SEEDS / 4);
});

test('errors of the disk cost availability, never a promise', () => {
  const result = campaign((stream) => ({
    faults: {
      readError: stream.pick([0, 0, 5, 30]),
      writeError: stream.pick([0, 0, 5, 30]),
      syncError: stream.pick([0, 10, 50]),
      slow: stream.pick([0, 100]),
      slowMicros: 1_000_000,
    },
    policy: 'none',
  }));
  expect(result.appends).toBeGreaterThan(SEEDS * 10);
});

test('a disk that others fill and free again loses nothing', () => {
  const result = campaign((stream) => ({
    faults: { slow: stream.pick([0, 100]), slowMicros: 1_000_000 },
    policy: 'none',
    capacity: stream.pick([600 << 10, 1 << 20]),
  }));
  expect(result.appends).toBeGreaterThan(SEEDS * 10);
  expect(result.full).toBeGreaterThan(SEEDS / 2);
});

test('damage is noticed, or changes nothing', () => {
  const result = campaign((stream) => ({
    faults: {
      bitRot: stream.pick([0, 20, 100]),
      lostWrite: stream.pick([0, 10, 50]),
      misdirectedWrite: stream.pick([0, 10, 50]),
      misdirectedRead: stream.pick([0, 0, 10]),
      syncError: stream.pick([0, 0, 10]),
    },
    policy: 'noticeable',
  }));
  expect(result.damage).toBeGreaterThan(SEEDS / 4);
});

test('everything at once', () => {
  const result = campaign((stream) => ({
    faults: {
      readError: stream.pick([0, 10]),
      writeError: stream.pick([0, 10]),
      syncError: stream.pick([0, 20]),
      slow: 50,
      slowMicros: 1_000_000,
      bitRot: stream.pick([20, 100]),
      lostWrite: stream.pick([0, 20]),
      misdirectedWrite: stream.pick([0, 20]),
      misdirectedRead: stream.pick([0, 5]),
    },
    policy: 'noticeable',
    capacity: stream.pick([600 << 10, 2 << 20]),
  }));
  expect(result.damage).toBeGreaterThan(SEEDS / 4);
  expect(result.refused).toBeGreaterThan(SEEDS / 10);
});
