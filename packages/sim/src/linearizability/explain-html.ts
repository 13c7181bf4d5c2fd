/**
 * A page that shows why a history is not linearizable: a row for each client, the longest order that explains its answers as numbers
 * on the calls, and the call that has no place in it beside what it would have had to answer. One file, without anything to load.
 */
import type { KvRequest, KvResponse, Operation, SimpleRequest, SimpleResponse } from '../history.ts';
import { kvModel, type KvState, type PartVerdict } from './kv-model.ts';

/** Something that befell the world while the history was recorded, in microseconds of the same clock. */
export interface Annotation {
  readonly at: number;
  readonly text: string;
}

const eventWidth = 18;
const rowHeight = 34;
const labelWidth = 90;
const shortValue = 24;

/** Null for a part that has an order, or of which it is not known. */
export function explainHtml(part: PartVerdict, title: string, annotations: readonly Annotation[] = []): string | null {
  if (part.verdict.kind !== 'violation') return null;
  const { prefix, stuck } = part.verdict;
  const states = statesAlong(part, prefix);
  const axis = axisOf(part.operations, annotations);
  const clients = [...new Set(part.operations.map(({ client }) => client))].toSorted((a, b) => a - b);
  const places = new Map(prefix.map((operation, place) => [operation, place]));
  const bars = part.operations.map((operation, at) => {
    const place = places.get(at);
    const hover = place === undefined ? 'has no place in this order' : hoverOf(place, states);
    const kind = at === stuck ? 'stuck' : place === undefined ? 'later' : 'placed';
    const row = clients.indexOf(operation.client);
    return bar(operation, { axis, row, kind, number: place === undefined ? '' : `${place + 1} `, hover });
  });
  const height = (clients.length + 1) * rowHeight + 40;
  const body = [
    `<h1>${escape(title)}</h1>`,
    verdictOf(part, prefix.length, stuck, states[prefix.length] ?? kvModel.initial),
    `<div class="scroll"><div class="chart" style="width:${axis.width}px;height:${height}px">`,
    ...clients.map((client, row) => `<b style="top:${(row + 1) * rowHeight}px">client ${client}</b>`),
    ...annotations.map(
      ({ at, text }) => `<s style="left:${axis.of(at)}px" title="${escape(text)}">${escape(text)}</s>`,
    ),
    ...axis.ticks.map(({ x, text }) => `<u style="left:${x}px">${text}</u>`),
    ...bars,
    '</div></div>',
  ];
  return page(title, body.join('\n'));
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

interface Axis {
  readonly width: number;
  of(time: number): number;
  readonly ticks: readonly { readonly x: number; readonly text: string }[];
}

/** Every moment at which something happens is as wide as any other: what overlaps can be seen, however short it was. */
function axisOf(operations: readonly Operation[], annotations: readonly Annotation[]): Axis {
  const moments = operations.flatMap(({ called, returned }) => [called, returned ?? called]);
  const times = [...new Set([...moments, ...annotations.map(({ at }) => at)])].toSorted((a, b) => a - b);
  const places = new Map(times.map((time, at) => [time, labelWidth + at * eventWidth]));
  const ticks = times.flatMap((time, at) =>
    at % 6 === 0 ? [{ x: places.get(time) ?? 0, text: `${(time / 1_000_000).toFixed(3)} s` }] : [],
  );
  return {
    width: labelWidth + (times.length + 8) * eventWidth,
    of: (time) => places.get(time) ?? labelWidth,
    ticks,
  };
}

interface Look {
  readonly axis: Axis;
  readonly row: number;
  readonly kind: 'placed' | 'stuck' | 'later';
  readonly number: string;
  readonly hover: string;
}

function bar(operation: Operation, { axis, row, kind, number, hover }: Look): string {
  const { called, returned, outcome } = operation;
  const isOpen = outcome.kind !== 'ok' || returned === null;
  const left = axis.of(called);
  const width = isOpen ? axis.width - left : Math.max(axis.of(returned) - left, eventWidth - 4);
  const text = `${asks(operation.request)} → ${answers(operation)}`;
  const style = `left:${left}px;top:${(row + 1) * rowHeight}px;width:${width}px`;
  const name = `${kind}${isOpen ? ' open' : ''}`;
  return `<i class="${name}" style="${style}" title="${escape(`${text}\n${hover}`)}">${escape(number + text)}</i>`;
}

function hoverOf(place: number, states: readonly KvState[]): string {
  const [before, after] = [states[place], states[place + 1]];
  const lines = [`number ${place + 1} in the longest order`];
  if (before !== undefined) lines.push(`before: ${describe(before)}`);
  if (after !== undefined) lines.push(`after: ${describe(after)}`);
  return lines.join('\n');
}

function verdictOf({ operations }: PartVerdict, placed: number, stuck: number, state: KvState): string {
  const operation = operations[stuck];
  const lines = [`${placed} of ${operations.length} operations on these keys fit into an order (numbered).`];
  if (operation !== undefined) {
    lines.push(
      `<b>No order takes in</b> <code>${escape(asks(operation.request))}</code> of client ${operation.client},`,
      `which answered <code>${escape(answers(operation))}</code>`,
      `when the longest order had come to <code>${escape(describe(state))}</code>.`,
    );
  }
  return `<p>${lines.join('\n')}</p>`;
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

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escape(title)}</title>
<style>
body { font: 14px/1.5 system-ui, sans-serif; margin: 24px; color: #1c2430; background: #fff; }
h1 { font-size: 20px; } code { background: #f1f3f6; padding: 1px 4px; border-radius: 3px; }
.scroll { overflow-x: auto; border: 1px solid #d5dae1; border-radius: 6px; }
.chart { position: relative; }
.chart > * { position: absolute; font-style: normal; text-decoration: none; white-space: nowrap; box-sizing: border-box; }
.chart > b { left: 0; width: ${labelWidth - 6}px; padding-left: 8px; line-height: 26px; position: sticky; background: #ffffffd0; z-index: 1;
  height: 0; display: block; top: 0; }
.chart > u { bottom: 4px; font-size: 10px; color: #66707d; border-left: 1px solid #c3cad3; padding-left: 3px; }
.chart > s { top: 0; bottom: 24px; border-left: 1px dashed #b7791f; color: #8a5a12; font-size: 11px; padding-left: 3px; }
.chart > i { height: 26px; line-height: 24px; border: 1px solid; border-radius: 4px; padding: 0 4px; font-size: 11px; overflow: hidden; }
i.placed { background: #e3f4e8; border-color: #2f8f4e; } i.later { background: #eef0f3; border-color: #97a1ae; }
i.stuck { background: #fbdcdc; border: 2px solid #c22f2f; z-index: 2; } i.open { border-right-style: dashed; opacity: 0.75; }
i:hover { overflow: visible; z-index: 3; width: auto !important; }
</style>
${body}
<script>document.querySelector('.stuck')?.scrollIntoView({ inline: 'center', block: 'nearest' });</script>
</html>
`;
}
