import { describe, expect, test } from 'vitest';
import { DamageBudget, type BudgetOptions, type DamagePolicy, RandomStream } from '@quorate/sim';
import { batch, entries, StorageBench } from './support/storage-bench.ts';

const SEGMENT = 'wal/0000000001.wal';
/** Before the data of an entry: which one it is. */
const HEADER_BYTES = 48;

const five: BudgetOptions = { servers: ['a', 'b', 'c', 'd', 'e'], lost: 1, entries: true, beyond: false };

/** A segment of batches with one entry each, and where each entry's data lies. */
function segment(count: number): { content: () => Place; places: Map<number, { offset: number; length: number }> } {
  const bench = new StorageBench(new RandomStream(1));
  const opened = bench.open();
  const places = new Map<number, { offset: number; length: number }>();
  for (let index = 1; index <= count; index++) {
    const offset = bench.disk.volume.file(SEGMENT)?.visible.length ?? 0;
    bench.append(opened, batch({ hardState: { term: 1, vote: 'a' }, entries: entries(index, index, 1, 100) }));
    places.set(index, { offset: offset + HEADER_BYTES, length: 100 });
  }
  const file = bench.disk.volume.file(SEGMENT);
  if (file === null) throw new Error('no segment');
  return { content: () => file.durable, places };
}
type Place = Parameters<DamagePolicy['mayDamage']>[0]['content'];

describe('the budget of damage', () => {
  test('leaves a good copy of every index with all but what a majority can miss', () => {
    const { content, places } = segment(120);
    let damaged = 0;
    for (let seed = 0; seed < 20; seed++) {
      const budget = new DamageBudget(new RandomStream(seed), five);
      expect(budget.doomed.size).toBe(1);
      for (const [index, place] of places) {
        // A policy remembers what it allowed; a new one is asked each time for what it might allow.
        const hit = five.servers.filter((server) =>
          budget.policyOf(server).mayDamage({ path: SEGMENT, content: content(), ...place }, false),
        );
        expect(hit.length + budget.forgetful.size, `copies of ${index}`).toBeLessThanOrEqual(2);
        for (const forgetful of budget.forgetful) expect(hit).not.toContain(forgetful);
        for (const doomed of budget.doomed) expect(hit).toContain(doomed);
        damaged += hit.length - 1;
      }
    }
    expect(damaged, 'the others are hit as well').toBeGreaterThan(20 * 30);
  });

  test('deals zones out differently, so that no server has to have everything', () => {
    const { content, places } = segment(120);
    const budget = new DamageBudget(new RandomStream(3), { ...five, lost: 0 });
    for (const server of five.servers) {
      const hit = [...places.values()].filter((place) =>
        budget.policyOf(server).mayDamage({ path: SEGMENT, content: content(), ...place }, false),
      );
      expect(hit.length, server).toBeGreaterThan(0);
      expect(hit.length, server).toBeLessThan(places.size);
    }
  });

  test('keeps the newest batches and the first copy of term and vote of servers that must come back', () => {
    const { content, places } = segment(120);
    const place = (index: number) => ({
      path: SEGMENT,
      content: content(),
      ...(places.get(index) ?? { offset: 0, length: 1 }),
    });
    for (let seed = 0; seed < 30; seed++) {
      const budget = new DamageBudget(new RandomStream(seed), { ...five, lost: 0 });
      for (const server of five.servers) {
        const ask = (at: ReturnType<typeof place>): boolean => budget.policyOf(server).mayDamage(at, false);
        expect(ask(place(120))).toBe(false);
        expect(ask(place(119))).toBe(false);
        // Of the segment's header nothing is missed; of a record's as much as of its data.
        expect(ask({ ...place(1), offset: 0, length: 512 })).toBe(true);
        expect(ask({ ...place(9), offset: place(9).offset - 8, length: 16 })).toBe(ask(place(9)));
        expect(ask({ ...place(1), path: 'hardstate', offset: 0, length: 512 })).toBe(false);
        // Behind its header, which the file says the length of at offset 16.
        expect(ask({ ...place(1), path: 'snapshots/x.snap' })).toBe(budget.forgetful.has(server));
        expect(ask({ ...place(1), path: 'snapshots/y.snap', offset: 0 })).toBe(false);
      }
    }
  });

  test('erases nothing where something else is destroyed, so that every damage can be noticed', () => {
    const { content, places } = segment(30);
    const budget = new DamageBudget(new RandomStream(1), { ...five, beyond: true });
    const place = (index: number) => ({
      path: SEGMENT,
      content: content(),
      ...(places.get(index) ?? { offset: 0, length: 1 }),
    });
    const spoilt = budget.policyOf('a');
    expect(spoilt.mayDamage(place(3), false)).toBe(true);
    expect(spoilt.mayDamage(place(9), false)).toBe(true);
    expect(spoilt.mayDamage(place(12), true)).toBe(false);
    const erased = budget.policyOf('b');
    expect(erased.mayDamage(place(3), true)).toBe(true);
    expect(erased.mayDamage(place(9), false)).toBe(false);
    expect(erased.mayDamage(place(9), true)).toBe(false);
    // A write that went astray destroys two places, and must leave what stands behind the one where it is missing.
    expect(budget.policyOf('c').mayDamage(place(9), true, place(3))).toBe(true);
    expect(budget.policyOf('d').mayDamage(place(9), true, place(12))).toBe(false);
  });

  test('dooms no more than a majority can miss', () => {
    for (const [count, most] of [
      [1, 0],
      [2, 0],
      [3, 1],
      [4, 1],
      [5, 2],
    ] as const) {
      const servers = ['a', 'b', 'c', 'd', 'e'].slice(0, count);
      const budget = new DamageBudget(new RandomStream(1), { ...five, servers, lost: 5 });
      expect(budget.doomed.size).toBe(most);
    }
  });
});
