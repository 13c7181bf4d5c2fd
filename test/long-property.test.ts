/** How a random test whose runs are long reports its failure: at once, and then smaller, within bounds. */
import * as fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { assertLong } from '../test-support/long-property.ts';

/** Fails for every number above 20. */
function property(onRun: (value: number) => void): fc.IProperty<[number]> {
  return fc.property(fc.nat(1_000_000), (value) => {
    onRun(value);
    if (value > 20) throw new Error(`${value} is too large`);
  });
}

function messageOf(run: () => void): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it passed');
}

describe('a random test whose runs are long', () => {
  afterEach(() => vi.unstubAllEnvs());

  test('prints seed and path before it shrinks, and they repeat the failure', () => {
    const values: number[] = [];
    const said: { line: string; runsBefore: number }[] = [];
    const say = (line: string): void => void said.push({ line, runsBefore: values.length });
    messageOf(() =>
      assertLong(
        property((value) => values.push(value)),
        { numRuns: 100, seed: 5, say },
      ),
    );
    const failedFirst = values.findIndex((value) => value > 20);
    expect(said).toHaveLength(1);
    expect(said[0]?.runsBefore).toBe(failedFirst + 1);
    const [, seed, path] = /QUORATE_SEED=(-?\d+) QUORATE_PATH=(\d+)/.exec(said[0]?.line ?? '') ?? [];
    vi.stubEnv('QUORATE_SEED', seed ?? 'none');
    vi.stubEnv('QUORATE_PATH', path ?? 'none');
    const again: number[] = [];
    messageOf(() =>
      assertLong(
        property((value) => again.push(value)),
        { numRuns: 100, say },
      ),
    );
    expect(again[0]).toBe(values[failedFirst]);
  });

  test('shows the smallest failure', () => {
    const message = messageOf(() =>
      assertLong(
        property(() => undefined),
        { numRuns: 100, seed: 5, say: () => undefined },
      ),
    );
    expect(message).toContain('21 is too large');
    expect(message).toMatch(/Counterexample \(shrunk \d+ times\): \[21\]/);
  });

  test('stops shrinking when time is up, and shows what it has', () => {
    let runs = 0;
    const parameters = { numRuns: 1, seed: 5, shrinkLimit: 0, say: () => undefined };
    const message = messageOf(() =>
      assertLong(
        property(() => runs++),
        parameters,
      ),
    );
    expect(runs).toBeLessThanOrEqual(2);
    expect(message).toMatch(/is too large[^]*QUORATE_SEED=5/);
    expect(message).not.toContain('passed when');
  });

  test('leaves a failure as it is under QUORATE_SHRINK=0, and keeps what it is told to keep', () => {
    vi.stubEnv('QUORATE_SHRINK', '0');
    const values: number[] = [];
    const kept: number[] = [];
    const keep = ([value]: [number]): string => `kept ${kept.push(value)}`;
    const message = messageOf(() =>
      assertLong(
        property((value) => values.push(value)),
        { numRuns: 100, seed: 5, keep, say: () => undefined },
      ),
    );
    expect(kept).toEqual(values.slice(-1));
    expect(message).toContain('kept 1');
  });

  test('says so when the same input passes the second time', () => {
    let runs = 0;
    const moody = fc.property(fc.nat(), () => {
      runs++;
      if (runs === 1) throw new Error('once');
    });
    const message = messageOf(() => assertLong(moody, { numRuns: 5, say: () => undefined }));
    expect(message).toContain('passed when it was tried again');
  });

  test('passes what passes', () => {
    let runs = 0;
    assertLong(
      fc.property(fc.nat(), () => void runs++),
      { numRuns: 7 },
    );
    expect(runs).toBe(7);
  });
});
