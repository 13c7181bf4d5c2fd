import { latencyMs, Tally } from '../src/load/tally.ts';
import { median, percentile, summarize } from '../src/data/statistics.ts';
import { describe, expect, it } from 'vitest';

describe('Order statistics', () => {
  it('are values that were observed, by nearest rank', () => {
    const values = [15, 20, 35, 40, 50];
    expect([0.05, 0.3, 0.4, 0.5, 1].map((share) => percentile(values, share))).toEqual([15, 20, 20, 35, 50]);
    expect(median([3, 1, 2])).toBe(2);
    expect(summarize([4, 1, 3, 2])).toEqual({ count: 4, min: 1, p10: 1, median: 2, p90: 4, p99: 4, max: 4 });
  });

  it('of nothing are nothing', () => {
    expect(summarize([])).toBeNull();
    expect(() => percentile([], 0.5)).toThrow(RangeError);
  });
});

describe('The tally of a load', () => {
  /** A second from 1000 on, in intervals of 500 ms. */
  function tally(): Tally {
    const made = new Tally(500);
    made.window(1000, 2000);
    return made;
  }

  it('counts latency from when a request was to be sent: what a stall held up is slow, not absent', () => {
    const seen = tally();
    // One request every 100 ms; the server stands still from 1200 to 1700, then answers all that waited at once.
    for (let intended = 1000; intended < 2000; intended += 100) {
      const ended = intended < 1200 ? intended + 1 : Math.max(1700, intended + 1);
      seen.answered(false, intended, ended, 0);
    }
    const { writes, writeLatencies, intervals } = seen.result(0, []);
    expect(writes).toBe(10);
    // Five of ten waited for 500, 400, 300, 200 and 100 ms.
    expect(latencyMs(writeLatencies, 1)).toBeCloseTo(500, -1);
    expect(latencyMs(writeLatencies, 0.9)).toBeCloseTo(400, -1);
    expect(intervals.map(({ writes: count }) => count)).toEqual([2, 8]);
    expect(intervals[1]?.max).toBe(500);
  });

  it('leaves out what was to be sent before or after the measured time', () => {
    const seen = tally();
    seen.answered(true, 999, 1100, 0);
    seen.answered(true, 1999, 2600, 1);
    seen.answered(true, 2000, 2001, 0);
    const { reads, intervals } = seen.result(0, []);
    expect(reads).toBe(1);
    // It was answered when no interval was open any more.
    expect(intervals.map(({ reads: count }) => count)).toEqual([0, 0]);
  });

  it('tells what failed for sure from what nobody knows, and what was never sent', () => {
    const seen = tally();
    seen.failed(false, 1100);
    seen.failed(true, 1600);
    seen.overflow(1700);
    expect(seen.result(0, [])).toMatchObject({ refused: 1, unknown: 1, overflow: 1, reads: 0, writes: 0 });
    expect(seen.result(0, []).intervals.map(({ refused, unknown }) => [refused, unknown])).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  it('tells reads by server, those that came late included', () => {
    const seen = tally();
    seen.answered(true, 1100, 1101, 0);
    seen.answered(true, 1600, 1601, 1);
    seen.answered(true, 1600, 1602, 1);
    seen.answered(false, 1600, 1603, 1);
    const { intervals } = seen.result(0, ['a', 'b']);
    expect(intervals.map(({ readsByServer }) => readsByServer)).toEqual([
      [1, 0],
      [0, 2],
    ]);
  });

  it('ends where it is cut', () => {
    const seen = tally();
    seen.answered(false, 1100, 1101, null);
    seen.cut(1300);
    seen.answered(false, 1400, 1401, null);
    const { seconds, writes, intervals } = seen.result(0, []);
    expect([seconds, writes, intervals.length]).toEqual([0.3, 1, 1]);
  });

  it('has no latency where nothing was answered', () => {
    const { readLatencies, intervals } = tally().result(0, []);
    expect(latencyMs(readLatencies, 0.5)).toBeNull();
    expect(intervals[0]).toMatchObject({ p50: null, p99: null, max: null });
  });

  it('knows every time without an answer, from the first moment to the last', () => {
    const seen = tally();
    for (const ended of [1100, 1105, 1400]) seen.answered(false, 1000, ended, null);
    // Five milliseconds are no pause.
    expect(seen.result(0, []).pauses).toEqual([
      { at: 0, ms: 100 },
      { at: 0.105, ms: 295 },
      { at: 0.4, ms: 600 },
    ]);
  });

  it('has no pause behind the moment at which it was cut', () => {
    const seen = tally();
    seen.answered(false, 1000, 1300, null);
    seen.cut(1400);
    seen.answered(false, 1350, 1900, null);
    expect(seen.result(0, []).pauses).toEqual([
      { at: 0, ms: 300 },
      { at: 0.3, ms: 100 },
    ]);
  });
});
