/**
 * The key-value store as a sequential model, seen from outside: values, versions, and revisions as far as answers tell them. Reads of
 * the past, reads that may be stale, and compactions say nothing here; the committed order judges them (committed.ts).
 */
import type { KvRequest, KvResponse, Operation, SimpleRequest, SimpleResponse } from '../history.ts';
import { Violation } from '../watch.ts';
import { carryOut, changed, compares, difference, type Effect, type Item } from './space.ts';
import { linearize, type Model, type Timed, type Verdict } from './wgl.ts';

type Keys = ReadonlyMap<string, Item>;

export interface KvState {
  readonly space: Keys;
  /** The highest revision that an operation in the order so far has shown. */
  readonly revision: number;
}

/** An operation to be put in order. */
interface Judged {
  readonly operation: Operation;
  /** Of an unanswered write: the revision at which it was committed, where that is known. */
  readonly revision: number | null;
}

export const kvModel: Model<Judged, KvState> = {
  initial: { space: new Map(), revision: 1 },
  step: stepKv,
  identify: identifyKv,
};

// What a search calls all the time are functions of the module: the engine drops what it compiled for a closure with the closure.

function stepKv({ space, revision }: KvState, { operation, revision: known }: Judged): readonly KvState[] {
  const { request, outcome } = operation;
  const states: KvState[] = [];
  if (outcome.kind !== 'ok') {
    if (known !== null && known <= revision) return states;
    for (const effect of unanswered(space, request, known)) states.push(after(space, effect, known ?? revision));
    return states;
  }
  const { response } = outcome;
  for (const effect of answered(space, request, response)) {
    // What writes has a revision of its own; what reads shows one that stands.
    const isLater = effect.changes.size > 0 ? response.revision > revision : response.revision >= revision;
    if (isLater) states.push(after(space, effect, response.revision));
  }
  return states;
}

function after(space: Keys, { changes }: Effect, revision: number): KvState {
  return { space: changes.size === 0 ? space : changed(space, changes), revision };
}

function identifyKv({ space, revision }: KvState): string {
  let text = `${revision}`;
  for (const key of [...space.keys()].toSorted()) {
    const item = space.get(key);
    // Unique in the history but for unanswered writes: the value tells those apart.
    if (item !== undefined) text += `|${key}=${item.mod ?? item.value}/${item.version}/${item.create ?? '?'}`;
  }
  return text;
}

/** What the request may have done if it took effect. */
function unanswered(space: Keys, request: KvRequest, revision: number | null): readonly Effect[] {
  if (request.kind === 'compact') return [];
  if (request.kind !== 'txn') return [carryOut(space, [request], revision)];
  const { txn } = request;
  const holds = compares(space, txn);
  const branches = holds === null ? [txn.success, txn.failure] : [holds ? txn.success : txn.failure];
  return branches.map((branch) => carryOut(space, branch, revision));
}

/** What it did, if it can have given this answer. */
function answered(space: Keys, request: KvRequest, response: KvResponse): readonly Effect[] {
  if (request.kind === 'compact' || response.kind === 'compact') return [];
  if (request.kind !== 'txn') {
    const effect = carryOut(space, [request], response.revision);
    return response.kind !== 'txn' && agrees(effect, [response]) ? [effect] : [];
  }
  if (response.kind !== 'txn') return [];
  const holds = compares(space, request.txn);
  if (holds !== null && holds !== response.succeeded) return [];
  const effect = carryOut(space, response.succeeded ? request.txn.success : request.txn.failure, response.revision);
  return agrees(effect, response.responses) ? [effect] : [];
}

function agrees({ responses }: Effect, actual: readonly SimpleResponse[]): boolean {
  if (responses.length !== actual.length) return false;
  for (const [at, expected] of responses.entries()) {
    const given = actual[at];
    if (given === undefined || difference(expected, given) !== null) return false;
  }
  return true;
}

/** A part of a history whose keys no other part touches, and what became of it. */
export interface PartVerdict {
  readonly operations: readonly Operation[];
  /** Of each that has no answer: where it was committed; null where that is not known. */
  readonly revisions: readonly (number | null)[];
  readonly verdict: Verdict;
}

