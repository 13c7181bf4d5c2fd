import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogIndex } from '../src/wal/log-index.ts';
import { draws } from './support/random.ts';

interface Placed {
  readonly index: number;
  readonly term: number;
  readonly segment: number;
  readonly offset: number;
  readonly bytes: number;
}

/** The same by a plain list. */
class NaiveIndex {
  base = { index: 0, term: 0 };
  entries: Placed[] = [];

  termAt(index: number): number | null {
    if (index === this.base.index) return this.base.term;
    return this.entries[index - this.base.index - 1]?.term ?? null;
  }

  dropSegmentsBefore(segment: number): void {
    const kept = this.entries.findIndex((entry) => entry.segment >= segment);
    const dropped = kept < 0 ? this.entries : this.entries.slice(0, kept);
    const last = dropped.at(-1);
    if (last !== undefined) this.base = { index: last.index, term: last.term };
    this.entries = this.entries.slice(dropped.length);
  }
}

test('the index of a log agrees with a plain list, whatever is appended, cut and dropped', () => {
  const property = fc.property(fc.nat(), (seed) => {
    const draw = draws(seed);
    const index = new LogIndex({ index: 0, term: 0 });
    const naive = new NaiveIndex();
    let [segment, offset, term] = [1, 512, 1];
    for (let turn = 0; turn < 60; turn++) {
      const choice = draw(10);
      const last = naive.base.index + naive.entries.length;
      if (choice === 0 && last > naive.base.index) {
        const from = last + 1 - draw(Math.min(40, naive.entries.length)) || last;
        index.truncate(from, naive.termAt(from - 1) ?? 0);
        naive.entries = naive.entries.slice(0, from - 1 - naive.base.index);
      } else if (choice === 1) {
        [segment, offset] = [segment + 1, 512];
      } else if (choice === 2) {
        const before = segment - draw(3);
        index.dropSegmentsBefore(before);
        naive.dropSegmentsBefore(before);
      } else {
        term += draw(2);
        for (let count = draw(40); count > 0; count--) {
          const placed = {
            index: naive.base.index + naive.entries.length + 1,
            term,
            segment,
            offset,
            bytes: 8 * (6 + draw(20)),
          };
          index.append(placed.index, term, segment, offset, placed.bytes);
          naive.entries.push(placed);
          offset += placed.bytes;
        }
        offset += 64;
      }
      assertSame(index, naive);
    }
  });
  fc.assert(property, { numRuns: 150 });
  expect.assertions(0);
});

function assertSame(index: LogIndex, naive: NaiveIndex): void {
  const last = naive.base.index + naive.entries.length;
  if (index.lastIndex !== last) throw new Error(`last index ${index.lastIndex}, not ${last}`);
  if (index.base.index !== naive.base.index || index.base.term !== naive.base.term) {
    throw new Error(`base ${JSON.stringify(index.base)}, not ${JSON.stringify(naive.base)}`);
  }
  for (let at = naive.base.index; at <= last; at++) {
    if (index.termAt(at) !== naive.termAt(at))
      throw new Error(`term of ${at}: ${index.termAt(at)}, not ${naive.termAt(at)}`);
  }
  for (const entry of naive.entries) {
    const place = index.locate(entry.index);
    const begin = naive.entries[(place?.index ?? 0) - naive.base.index - 1];
    const near = place !== null && place.index <= entry.index && entry.index - place.index < 16;
    if (!near || place.offset !== begin?.offset || place.segment !== entry.segment || place.last < entry.index) {
      throw new Error(`entry ${entry.index} is not found: ${JSON.stringify(place)}`);
    }
  }
  if (index.locate(last + 1) !== null || index.termAt(last + 1) !== null)
    throw new Error('there is more than was appended');
}
