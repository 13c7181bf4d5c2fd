import type { Steps, WorkMeter } from './steps.ts';

/** Runs of this length are sorted at once, then merged in steps. */
const runLength = 512;

/** The numbers 0 … length − 1 in the order of `compare`; equal ones stay in their order. */
export function* sortInSteps(
  length: number,
  compare: (a: number, b: number) => number,
  meter: WorkMeter,
): Steps<readonly number[]> {
  let from: number[] = [];
  for (let start = 0; start < length; start += runLength) {
    const run = Array.from({ length: Math.min(runLength, length - start) }, (_, i) => start + i).sort(compare);
    for (const item of run) from.push(item);
    if (meter.spend(run.length)) yield;
  }
  let to = [...from];
  for (let width = runLength; width < length; width *= 2) {
    for (let left = 0; left < length; left += 2 * width) {
      yield* merge(from, to, left, Math.min(left + width, length), Math.min(left + 2 * width, length), compare, meter);
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Merges the sorted runs [left, middle) and [middle, end). */
function* merge(
  from: readonly number[],
  to: number[],
  left: number,
  middle: number,
  end: number,
  compare: (a: number, b: number) => number,
  meter: WorkMeter,
): Steps<void> {
  let i = left;
  let j = middle;
  for (let k = left; k < end; k++) {
    const takeLeft = i < middle && (j >= end || compare(from[i] as number, from[j] as number) <= 0);
    to[k] = from[takeLeft ? i++ : j++] as number;
    if (meter.spend(1)) yield;
  }
}
