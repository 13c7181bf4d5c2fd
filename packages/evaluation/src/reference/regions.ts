/**
 * Five regions of a public cloud and the average time of a round trip between them, as published in a table of 2017 ("Latency Between AWS
 * Global Regions"). Such figures move by some percent over the years; light does not.
 */
export const REGIONS = ['N. Virginia', 'Oregon', 'Ireland', 'Tokyo', 'São Paulo'] as const;

/** Milliseconds there and back; within a region, between two of its zones. */
const ROUND_TRIPS: readonly (readonly number[])[] = [
  [1, 87, 80.5, 145.3, 119.5],
  [87, 1, 137, 89.1, 182.7],
  [80.5, 137, 1, 212.4, 191.3],
  [145.3, 89.1, 212.4, 1, 256.8],
  [119.5, 182.7, 191.3, 256.8, 1],
];

/** One way between two regions, by their places. Microseconds. */
export function oneWayMicros(from: number, to: number): number {
  return Math.round(((ROUND_TRIPS[from]?.[to] ?? 0) * 1000) / 2);
}
