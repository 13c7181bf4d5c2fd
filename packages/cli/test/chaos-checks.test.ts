import type { KvRequest, KvResponse, Operation } from '@quorate/sim';
import { describe, expect, test } from 'vitest';
import { type FaultKind, faultKinds, schedule } from '../src/chaos/faults.ts';
import { Group } from '../src/chaos/groups.ts';
import { judge } from '../src/chaos/judge.ts';
import { RaftFacts } from '../src/chaos/observer.ts';
import { checkSightings } from '../src/chaos/sightings.ts';
import type { RaftPage } from '@quorate/processes';

const page: RaftPage = {
  id: '1',
  pid: 100,
  role: 'follower',
  term: 3,
  vote: null,
  leader: '2',
  commitIndex: 20,
  appliedIndex: 20,
  lastIndex: 25,
  baseIndex: 0,
  faultyEntries: 0,
  snapshot: { index: 0 },
  storage: { logBytes: 0 },
  store: { revision: 15 },
  uptimeMs: 1,
};

describe('what servers say of themselves', () => {
  const cases: readonly (readonly [string, string, Partial<RaftPage>, string, Partial<RaftPage>])[] = [
    ['A1', 's1', {}, 's1', { term: 2 }],
    ['A3', 's1', { vote: '2' }, 's1', { vote: '3' }],
    ['A3', 's1', { vote: '2' }, 's1', { pid: 101, vote: null }],
    ['A6', 's1', { id: '1', role: 'leader', leader: '1' }, 's2', { id: '2', role: 'leader', leader: '2' }],
    ['A10', 's1', { leader: '2' }, 's3', { leader: '3' }],
    ['C1', 's1', {}, 's1', { appliedIndex: 21, store: { revision: 16 } }],
    ['C2', 's1', {}, 's1', { commitIndex: 19, appliedIndex: 19, store: { revision: 14 } }],
    ['C8', 's1', {}, 's2', { store: { revision: 16 } }],
  ];
  test.each(cases)('%s is broken', (invariant, one, first, other, second) => {
    const facts = new RaftFacts();
    expect(facts.violations(one, { ...page, ...first })).toEqual([]);
    expect(facts.violations(other, { ...page, ...second }).map((found) => found.invariant)).toEqual([invariant]);
  });

  test('a restarted server may have to learn again what is committed', () => {
    const facts = new RaftFacts();
    facts.violations('s1', page);
    const restarted = { ...page, pid: 101, commitIndex: 10, appliedIndex: 10, store: { revision: 5 } };
    expect(facts.violations('s1', restarted)).toEqual([]);
  });
});

let clock = 0;
function ok(request: KvRequest, response: KvResponse): Operation {
  return { client: 1, request, called: ++clock, returned: ++clock, outcome: { kind: 'ok', response } };
}
const put = (key: string, value: string, revision: number): Operation =>
  ok({ kind: 'put', key, value }, { kind: 'put', revision, previous: null });
const failed = (key: string, value: string, kind: 'refused' | 'unknown'): Operation => ({
  client: 1,
  request: { kind: 'put', key, value },
  called: ++clock,
  returned: kind === 'refused' ? ++clock : null,
  outcome: { kind, code: 'Unavailable' },
});
function read(key: string, shown: readonly [value: string, mod: number] | null, revision: number, at = 0): Operation {
  const kvs =
    shown === null ? [] : [{ key, value: shown[0], createRevision: shown[1], modRevision: shown[1], version: 1 }];
  return ok(
    { kind: 'range', key, rangeEnd: '', revision: at, limit: 0, serializable: at === 0 },
    { kind: 'range', revision, count: kvs.length, more: false, kvs },
  );
}

describe('what reads of any kind show', () => {
  const cases: readonly (readonly [string, string, readonly Operation[]])[] = [
    ['a value that nobody wrote', 'G1', [put('g/k', 'a', 2), read('g/k', ['b', 2], 2)]],
    ['a refused write', 'G6', [failed('g/k', 'a', 'refused'), read('g/k', ['a', 2], 2)]],
    ['a write at another revision than its own', 'G5', [put('g/k', 'a', 2), read('g/k', ['a', 3], 3)]],
    [
      'one revision with two contents',
      'C8',
      [
        failed('g/k', 'a', 'unknown'),
        failed('g/k', 'b', 'unknown'),
        read('g/k', ['a', 2], 2),
        read('g/k', ['b', 2], 2),
      ],
    ],
    ['a stale read that misses a write below its own revision', 'G1', [put('g/k', 'a', 2), read('g/k', null, 3)]],
    [
      'a read of the past that misses a write',
      'G1',
      [put('g/k', 'a', 2), put('g/k', 'b', 3), read('g/k', ['a', 2], 9, 3)],
    ],
  ];
  test.each(cases)('%s', (_, invariant, operations) => {
    expect(() => checkSightings(operations)).toThrow(new RegExp(`^${invariant}: `));
  });

  test('stale reads, reads of the past and writes without an answer are allowed what they may show', () => {
    const operations = [
      put('g/k', 'a', 2),
      put('g/k', 'b', 3),
      failed('g/k', 'c', 'unknown'),
      read('g/k', ['a', 2], 2),
      read('g/k', ['a', 2], 9, 2),
      read('g/k', ['c', 4], 4),
    ];
    expect(() => checkSightings(operations)).not.toThrow();
  });
});

test('a write that was acknowledged and is gone at the end is found', async () => {
  const group = new Group(0);
  const key = `${group.name}/k0`;
  group.add(put(key, 'a', 2));
  const request = { kind: 'range', ...group.range, revision: 0, limit: 0, serializable: false } as const;
  group.add(ok(request, { kind: 'range', revision: 1, count: 0, more: false, kvs: [] }));
  const { findings } = await judge([group]);
  expect(findings.map(({ violation }) => violation.invariant)).toEqual(['G1']);
});

describe('the schedule', () => {
  const first = (seed: number, kinds: readonly FaultKind[], mayMeet: boolean) => {
    const episodes = schedule({ seed, servers: 5, kinds, mayMeet });
    return Array.from({ length: 30 }, () => episodes.next().value);
  };

  test('comes from the seed alone', () => {
    expect(first(1, faultKinds, true)).toEqual(first(1, faultKinds, true));
    expect(first(1, faultKinds, true)).not.toEqual(first(2, faultKinds, true));
  });

  test('has each kind once before any comes again', () => {
    const kinds = first(3, faultKinds, false).flatMap(({ faults }) => faults.map(({ kind }) => kind));
    expect(new Set(kinds.slice(0, faultKinds.length))).toEqual(new Set(faultKinds));
  });
});
