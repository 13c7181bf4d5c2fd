/** What leaves a server's memory is copied, measured, and refused where it is no plain data. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PlainData } from '../src/index.ts';
import { copyPlain } from '../src/plain-data.ts';

test('a copy shares nothing with what it was made of, and weighs as much as its JSON', () => {
  const value = { term: 12, log: [{ command: 'x', isKept: true }, null, -1.5], empty: {}, none: [] };
  const { value: copied, bytes } = copyPlain(value);
  expect(copied).toEqual(value);
  expect(bytes).toBe(JSON.stringify(value).length);
  value.log.length = 0;
  expect(copied).not.toEqual(value);
});

test('beside a former copy it is the same copy, and shares the beginning of lists that did not change', () => {
  const log = [
    { term: 1, command: 'x' },
    { term: 1, command: 'y' },
    { term: 2, command: null },
  ];
  const former = copyPlain({ log }).value;
  expect(itemsOf(copyPlain({ log }, former).value)).toBe(itemsOf(former));
  const [, second] = log;
  if (second !== undefined) second.command = 'z';
  log.push({ term: 3, command: 'w' });
  const { value, bytes } = copyPlain({ log }, former);
  expect(value).toEqual({ log });
  expect(bytes).toBe(JSON.stringify({ log }).length);
  const kept = itemsOf(value).map((entry, at) => entry === itemsOf(former)[at]);
  expect(kept).toEqual([true, false, false, false]);
  expect(itemsOf(former)[1]).toEqual({ term: 1, command: 'y' });
});

function itemsOf(value: PlainData): readonly PlainData[] {
  return (value as { readonly log: readonly PlainData[] }).log;
}

test.each([
  [{ a: 1 }, { a: 1, b: 2 }],
  [{ a: 1, b: 2 }, { a: 1 }],
  [{ a: 1, b: undefined }, { a: 1 }],
  [{ a: null }, { a: 0 }],
  [{ a: -0 }, { a: 0 }],
  [{ a: [1] }, { a: [1] }],
  [{}, { a: 1 }],
  [1, { a: 1 }],
])('an item that is another is not taken for the former: %j beside %j', (item, before) => {
  const former = copyPlain([before, 'end']).value;
  expect(copyPlain([item, 'end'], former)).toEqual(copyPlain([item, 'end']));
});

const leaf = fc.oneof(fc.integer(), fc.double(), fc.string({ maxLength: 3 }), fc.boolean(), fc.constant(null));
const record = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(leaf, fc.array(leaf)));
const values = fc.array(fc.oneof(record, leaf, fc.array(record), fc.uint8Array({ maxLength: 2 })));

test('whatever the former copy was, the copy is the one that is made without it', () => {
  fc.assert(
    fc.property(values, values, fc.array(fc.nat({ max: 5 })), (value, other, mixed) => {
      // Much of it is equal, in the same places.
      const before = [...value];
      for (const [at, from] of mixed.entries()) before.splice(at + 1, 1, other[from] ?? null);
      const former = copyPlain(before).value;
      const kept = structuredClone(former);
      expect(copyPlain(value, former)).toEqual(copyPlain(value));
      expect(former).toEqual(kept);
    }),
  );
});

test('whole numbers are as long as they are written', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.nat({ max: 15 }), (value, zeros) => {
      const shorter = Math.trunc(value / 10 ** zeros);
      expect(copyPlain(shorter === 0 ? 0 : shorter).bytes).toBe(String(shorter === 0 ? 0 : shorter).length);
    }),
  );
  for (const edge of [0, 9, 10, 99, 100, 9_999, 10_000, 99_999, 999_999, 1e6, 1e7, 1e8 - 1, 1e8, 1e9 - 1, 1e9, 1e21])
    for (const value of [edge, -edge]) expect(copyPlain(value).bytes).toBe(String(edge === 0 ? 0 : value).length);
});

test('what is undefined in an object is left out', () => {
  expect(copyPlain({ vote: undefined, term: 1 })).toEqual({ value: { term: 1 }, bytes: '{"term":1}'.length });
});

test.each([
  [undefined, 'The value is undefined.'],
  [{ log: [1, { next: () => 1 }] }, 'What stands at .log[1].next is a function.'],
  [{ peers: new Map() }, 'What stands at .peers is a Map.'],
  [[1, undefined], 'What stands at [1] is undefined.'],
])('what is no plain data is refused by the path to it', (value, message) => {
  expect(() => copyPlain(value)).toThrow(message);
});

test('a circle is found', () => {
  const circle: { next: unknown } = { next: null };
  circle.next = circle;
  expect(() => copyPlain(circle)).toThrow(/^\.next\.next.*… is nested too deeply, or contains itself\.$/);
});
