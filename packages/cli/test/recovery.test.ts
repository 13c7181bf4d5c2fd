import { describe, test } from 'vitest';
import { flippedBit, restartAll, snapshotCatchUp, tornTail } from '../src/acceptance/recovery.ts';
import { report } from './support/report.ts';

describe('servers that come back', () => {
  test('a follower that was down past the compaction point comes back by snapshot', async () => {
    await snapshotCatchUp({ report });
  }, 120_000);

  test('all servers stopped at once, by SIGTERM and by kill -9, continue where they were', async () => {
    await restartAll({ report });
  }, 120_000);

  test('a torn last batch is dropped', async () => {
    await tornTail({ report });
  }, 120_000);

  test('a flipped bit in the middle of a log is named with file and offset, and made good by the others; in the newest seal it stops that server, and only that one', async () => {
    await flippedBit({ report });
  }, 120_000);
});
