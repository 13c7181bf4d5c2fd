import type { SeedReport } from '@quorate/sim';
import { runCampaign } from '@quorate/sim/node';
import { expect, test } from 'vitest';

/** Other seeds at every change of the code would find more, and fail for reasons that nobody can see in the change. */
const SEEDS = 200;

test(`${SEEDS} seeds: clusters of all sizes under all faults break nothing, and heal`, async () => {
  const reports: SeedReport[] = [];
  await runCampaign({
    firstSeed: 0,
    seeds: SEEDS,
    threads: 2,
    limits: { faultSeconds: 15 },
    signal: new AbortController().signal,
    onReport: (report) => reports.push(report),
  });
  const failed = reports.flatMap(({ seed, failure }) => {
    if (failure === null) return [];
    const { kind, invariant, first, second } = failure;
    return [
      `${kind} ${invariant}: ${first}; but ${second} (again: quorate sim --seeds 1 --first-seed ${seed} --seconds 15)`,
    ];
  });
  expect(failed).toEqual([]);
  expect(reports).toHaveLength(SEEDS);
  expect(reports.filter(({ twice }) => twice)).toHaveLength(SEEDS / 20);
}, 170_000);

test('a campaign that is given up ends with the seeds under way', async () => {
  const ending = new AbortController();
  const seeds: number[] = [];
  await runCampaign({
    firstSeed: 500,
    seeds: 1000,
    threads: 2,
    limits: { servers: 3, faultSeconds: 1 },
    signal: ending.signal,
    onReport: ({ seed }) => {
      seeds.push(seed);
      ending.abort();
    },
  });
  expect(seeds.length).toBeLessThanOrEqual(2);
});
