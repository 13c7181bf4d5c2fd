import { expect, test } from 'vitest';
import { Bag } from '../src/bag.ts';

test('a bag holds what a set does', () => {
  const bag = new Bag<{ place: number; readonly name: number }>();
  const model = new Set<unknown>();
  const items = Array.from({ length: 20 }, (_, name) => ({ place: -1, name }));
  let state = 7;
  for (let step = 0; step < 5000; step++) {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    const item = items[(state >>> 8) % items.length]!;
    expect(bag.has(item)).toBe(model.has(item));
    if (bag.has(item)) {
      expect(bag.delete(item)).toBe(true);
      model.delete(item);
    } else {
      expect(bag.delete(item)).toBe(false);
      bag.add(item);
      model.add(item);
    }
    expect(bag.size).toBe(model.size);
    expect(new Set<unknown>(bag.values())).toEqual(model);
  }
  bag.clear();
  expect(bag.size).toBe(0);
  expect(items.some((item) => bag.has(item))).toBe(false);
});
