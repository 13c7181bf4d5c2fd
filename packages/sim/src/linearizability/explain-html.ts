/** Why a history of the store is not linearizable, as a page (explain-page.ts): each call beside what the store held before and after. */
import type { KvRequest, KvResponse, Operation, SimpleRequest, SimpleResponse } from '../history.ts';
import { type Annotation, violationPage } from './explain-page.ts';
import { kvModel, type KvState, type PartVerdict } from './kv-model.ts';

const shortValue = 24;

/** Null for a part that has an order, or of which it is not known. */
export function explainHtml(part: PartVerdict, title: string, annotations: readonly Annotation[] = []): string | null {
  if (part.verdict.kind !== 'violation') return null;
  const { prefix, stuck } = part.verdict;
  const states = statesAlong(part, prefix);
  const places = new Map(prefix.map((operation, place) => [operation, place]));
  const calls = part.operations.map((operation, at) => {
    const { client, called, returned, outcome } = operation;
    const place = places.get(at) ?? null;
    const isOpen = outcome.kind !== 'ok' || returned === null;
    const text = describeCall(operation);
    return { client, called, returned, isOpen, text, place, hover: hoverOf(place, states) };
  });
  const verdict = verdictOf(part, prefix.length, stuck, states[prefix.length] ?? kvModel.initial);
  return violationPage({ title, verdict, calls, stuck, annotations });
}

/** What was asked, and what came of it. */
export function describeCall(operation: Operation): string {
  return `${asks(operation.request)} → ${answers(operation)}`;
}

/** The state before each place of the order, and the one behind the last. Where several are possible, the first that goes on. */
function statesAlong({ operations, revisions }: PartVerdict, prefix: readonly number[]): readonly KvState[] {
  let paths: (readonly KvState[])[] = [[kvModel.initial]];
  for (const at of prefix) {
    const operation = operations[at];
    if (operation === undefined) break;
    const judged = { operation, revision: revisions[at] ?? null };
    const next = paths.flatMap((path) =>
      kvModel.step(path[path.length - 1] ?? kvModel.initial, judged).map((state) => [...path, state]),
    );
    if (next.length === 0) break;
    const known = new Map(next.map((path) => [kvModel.identify(path[path.length - 1] ?? kvModel.initial), path]));
    paths = [...known.values()];
  }
  return paths[0] ?? [];
}

function hoverOf(place: number | null, states: readonly KvState[]): string[] {
  if (place === null) return ['has no place in this order'];
  const [before, after] = [states[place], states[place + 1]];
  const lines = [`number ${place + 1} in the longest order`];
  if (before !== undefined) lines.push(`before: ${describe(before)}`);
  if (after !== undefined) lines.push(`after: ${describe(after)}`);
  return lines;
}

function verdictOf({ operations }: PartVerdict, placed: number, stuck: number, state: KvState): string[] {
  const fits = `${placed} of ${operations.length} operations on these keys fit into an order (numbered).`;
  const operation = operations[stuck];
  if (operation === undefined) return [fits];
  return [
    fits,
    `No order takes in ${asks(operation.request)} of client ${operation.client}, which answered ${answers(operation)} ` +
      `when the longest order had come to ${describe(state)}.`,
  ];
}

function describe({ space, revision }: KvState): string {
  const items = [...space].map(([key, { value, mod, version }]) => {
    return `${key}=${shorten(value)} (revision ${mod ?? '?'}, version ${version})`;
  });
  return `revision ${revision}, ${items.length === 0 ? 'no key' : items.toSorted().join(', ')}`;
}

function asks(request: KvRequest): string {
  if (request.kind === 'compact') return `compact ${request.revision}`;
  if (request.kind !== 'txn') return asksSimple(request);
  const { compare, success, failure } = request.txn;
  const conditions = compare.map((each) => `${each.target}(${each.key}) ${each.result} ${shorten(`${each.value}`)}`);
  const branch = (requests: readonly SimpleRequest[]): string => requests.map(asksSimple).join('; ');
  return `if ${conditions.join(' and ')} then ${branch(success)} else ${branch(failure)}`;
}

function asksSimple(request: SimpleRequest): string {
  if (request.kind === 'put') return `put ${request.key}=${shorten(request.value)}`;
  const end = request.rangeEnd === '' ? '' : ` to ${request.rangeEnd}`;
  return `${request.kind === 'range' ? 'get' : 'delete'} ${request.key}${end}`;
}

function answers({ outcome }: Operation): string {
  return outcome.kind === 'ok' ? answersOk(outcome.response) : `${outcome.kind}: ${outcome.code}`;
}

function answersOk(response: KvResponse): string {
  if (response.kind === 'compact') return 'done';
  const given = response.kind === 'txn' ? response.responses : [response];
  const branch = response.kind === 'txn' ? `${response.succeeded ? 'then' : 'else'}: ` : '';
  return `${branch}${given.map(answersSimple).join('; ')} at revision ${response.revision}`;
}

function answersSimple(response: SimpleResponse): string {
  if (response.kind === 'put') return 'put';
  if (response.kind === 'delete') return `deleted ${response.deleted}`;
  if (response.kvs.length === 0) return 'nothing';
  return response.kvs
    .map(
      ({ key, value, modRevision, version }) =>
        `${key}=${shorten(value)} (revision ${modRevision}, version ${version})`,
    )
    .join(', ');
}

function shorten(value: string): string {
  return value.length <= shortValue ? value : `${value.slice(0, shortValue)}…`;
}