/**
 * Checks a history by the parts into which its keys fall (linearizability is a property of each by itself). `committed` tells at
 * which revision unanswered writes were committed, where that is known: those that it does not name had no effect. Without it
 * they may have happened at any time, and the search may have to try them all.
 */
export function checkLinearizability(
  history: readonly Operation[],
  budget?: number,
  committed: ReadonlyMap<Operation, number> | null = null,
): readonly PartVerdict[] {
  const judged = history.filter(
    (each) => isJudged(each) && (committed === null || each.outcome.kind === 'ok' || committed.has(each)),
  );
  return partition(judged).map((operations) => {
    const revisions: (number | null)[] = [];
    const timed: Timed<Judged>[] = [];
    for (const operation of operations) {
      const { called, returned, outcome } = operation;
      const revision = committed?.get(operation) ?? null;
      revisions.push(revision);
      timed.push({ operation: { operation, revision }, called, returned: outcome.kind === 'ok' ? returned : null });
    }
    return { operations, revisions, verdict: linearize(kvModel, timed, budget) };
  });
}

/** The violation that a part without an order is. */
export function unplaceable(
  operations: readonly Operation[],
  { prefix, stuck }: Extract<Verdict, { readonly kind: 'violation' }>,
): Violation {
  const operation = operations[stuck];
  const first = `${prefix.length} of ${operations.length} operations on these keys can be put in an order that explains their answers`;
  const what = operation === undefined ? 'the rest' : JSON.stringify(operation);
  return new Violation('G1', first, `not this one as well: ${what}`);
}

/** Refused operations had no effect, and an unanswered read tells nothing. */
function isJudged({ request, outcome }: Operation): boolean {
  if (outcome.kind === 'refused' || request.kind === 'compact') return false;
  const reads = simpleRequests(request).filter(({ kind }) => kind === 'range');
  if (request.kind === 'range' && outcome.kind !== 'ok') return false;
  return reads.every((read) => read.kind !== 'range' || (read.revision === 0 && !read.serializable));
}

function simpleRequests(request: KvRequest): readonly SimpleRequest[] {
  if (request.kind === 'compact') return [];
  return request.kind === 'txn' ? [...request.txn.success, ...request.txn.failure] : [request];
}

/** Operations that share keys, directly or through others. A range touches every key of the history that it may hold. */
function partition(history: readonly Operation[]): readonly (readonly Operation[])[] {
  const touched = history.map(({ request }) => touchedBy(request));
  const parents = new Map<string, string>();
  for (const { keys } of touched) for (const key of keys) parents.set(key, key);
  const roots = touched.map((each) => join(parents, each));
  const parts = new Map<string, Operation[]>();
  history.forEach((operation, at) => {
    const part = rootOf(parents, roots[at] ?? '');
    const members = parts.get(part);
    if (members === undefined) parts.set(part, [operation]);
    else members.push(operation);
  });
  return [...parts.values()];
}

/** Puts the keys that one operation touches into one tree; returns one of them. */
function join(parents: Map<string, string>, { keys, ranges }: Touched): string {
  const [first] = keys;
  if (first === undefined) return '';
  for (const key of keys) parents.set(rootOf(parents, key), rootOf(parents, first));
  for (const [from, to] of ranges)
    for (const key of parents.keys())
      if (key >= from && key < to) parents.set(rootOf(parents, key), rootOf(parents, first));
  return first;
}

function rootOf(parents: ReadonlyMap<string, string>, key: string): string {
  let at = key;
  for (let above = parents.get(at); above !== undefined && above !== at; above = parents.get(at)) at = above;
  return at;
}

interface Touched {
  readonly keys: readonly string[];
  readonly ranges: readonly (readonly [from: string, to: string])[];
}

function touchedBy(request: KvRequest): Touched {
  const simple = simpleRequests(request);
  const compared = request.kind === 'txn' ? request.txn.compare.map(({ key }) => key) : [];
  return {
    keys: [...compared, ...simple.map(({ key }) => key)],
    ranges: simple.flatMap((each) =>
      each.kind !== 'put' && each.rangeEnd !== '' ? [[each.key, each.rangeEnd] as const] : [],
    ),
  };
}
