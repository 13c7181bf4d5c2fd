import type { RandomSource } from './environment.ts';

/** A uniformly drawn whole number from [min, max]. */
export function drawBetween(random: RandomSource, min: number, max: number): number {
  return min + Math.floor(((max - min + 1) * random.uint32()) / 0x100000000);
}

/** Sixteen hexadecimal digits. */
export function drawHex16(random: RandomSource): string {
  return hex8(random.uint32()) + hex8(random.uint32());
}

export function hex8(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
