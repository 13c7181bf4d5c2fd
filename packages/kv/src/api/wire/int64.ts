/**
 * One 64-bit cell seen as two 32-bit halves: splits and joins bigints without making bigints in between. Codec calls never
 * interleave, so one cell serves all.
 */

const signed = new BigInt64Array(1);
const unsigned = new BigUint64Array(signed.buffer);
const halves = new Uint32Array(signed.buffer);
signed[0] = 1n;
/** Index of the low half; depends on the byte order of the machine. */
const LO = halves[0] === 1 ? 0 : 1;
const HI = 1 - LO;

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;

export const TWO_32 = 0x1_0000_0000;

/** Puts `value` into the cell; `cellLo` and `cellHi` give its halves. */
export function splitInt64(value: bigint): void {
  if (value < MIN_INT64 || value > MAX_INT64) throw new RangeError(`${value} does not fit a signed 64-bit field.`);
  signed[0] = value;
}

export function splitUint64(value: bigint): void {
  if (value < 0n || value > MAX_UINT64) throw new RangeError(`${value} does not fit an unsigned 64-bit field.`);
  unsigned[0] = value;
}

/** Puts a safe integer into the cell, in two's complement. */
export function splitNumber(value: number): void {
  if (!Number.isSafeInteger(value))
    throw new RangeError(`${value} is no safe integer, so it cannot be encoded exactly.`);
  halves[LO] = value;
  halves[HI] = Math.floor(value / TWO_32);
}

export function cellLo(): number {
  return halves[LO] as number;
}

export function cellHi(): number {
  return halves[HI] as number;
}

export function joinInt64(lo: number, hi: number): bigint {
  halves[LO] = lo;
  halves[HI] = hi;
  return signed[0] as bigint;
}

export function joinUint64(lo: number, hi: number): bigint {
  halves[LO] = lo;
  halves[HI] = hi;
  return unsigned[0] as bigint;
}

/** `hi` and `lo` as unsigned halves of a signed integer; saturates where a number would not be exact. */
export function saturatedInt64(lo: number, hi: number): number {
  return saturated((hi | 0) * TWO_32 + lo);
}

export function saturatedUint64(lo: number, hi: number): number {
  return saturated(hi * TWO_32 + lo);
}

function saturated(value: number): number {
  if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER;
  return value < Number.MIN_SAFE_INTEGER ? Number.MIN_SAFE_INTEGER : value;
}
