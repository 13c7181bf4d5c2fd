import { describe, expect, it } from 'vitest';
import { NumberMap } from '../src/loop/number-map.ts';
import { draws } from './support/random.ts';

describe('NumberMap', () => {
  it('answers as a Map does, whatever is done with it', () => {
    const draw = draws(1);
    for (let round = 0; round < 20; round++) {
      const [map, model] = [new NumberMap<{ readonly n: number }>(), new Map<number, { readonly n: number }>()];
      // Ids as they are given, from far up; a few keys that collide in a small table; and some anywhere.
      const base = 2 ** 32 * draw(2 ** 20);
      const keyOf = [() => base + draw(300), () => 64 * draw(40), () => draw(2 ** 32) * 2 ** 20][round % 3]!;
      for (let step = 0; step < 3000; step++) {
        const key = keyOf();
        const value = { n: step };
        if (draw(2) === 0) {
          map.set(key, value);
          model.set(key, value);
        } else expect(map.delete(key)).toBe(model.delete(key));
        if (draw(500) === 0) {
          map.clear();
          model.clear();
        }
        const asked = keyOf();
        expect(map.get(asked)).toBe(model.get(asked));
        expect(map.size).toBe(model.size);
      }
      expect(new Map(map.entries())).toEqual(model);
    }
  });
});
