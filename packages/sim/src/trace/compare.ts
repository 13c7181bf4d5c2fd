/** States of cores, compared. */
import { defaultOptions, freshState, initialConfiguration, Raft, type RaftState } from '@quorate/raft';
import { shapeDifference } from './shape.ts';

/** A deep copy, the same for equal states: where the cache lies in its array does not matter. */
export function canonicalState(state: Readonly<RaftState>): RaftState {
  const { cache, cacheHead } = state.log;
  return copy({ ...state, log: { ...state.log, cache: cache.slice(cacheHead), cacheHead: 0 } });
}

/** Bytes are shared: nobody changes an entry. */
function copy<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(copy) as Value;
  if (value instanceof Map) return new Map([...value].map(([key, each]) => [copy(key), copy(each)])) as Value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, copy(each)])) as Value;
}

/** Where two pieces of plain data differ first, as `path: first value, second value`; null if they are equal. */
export function firstDifference(first: unknown, second: unknown, path = 'state'): string | null {
  if (Object.is(first, second)) return null;
  const [a, b] = [fieldsOf(first), fieldsOf(second)];
  if (a === null || b === null) return `${path} is ${show(second)}, recorded ${show(first)}`;
  if (a.size !== b.size) return `${path} has ${b.size} parts, recorded ${a.size}`;
  for (const [name, value] of a) {
    if (!b.has(name)) return `${path} has no ${show(name)}`;
    const difference = firstDifference(value, b.get(name), `${path}.${String(name)}`);
    if (difference !== null) return difference;
  }
  return null;
}

function fieldsOf(value: unknown): ReadonlyMap<unknown, unknown> | null {
  if (typeof value !== 'object' || value === null) return null;
  if (value instanceof Map) return value;
  if (value instanceof Uint8Array || Array.isArray(value)) return new Map([...value].entries());
  return new Map(Object.entries(value));
}

function show(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** What of this build's state the given one has not, or has as something else; null if it can be gone on from. */
export function firstMissing(state: unknown): string | null {
  const member = { id: 'a', incarnation: null, context: '' };
  const configuration = initialConfiguration([member]);
  const ours = new Raft({ ...defaultOptions, id: 'a', incarnation: 'a' }, freshState(configuration)).state;
  return shapeDifference(state, ours, 'state');
}
