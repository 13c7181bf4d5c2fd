import { describe, expect, test } from 'vitest';
import { parseComparison, parseOperation, parseTxn } from '../src/commands/txn-syntax.ts';
import { UsageError } from '../src/usage-error.ts';

describe('the language of transactions', () => {
  test('three paragraphs: comparisons, requests if all hold, requests otherwise', () => {
    const txn = parseTxn('mod("a") > "0"\nvalue("b") = "x y"\n\nput a "new value"\nget b --prefix\n\ndel c\n\n');
    expect(txn.compare).toEqual([
      { key: 'a', is: '>', modRevision: 0 },
      { key: 'b', is: '=', value: 'x y' },
    ]);
    expect(txn.success).toMatchObject([
      { op: 'put', key: 'a', value: 'new value' },
      { op: 'get', key: 'b', prefix: true },
    ]);
    expect(txn.failure).toMatchObject([{ op: 'delete', key: 'c' }]);
  });

  test('the last paragraph may end with the input, and any may be empty', () => {
    expect(parseTxn('\nput a b')).toMatchObject({ compare: [], success: [{ op: 'put' }], failure: [] });
    expect(parseTxn('')).toEqual({ compare: [], success: [], failure: [] });
  });

  test.each([
    ['ver("k") = "3"', { key: 'k', is: '=', version: 3 }],
    ['version("k") != "3"', { key: 'k', is: '!=', version: 3 }],
    ['c("k") < "9"', { key: 'k', is: '<', createRevision: 9 }],
    ['create(k) > 9', { key: 'k', is: '>', createRevision: 9 }],
    ['m("a\\"b") = "1"', { key: 'a"b', is: '=', modRevision: 1 }],
    ['val("k") = "line\\nbreak"', { key: 'k', is: '=', value: 'line\nbreak' }],
    ['lease("k") = "7"', { key: 'k', is: '=', lease: 7n }],
  ])('%s', (line, comparison) => {
    expect(parseComparison(line)).toEqual(comparison);
  });

  test('words are cut as a shell cuts them', () => {
    expect(parseOperation(`put "a key" 'single "quoted"' --prev-kv`)).toMatchObject({
      key: 'a key',
      value: 'single "quoted"',
      previous: true,
    });
    expect(parseOperation('get k --limit=3 --order DESCEND')).toMatchObject({
      limit: 3,
      sort: { by: 'key', order: 'descending' },
    });
  });

  test.each(['mod("a") >= "0"', 'mod("a") > "x"', 'size("a") > "0"', 'nonsense'])(
    'refuses the comparison %s and quotes it',
    (line) => {
      expect(() => parseComparison(line)).toThrow(UsageError);
      expect(() => parseComparison(line)).toThrow(line.slice(0, 4));
    },
  );

  test.each(['watch a', 'put a', 'get', 'get a --wrong', 'get a --limit', 'del a b --prefix'])(
    'refuses the request %s',
    (line) => {
      expect(() => parseOperation(line)).toThrow(UsageError);
    },
  );

  test('refuses a fourth paragraph', () => {
    expect(() => parseTxn('\n\n\nput a b')).toThrow('fourth');
  });
});
