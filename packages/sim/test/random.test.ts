import { describe, expect, test } from 'vitest';
import { randomStream, randomStreams } from '@quorate/sim';

describe('streams of chance', () => {
  test('the same seed and name draw the same for ever', () => {
    const stream = randomStream(42, 'network');
    expect([stream.uint32(), stream.uint32(), stream.uint32()]).toMatchInlineSnapshot(`
      [
        3045277825,
        1247945212,
        329854091,
      ]
    `);
  });

  test('what one stream draws shifts no other', () => {
    const quiet = randomStreams(7);
    const busy = randomStreams(7);
    for (let i = 0; i < 100; i++) busy.disk.uint32();
    expect(busy.network.uint32()).toBe(quiet.network.uint32());
  });

  test('every value of a small bound comes up about as often', () => {
    const stream = randomStream(1, 'swarm');
    const counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < 50_000; i++) {
      const drawn = stream.below(5);
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    const total = counts.reduce((sum, count) => sum + count, 0);
    for (const count of counts) expect(Math.abs(count / total - 0.2)).toBeLessThan(0.05);
  });

  test('large seeds differ from small ones', () => {
    expect(randomStream(2 ** 40, 'disk').uint32()).not.toBe(randomStream(0, 'disk').uint32());
  });
});
