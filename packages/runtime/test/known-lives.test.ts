import { describe, expect, test } from 'vitest';
import type { LifeAnswer } from '../src/known-lives.ts';
import { maxKnownLives } from '../src/known-lives.ts';
import type { OpenedStorage } from '../src/storage.ts';
import { creation, smallSegments, StorageWorld } from './support/storage-world.ts';

/** More servers than anybody founds a cluster of, but for studies. */
const FOUNDERS = 101;

const hex = (number: number): string => number.toString(16).padStart(16, '0');

/** Every founder says that its first life begins; what each is told. */
function tellAll(world: StorageWorld, { lives }: OpenedStorage, count: number): readonly LifeAnswer[] {
  const answers: LifeAnswer[] = [];
  for (let at = 1; at <= count; at++) lives.remember(hex(at), hex(1000 + at), (answer) => answers.push(answer));
  world.run();
  return answers;
}

describe('Lives of founding members that a server was told of', () => {
  test('are remembered for all of a hundred and one, and after a restart', () => {
    const world = new StorageWorld();
    const opened = world.open(creation, smallSegments);
    const answers = tellAll(world, opened, FOUNDERS);
    expect(answers).toHaveLength(FOUNDERS);
    expect(answers).toContainEqual({ known: hex(1000 + FOUNDERS) });
    expect(answers.filter((answer) => 'problem' in answer)).toEqual([]);

    const again = new StorageWorld(world.disk.crash(() => 0));
    const { lives } = again.open(null, smallSegments);
    for (let at = 1; at <= FOUNDERS; at++) expect(lives.of(hex(at))).toBe(hex(1000 + at));
  });

  test('are bounded: whoever comes when all places are taken is told why it is refused', () => {
    const world = new StorageWorld();
    const answers = tellAll(world, world.open(creation, smallSegments), maxKnownLives + 1);
    expect(answers.filter((answer) => 'problem' in answer)).toEqual([
      { problem: `it knows ${maxKnownLives} members already` },
    ]);
  });
});
