/** Our Raft passes the classic suite, and the same seed makes the same run. */
import { describe, expect, test } from 'vitest';
import { quorateRaft, runTest, suite } from '../src/index.ts';

describe('our Raft', () => {
  test.each(suite.map((each) => [each.name, each] as const))('passes %s', async (_name, each) => {
    // The key-value part takes seconds a test.
    for (const seed of each.part === 'kv' ? [1] : [1, 2, 3]) {
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
