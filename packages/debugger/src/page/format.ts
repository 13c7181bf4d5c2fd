/** Numbers as people read them. */

/** 1,234,567 µs as `1.235 s`. */
export function formatMicros(micros: number): string {
  if (micros < 1000) return `${Math.round(micros)} µs`;
  if (micros < 1_000_000) return `${(micros / 1000).toFixed(micros < 10_000 ? 2 : 1)} ms`;
  return `${(micros / 1_000_000).toFixed(3)} s`;
}

/** A rate of play: `1/30×`, `2×`. */
export function formatRate(rate: number): string {
  return rate >= 0.95 ? `${rate.toFixed(rate < 3 ? 1 : 0).replace(/\.0$/, '')}×` : `1/${Math.round(1 / rate)}×`;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
