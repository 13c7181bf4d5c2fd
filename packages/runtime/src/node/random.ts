import { randomFillSync } from 'node:crypto';
import type { RandomSource } from '../environment.ts';

/** Draws from the system's generator, a page at a time. */
export function nodeRandom(): RandomSource {
  const page = new Uint32Array(256);
  let used = page.length;
  return {
    uint32() {
      if (used === page.length) {
        randomFillSync(page);
        used = 0;
      }
      return page[used++] ?? 0;
    },
  };
}
