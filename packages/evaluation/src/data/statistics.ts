/** Order statistics by nearest rank: each is a value that was observed. */
export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly p10: number;
  readonly median: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Null where there is nothing to sum up. */
export function summarize(values: readonly number[]): Summary | null {
  const sorted = values.toSorted((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return null;
  const at = (share: number): number => percentile(sorted, share);
  return { count: sorted.length, min, p10: at(0.1), median: at(0.5), p90: at(0.9), p99: at(0.99), max };
}

/** The least value that the share `share` (above 0, to 1) of all does not exceed. `sorted` must hold something. */
export function percentile(sorted: readonly number[], share: number): number {
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil(sorted.length * share)));
  const value = sorted[rank - 1];
  if (value === undefined) throw new RangeError('No percentile of nothing.');
  return value;
}

export function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}
