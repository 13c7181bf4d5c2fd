/** A key space and what requests do to it, by etcd's rules, as plainly as they can be written: the judge of every answer. */
import type { Compare, KeyValue, SimpleRequest, SimpleResponse, TxnRequest } from '../history.ts';

/** A key's present value. A revision is null where it cannot be known: the write that made it got no answer. */
export interface Item {
  readonly value: string;
  readonly create: number | null;
  readonly mod: number | null;
  readonly version: number;
}

/** What can be asked of a key space. */
export interface Space {
  get(key: string): Item | undefined;
  keys(): Iterable<string>;
}

/** What a request makes of a space. */
export interface Effect {
  /** What the keys that it wrote to became, null for deleted. Empty: nothing was written, as by a delete of nothing. */
  readonly changes: ReadonlyMap<string, Item | null>;
  readonly responses: readonly Expected[];
}

/** An answer without its header; items of which not all is known. */
export type Expected =
  | {
      readonly kind: 'range';
      readonly count: number;
      readonly more: boolean;
      readonly items: readonly [string, Item][];
    }
  | { readonly kind: 'put'; readonly previous: readonly [string, Item] | null }
  | { readonly kind: 'delete'; readonly deleted: number };

/** Carries requests out one after the other, as one revision; null where that is not known. Leaves `space` as it is. */
export function carryOut(space: Space, requests: readonly SimpleRequest[], revision: number | null): Effect {
  const draft = new Draft(space);
  const responses: Expected[] = [];
  for (const request of requests) responses.push(carryOutOne(draft, request, revision));
  return { changes: draft.changes, responses };
}

function carryOutOne(draft: Draft, request: SimpleRequest, revision: number | null): Expected {
  switch (request.kind) {
    case 'range':
      return range(draft, request);
    case 'put': {
      const before = draft.get(request.key);
      const create = before === undefined ? revision : before.create;
      draft.set(request.key, { value: request.value, create, mod: revision, version: (before?.version ?? 0) + 1 });
      return { kind: 'put', previous: before === undefined ? null : [request.key, before] };
    }
    case 'delete': {
      const keys = within(draft, request.key, request.rangeEnd);
      for (const key of keys) draft.set(key, null);
      return { kind: 'delete', deleted: keys.length };
    }
  }
}

const NO_CHANGES: ReadonlyMap<string, Item | null> = new Map();

/** A space with changes laid over it: most requests only read, and a copy of all keys would cost more than all else. */
class Draft implements Space {
  readonly #base: Space;
  #changes: Map<string, Item | null> | null = null;

  constructor(base: Space) {
    this.#base = base;
  }

  get changes(): ReadonlyMap<string, Item | null> {
    return this.#changes ?? NO_CHANGES;
  }

  get(key: string): Item | undefined {
    const changed = this.#changes?.get(key);
    return changed === undefined ? this.#base.get(key) : (changed ?? undefined);
  }

  keys(): Iterable<string> {
    return this.#changes === null ? this.#base.keys() : changed(this.#base, this.#changes).keys();
  }

  set(key: string, item: Item | null): void {
    this.#changes ??= new Map();
    this.#changes.set(key, item);
  }
}

/** A copy of `space` with these changes. */
export function changed(space: Space, changes: ReadonlyMap<string, Item | null>): ReadonlyMap<string, Item> {
  const next = new Map<string, Item>();
  for (const key of space.keys()) {
    const item = space.get(key);
    if (item !== undefined) next.set(key, item);
  }
  for (const [key, item] of changes) {
    if (item === null) next.delete(key);
    else next.set(key, item);
  }
  return next;
}

function range(space: Space, { key, rangeEnd, limit }: Extract<SimpleRequest, { kind: 'range' }>): Expected {
  const keys = within(space, key, rangeEnd);
  const shown = limit > 0 ? keys.slice(0, limit) : keys;
  const items = shown.flatMap((each): [string, Item][] => {
    const item = space.get(each);
    return item === undefined ? [] : [[each, item]];
  });
  return { kind: 'range', count: keys.length, more: shown.length < keys.length, items };
}

/** The keys from `key` on that are before `rangeEnd`; that key alone if there is no end. In order of their code units. */
function within(space: Space, key: string, rangeEnd: string): readonly string[] {
  if (rangeEnd === '') return space.get(key) === undefined ? [] : [key];
  return [...space.keys()].filter((each) => each >= key && each < rangeEnd).toSorted((a, b) => (a < b ? -1 : 1));
}

/** Whether all conditions hold; null if that depends on a revision that is not known. */
export function compares(space: Space, { compare }: TxnRequest): boolean | null {
  let isKnown = true;
  for (const each of compare) {
    const holds = compareOne(space.get(each.key), each);
    if (holds === false) return false;
    if (holds === null) isKnown = false;
  }
  return isKnown ? true : null;
}

function compareOne(item: Item | undefined, compare: Compare): boolean | null {
  if (compare.target === 'value') {
    // A key that is not there equals no value, and differs from none either: etcd's rule.
    if (item === undefined) return false;
    return holds(item.value < compare.value ? -1 : item.value > compare.value ? 1 : 0, compare.result);
  }
  const actual = item === undefined ? 0 : item[compare.target];
  if (actual === null) return null;
  return holds(actual - compare.value, compare.result);
}

function holds(order: number, result: Compare['result']): boolean {
  switch (result) {
    case 'equal':
      return order === 0;
    case 'notEqual':
      return order !== 0;
    case 'greater':
      return order > 0;
    case 'less':
      return order < 0;
  }
}

/** How an answer differs from what it must be; null if it does not. */
export function difference(expected: Expected, actual: SimpleResponse): string | null {
  if (expected.kind === 'range' && actual.kind === 'range') {
    if (expected.count !== actual.count) return `it counts ${actual.count} keys instead of ${expected.count}`;
    if (expected.more !== actual.more) return `it says ${actual.more ? 'that' : 'not that'} there is more`;
    return differentItems(expected.items, actual.kvs);
  }
  if (expected.kind === 'put' && actual.kind === 'put') {
    const { previous } = expected;
    const items = previous === null ? [] : [previous];
    return differentItems(items, actual.previous === null ? [] : [actual.previous]);
  }
  if (expected.kind === 'delete' && actual.kind === 'delete') {
    return expected.deleted === actual.deleted
      ? null
      : `it deleted ${actual.deleted} keys instead of ${expected.deleted}`;
  }
  return `a ${expected.kind} was answered as a ${actual.kind}`;
}

function differentItems(expected: readonly (readonly [string, Item])[], actual: readonly KeyValue[]): string | null {
  for (let at = 0; at < Math.max(expected.length, actual.length); at++) {
    const [key, item] = expected[at] ?? [null, null];
    const shown = actual[at];
    if (item === null || shown === undefined || !sameItem(key, item, shown)) {
      const should = item === null ? 'nothing' : textOf(key, item.value, item.mod, item.version);
      const is = shown === undefined ? 'nothing' : textOf(shown.key, shown.value, shown.modRevision, shown.version);
      return `it shows ${is} instead of ${should}`;
    }
  }
  return null;
}

function sameItem(key: string, item: Item, shown: KeyValue): boolean {
  return (
    key === shown.key &&
    item.value === shown.value &&
    item.version === shown.version &&
    (item.mod ?? shown.modRevision) === shown.modRevision &&
    (item.create ?? shown.createRevision) === shown.createRevision
  );
}

function textOf(key: string, value: string, mod: number | null, version: number): string {
  return `${key}=${value.replace(/\.+$/, '…')} (revision ${mod ?? '?'}, version ${version})`;
}
