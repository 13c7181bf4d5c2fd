/**
 * Chained fingerprints of log entries: equal fingerprints at an index mean equal logs up to it. Entry by entry, so that the
 * Log Matching Property (§5.3) is one comparison instead of two logs laid side by side.
 */
import type { Entry } from '../../src/index.ts';

/** The fingerprint of the empty log. */
export const emptyChain = 0x811c9dc5;

/** The fingerprint of a log that ends in `entry`, given that of the log before it. 53 bits, so collisions stay out of sight. */
export function chainEntry(before: number, entry: Entry): number {
  let low = ((before % 0x1_0000_0000) ^ 0x9e3779b9) >>> 0;
  let high = Math.floor(before / 0x1_0000_0000) ^ 0x5bd1e995;
  const mix = (value: number): void => {
    low = Math.imul(low ^ value, 0x01000193) >>> 0;
    high = Math.imul(high ^ (value + (low >>> 15)), 0x85ebca6b) >>> 0;
  };
  mix(entry.index);
  mix(entry.term);
  mix(entry.kind);
  mix(entry.data.length);
  for (const byte of entry.data) {
    mix(byte);
  }
  return (high & 0x1f_ffff) * 0x1_0000_0000 + low;
}
