import { describe, expect, it } from 'vitest';
import { eventRows } from '../src/experiments/timeline.ts';
import { newcomerRow } from '../src/experiments/spread-reads.ts';
import type { Row } from '../src/experiment.ts';

/** A load that began at one million milliseconds and was measured for ten seconds. */
const BEGAN = 1_000_000;
const load = { beganAt: BEGAN, seconds: 10 };

function pausesAfter(pauses: readonly { at: number; ms: number }[], times: readonly number[]): readonly unknown[] {
  const events = times.map((seconds) => ({ time: BEGAN + seconds * 1000, what: `at ${seconds}` }));
  return eventRows(events, { ...load, pauses }).map(({ pauseMs }) => pauseMs);
}

describe('The pause after an event', () => {
  it('is the longest until the next event, wherever in between', () => {
    const pauses = [
      { at: 0.5, ms: 900 },
      { at: 2.1, ms: 30 },
      { at: 3, ms: 250 },
      { at: 6, ms: 40 },
    ];
    const [first, second] = pausesAfter(pauses, [2, 5]);
    expect(first).toBeCloseTo(250);
    expect(second).toBeCloseTo(40);
  });

  it('counts from the event on where nobody had been answered before it', () => {
    const [pause] = pausesAfter([{ at: 1, ms: 3000 }], [2]);
    expect(pause).toBeCloseTo(2000);
  });

  it('that goes on over a second event counts for both, for each its part', () => {
    const [first, second] = pausesAfter([{ at: 2, ms: 5000 }], [2, 6]);
    expect(first).toBeCloseTo(4000);
    expect(second).toBeCloseTo(1000);
  });

  it('that begins with the next event, at the last answer before it, hardly counts for this one', () => {
    const [first, second] = pausesAfter([{ at: 3.99, ms: 3000 }], [2, 4]);
    expect(first).toBeCloseTo(10);
    expect(second).toBeCloseTo(2990);
  });

  it('is nothing where answers kept coming', () => {
    expect(pausesAfter([], [1, 2])).toEqual([0, 0]);
    expect(pausesAfter([{ at: 0.1, ms: 500 }], [1])).toEqual([0]);
  });
});

describe('A newcomer', () => {
  /** Intervals of 100 ms; reads of two servers that are there, and of the one that comes. */
  function timeline(coming: readonly number[]): readonly Row[] {
    const intervals = coming.map(
      (own, nth): Row => ({
        kind: 'interval',
        at: nth / 10,
        reads: 200 + own,
        'reads:a:1': 100,
        'reads:b:2': 100,
        'reads:c:3': own,
      }),
    );
    return [{ kind: 'began', time: BEGAN }, ...intervals];
  }

  it('has its share at the end of the first interval in which it answers four fifths of an even split', () => {
    // Started 50 ms after the beginning; 10 and 60 of 210 and 260 are less than four fifths of a third.
    const row = newcomerRow(timeline([0, 0, 10, 60, 100, 100]), 'c:3', BEGAN + 50);
    expect(row['firstMs']).toBeCloseTo(150);
    expect(row['shareMs']).toBeCloseTo(300);
  });

  it('that never answers, or never enough, has no time', () => {
    expect(newcomerRow(timeline([0, 0]), 'c:3', BEGAN)).toMatchObject({ firstMs: null, shareMs: null });
    const late = newcomerRow(timeline([0, 10, 10]), 'c:3', BEGAN);
    expect(late['firstMs']).toBeCloseTo(100);
    expect(late['shareMs']).toBeNull();
  });
});
