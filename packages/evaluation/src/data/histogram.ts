/** Buckets per power of two: a value is known to within 1/64, that is 1.6 %. */
const SUB_BUCKETS = 64;
/** 2^36 µs is 19 hours: nothing measured here takes longer. */
const MAX_POWER = 36;

/** Latencies in whole microseconds, counted in buckets whose width grows with the value. Plain data: may cross processes. */
export type Histogram = number[];

export function newHistogram(): Histogram {
  return Array.from({ length: SUB_BUCKETS * MAX_POWER }, () => 0);
}

export function record(histogram: Histogram, micros: number): void {
  const bucket = bucketOf(micros);
  histogram[bucket] = (histogram[bucket] ?? 0) + 1;
}

/** The value below which the share `quantile` (0 to 1) of all lies, in microseconds; NaN when nothing was recorded. */
export function quantile(histogram: Histogram, share: number): number {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  if (total === 0) return Number.NaN;
  let left = Math.max(1, Math.ceil(total * share));
  for (let bucket = 0; bucket < histogram.length; bucket++) {
    left -= histogram[bucket] ?? 0;
    if (left <= 0) return middleOf(bucket);
  }
  return Number.NaN;
}

function bucketOf(micros: number): number {
  const value = Math.max(0, Math.floor(micros));
  if (value < SUB_BUCKETS) return value;
  const power = Math.min(MAX_POWER, 31 - Math.clz32(Math.min(value, 0x7fffffff))) - Math.log2(SUB_BUCKETS);
  return (power + 1) * SUB_BUCKETS + Math.floor(value / 2 ** power) - SUB_BUCKETS;
}

function middleOf(bucket: number): number {
  if (bucket < SUB_BUCKETS) return bucket;
  const power = Math.floor(bucket / SUB_BUCKETS) - 1;
  return ((bucket % SUB_BUCKETS) + SUB_BUCKETS + 0.5) * 2 ** power;
}
