import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MemoryDiskOptions } from './support/memory-disk.ts';
import { draws } from './support/random.ts';
import { difference, firstState, type ModelState, StorageLife } from './support/storage-life.ts';
import { StorageWorld } from './support/storage-world.ts';

const RUNS = Number(process.env['QUORATE_STORAGE_RUNS'] ?? 150);
const LIVES = 4;
const ACTS = 25;

interface Fate {
  readonly possible: readonly ModelState[];
  readonly image: Map<string, Uint8Array>;
}

/** One life from an image to a crash, or to the last act if the disk holds out. Opening may crash as well. */
function live(
  image: Map<string, Uint8Array>,
  possible: readonly ModelState[],
  seed: number,
  options: MemoryDiskOptions,
): Fate {
  const draw = draws(seed);
  const world = new StorageWorld(image, options);
  let opened: ReturnType<StorageWorld['tryOpen']>;
  try {
    opened = world.tryOpen();
  } catch (silence) {
    if (!world.disk.crashed) throw silence;
    return { possible, image: world.disk.crash(draw) };
  }
  // A batch whose seal reached the disk before the rest of it cannot be told from rot: opening leaves that to a person.
  if (opened.error?.message.includes('bears its seal') === true) return { possible, image: new Map() };
  if (opened.opened === null) throw new Error(`${opened.error?.code}: ${opened.error?.message}`);
  const differences = possible.map((state) => difference(world, opened.opened as never, state));
  const found = possible[differences.indexOf(null)];
  if (found === undefined)
    throw new Error(`The storage is in none of the states it may be in: ${differences.join('; or ')}`);
  const life = new StorageLife(world, opened.opened, found, draw);
  for (let acts = 0; acts < ACTS && life.act(); acts++);
  return { possible: life.possible, image: world.disk.crash(draw) };
}

test('whatever the moment of a crash, what was acknowledged is there and nothing else', { timeout: 120_000 }, () => {
  const property = fc.property(fc.nat(), (seed) => {
    const draw = draws(seed);
    let fate: Fate = { possible: [firstState], image: new Map() };
    for (let number = 0; number < LIVES; number++) {
      // The first may crash in the midst of creation: then the directory is new again.
      const crashAt = draw(4) === 0 ? 1 + draw(30) : 1 + draw(200);
      fate = live(fate.image, fate.possible, draw(2 ** 31), { crashAt });
      if (fate.image.size === 0) return;
    }
    live(fate.image, fate.possible, draw(2 ** 31), {});
  });
  fc.assert(property, { numRuns: RUNS });
  expect.assertions(0);
});
