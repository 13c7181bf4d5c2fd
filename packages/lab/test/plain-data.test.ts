/** What leaves a server's memory is copied, measured, and refused where it is no plain data. */
import { expect, test } from 'vitest';
import { copyPlain } from '../src/plain-data.ts';

test('a copy shares nothing with what it was made of, and weighs as much as its JSON', () => {
  const value = { term: 12, log: [{ command: 'x', isKept: true }, null, -1.5], empty: {}, none: [] };
  const { value: copied, bytes } = copyPlain(value);
  expect(copied).toEqual(value);
  expect(bytes).toBe(JSON.stringify(value).length);
  value.log.length = 0;
  expect(copied).not.toEqual(value);
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
