import { describe, expect, test } from 'vitest';
import { parseDuration } from '../src/commands/duration.ts';
import { deleteCall, getCall, putCall } from '../src/commands/requests.ts';
import { UsageError } from '../src/usage-error.ts';

describe('flags of get, put and del', () => {
  test('a plain get is linearizable, unsorted and unlimited', () => {
    expect(getCall(['k'], {})).toEqual({
      key: 'k',
      options: { limit: 0, revision: 0, keysOnly: false, countOnly: false, serializable: false },
    });
  });

  test('a field alone sorts ascending, an order alone sorts by key, case does not matter', () => {
    expect(getCall(['k'], { sortBy: 'modify' }).options.sort).toEqual({ by: 'modRevision', order: 'ascending' });
    expect(getCall(['k'], { order: 'DESCEND' }).options.sort).toEqual({ by: 'key', order: 'descending' });
  });

  test('ranges: an end, a prefix, everything from a key on', () => {
    expect(getCall(['a', 'c'], {}).options).toMatchObject({ rangeEnd: 'c' });
    expect(getCall([''], { prefix: true })).toMatchObject({ key: '', options: { prefix: true } });
    expect(deleteCall(['a'], { fromKey: true }).options).toEqual({ fromKey: true, previous: false });
  });

  test('a lease is written in hexadecimal and may use all 64 bits', () => {
    expect(putCall(['k', 'v'], { lease: '694d7a' }).options.lease).toBe(0x694d7an);
    expect(putCall(['k', 'v'], { lease: 'ffffffffffffffff' }).options.lease).toBe(-1n);
  });

  test.each<[string, () => unknown]>([
    ['no key', () => getCall([], {})],
    ['an empty key', () => getCall([''], {})],
    ['an end together with --prefix', () => getCall(['a', 'b'], { prefix: true })],
    ['--prefix together with --from-key', () => deleteCall(['a'], { prefix: true, fromKey: true })],
    ['--keys-only together with --count-only', () => getCall(['a'], { keysOnly: true, countOnly: true })],
    ['an unknown order', () => getCall(['a'], { order: 'UP' })],
    ['an unknown field', () => getCall(['a'], { sortBy: 'SIZE' })],
    ['an unknown consistency', () => getCall(['a'], { consistency: 'x' })],
    ['a negative limit', () => getCall(['a'], { limit: '-1' })],
    ['a revision that is no number', () => getCall(['a'], { rev: 'now' })],
    ['a put without a value', () => putCall(['a'], {})],
    ['a value together with --ignore-value', () => putCall(['a', 'b'], { ignoreValue: true })],
    ['a lease that is not hexadecimal', () => putCall(['a', 'b'], { lease: 'xyz' })],
  ])('refuses %s', (_, call) => {
    expect(call).toThrow(UsageError);
  });

  test.each([
    ['500ms', 500],
    ['5s', 5_000],
    ['1m30s', 90_000],
    ['0.5s', 500],
    ['2', 2_000],
  ])('a duration of %s is %d ms', (text, ms) => {
    expect(parseDuration('--command-timeout', text)).toBe(ms);
  });

  test.each(['', '0', '-1s', '5 s', 'soon', '1x'])('"%s" is no duration', (text) => {
    expect(() => parseDuration('--command-timeout', text)).toThrow('--command-timeout');
  });
});
