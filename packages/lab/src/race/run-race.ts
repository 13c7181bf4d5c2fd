/**
 * The other half of the race detector: of what is due at the same moment, any may come first. A test is run in several such orders, all
 * else being equal; one that passes in some and fails in others depends on who is faster.
 */
import type { Make } from '../interface.ts';
import { type RunOptions, runTest, type TestReport } from '../run-test.ts';
import type { LabTest } from '../suite/index.ts';
import { RaceFailure } from './shared-values.ts';

/** Orders that are tried of each test, counted from 0. */
export const racedOrders = 6;
/** Events that are shown of each of two orders. */
const SHOWN = 5;

/** The report says in which order it failed; all of it is decided by the seed, so that what fails fails again. */
export async function runRace(test: LabTest, make: Make, options: RunOptions): Promise<TestReport> {
  let passed: TestReport | null = null;
  let failed: TestReport | null = null;
  for (let order = 0; order < racedOrders && (passed === null || failed === null); order++) {
    const report = await runTest(test, make, { ...options, order });
    if (report.failure instanceof RaceFailure) return report;
    if (report.failure === null) passed ??= report;
    else failed ??= report;
  }
  if (failed === null || passed === null) return (failed ?? passed) as TestReport;
  return { ...failed, failure: raceBetween(passed, failed) };
}

function raceBetween(passed: TestReport, failed: TestReport): RaceFailure {
  const [a, b] = [passed.order, failed.order];
  const at = a.findIndex((event, index) => event !== b[index]);
  const first = Math.max(0, at - 1);
  const show = (events: readonly string[]): string => events.slice(first, first + SHOWN).join('; ');
  const race = new RaceFailure(
    `The test passes or fails depending on what comes first of things that are due at the same moment. It passes with: ${show(a)}. ` +
      `It fails with: ${show(b)}. Then: ${failed.failure?.message ?? ''}`,
  );
  race.stack = `${race.name}: ${race.message}`;
  return race;
}
