import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BPlusTree } from '../src/mvcc/b-plus-tree.ts';

/** Enough keys to fill several levels, few enough that removals meet them. */
const key = fc.integer({ min: 0, max: 3_000 }).map((n) => String(n).padStart(4, '0'));

describe('the B+tree', () => {
  it('holds what a sorted map would hold, through growth and shrinkage', () => {
    const batch = fc.record({ add: fc.boolean(), keys: fc.array(key, { minLength: 1, maxLength: 400, size: 'max' }) });
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 12, size: 'max' }), (batches) => {
        const tree = new BPlusTree<number>();
        const model = new Map<string, number>();
        for (const [round, { add, keys }] of batches.entries()) {
          for (const each of keys) {
            if (add) {
              tree.set(each, round);
              model.set(each, round);
            } else if (tree.delete(each) !== model.delete(each)) {
              throw new Error(`delete of ${each} gave the wrong answer`);
            }
          }
          expect(contents(tree)).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)));
          expect(tree.size).toBe(model.size);
        }
        for (let n = 0; n <= 3_000; n += 7) {
          const each = String(n).padStart(4, '0');
          expect(tree.get(each)).toBe(model.get(each));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('walks on where it was, whatever comes and goes between two steps', () => {
    const step = fc.oneof(
      fc.constant('next' as const),
      fc.record({ add: key }),
      fc.record({ remove: key }),
      fc.constant('removeHere' as const),
    );
    fc.assert(
      fc.property(
        fc.array(key, { maxLength: 500, size: 'max' }),
        fc.array(step, { maxLength: 300, size: 'max' }),
        (keys, steps) => {
          const tree = new BPlusTree<string>();
          for (const each of keys) tree.set(each, each);
          const cursor = tree.cursor('');
          let last = '';
          const seen: (string | undefined)[] = [];
          const wanted: (string | undefined)[] = [];
          for (const each of steps) {
            if (each === 'next') {
              wanted.push(keysOf(tree).find((k) => k > last));
              seen.push(cursor.next() ? cursor.value : undefined);
              if (seen.at(-1) === undefined) break;
              last = cursor.key;
            } else if (each === 'removeHere') {
              tree.delete(last);
            } else if ('add' in each) {
              tree.set(each.add, each.add);
            } else {
              tree.delete(each.remove);
            }
          }
          expect(seen).toEqual(wanted);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('orders keys by their bytes, a prefix first', () => {
    const tree = new BPlusTree<number>();
    for (const each of ['b', 'ÿ', 'a\0', 'a', '\0', 'ab', 'aÿ', '\u007f', '\u0080']) tree.set(each, 0);
    expect(keysOf(tree)).toEqual(['\0', 'a', 'a\0', 'ab', 'aÿ', 'b', '\u007f', '\u0080', 'ÿ']);
  });

  it('fills its leaves when keys come in order', () => {
    const tree = new BPlusTree<number>();
    for (let i = 0; i < 64 * 100; i++) tree.set(String(i).padStart(6, '0'), i);
    const leaves = new Set<object>();
    for (let i = 0; i < 64 * 100; i++) leaves.add(tree.locate(String(i).padStart(6, '0')).leaf);
    expect(leaves.size).toBe(100);
  });
});

function contents<V>(tree: BPlusTree<V>): [string, V][] {
  const found: [string, V][] = [];
  const cursor = tree.cursor('');
  while (cursor.next()) found.push([cursor.key, cursor.value]);
  return found;
}

function keysOf<V>(tree: BPlusTree<V>): string[] {
  return contents(tree).map(([key]) => key);
}
