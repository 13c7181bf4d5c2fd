/** Our Raft passes the classic suite, and the same seed makes the same run. */
import { describe, expect, test } from 'vitest';
import { type LabTest, quorateRaft, runTest, suite } from '../src/index.ts';

/** They take seconds a run. */
function isLong({ part, name }: LabTest): boolean {
  return part === 'kv' || name === 'DisjointRanges';
}

describe('our Raft', { timeout: 120_000 }, () => {
  test.each(suite.map((each) => [each.name, each] as const))('passes %s', async (_name, each) => {
    for (const seed of isLong(each) ? [1] : [1, 2, 3]) {
      const report = await runTest(each, quorateRaft(), { seed, isRealTime: false });
      expect(report.failure, `seed ${seed}`).toBeNull();
    }
  });

  test('goes the same way with the same seed, and another way with another', async () => {
    const churn = suite.find(({ name }) => name === 'UnreliableChurn');
    if (churn === undefined) throw new Error('There is no such test.');
    const figures = async (seed: number): Promise<readonly number[]> => {
      const { calls, bytes, agreed, elapsed } = await runTest(churn, quorateRaft(), { seed, isRealTime: false });
      return [calls, bytes, agreed, elapsed];
    };
    expect(await figures(7)).toEqual(await figures(7));
    expect(await figures(7)).not.toEqual(await figures(8));
  });
});
