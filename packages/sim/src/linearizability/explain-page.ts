/**
 * A page that shows why a history is not linearizable: a row for each client, the longest order that explains its answers as numbers
 * on the calls, and the call that has no place in it. One file, without anything to load. What the calls say is up to the model.
 */

/** Something that befell the world while the history was recorded, in microseconds of the same clock. */
export interface Annotation {
  readonly at: number;
  readonly text: string;
}

/** One call as it is drawn. */
export interface DrawnCall {
  readonly client: number;
  /** Microseconds. */
  readonly called: number;
  readonly returned: number | null;
  /** Nobody knows whether it happened: it may have until the end. */
  readonly isOpen: boolean;
  /** What was asked and answered. */
  readonly text: string;
  /** Its place in the longest order, from 0 on; null if it has none. */
  readonly place: number | null;
  /** Lines beside it, for whoever points at it. */
  readonly hover: readonly string[];
}

/** What a page shows. All text is plain: it is escaped here. */
export interface ViolationPage {
  readonly title: string;
  /** Sentences above the chart. */
  readonly verdict: readonly string[];
  readonly calls: readonly DrawnCall[];
  /** Index of the call that no order takes in. */
  readonly stuck: number;
  readonly annotations: readonly Annotation[];
}

const eventWidth = 18;
const rowHeight = 34;
const labelWidth = 90;

export function violationPage({ title, verdict, calls, stuck, annotations }: ViolationPage): string {
  const axis = axisOf(calls, annotations);
  const clients = [...new Set(calls.map(({ client }) => client))].toSorted((a, b) => a - b);
  const height = (clients.length + 1) * rowHeight + 40;
  const body = [
    `<h1>${escape(title)}</h1>`,
    ...verdict.map((sentence) => `<p>${escape(sentence)}</p>`),
    `<div class="scroll"><div class="chart" style="width:${axis.width}px;height:${height}px">`,
    ...clients.map((client, row) => `<b style="top:${(row + 1) * rowHeight}px">client ${client}</b>`),
    ...annotations.map(
      ({ at, text }) => `<s style="left:${axis.of(at)}px" title="${escape(text)}">${escape(text)}</s>`,
    ),
    ...axis.ticks.map(({ x, text }) => `<u style="left:${x}px">${text}</u>`),
    ...calls.map((call, at) => bar(call, axis, clients.indexOf(call.client), at === stuck)),
    '</div></div>',
  ];
  return page(title, body.join('\n'));
}

interface Axis {
  readonly width: number;
  of(time: number): number;
  readonly ticks: readonly { readonly x: number; readonly text: string }[];
}

/** Every moment at which something happens is as wide as any other: what overlaps can be seen, however short it was. */
function axisOf(calls: readonly DrawnCall[], annotations: readonly Annotation[]): Axis {
  const moments = calls.flatMap(({ called, returned }) => [called, returned ?? called]);
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

function bar(call: DrawnCall, axis: Axis, row: number, isStuck: boolean): string {
  const { called, returned, isOpen, text, place, hover } = call;
  const left = axis.of(called);
  const width = isOpen || returned === null ? axis.width - left : Math.max(axis.of(returned) - left, eventWidth - 4);
  const style = `left:${left}px;top:${(row + 1) * rowHeight}px;width:${width}px`;
  const kind = isStuck ? 'stuck' : place === null ? 'later' : 'placed';
  const name = `${kind}${isOpen ? ' open' : ''}`;
  const number = place === null ? '' : `${place + 1} `;
  const title = escape([text, ...hover].join('\n'));
  return `<i class="${name}" style="${style}" title="${title}">${escape(number + text)}</i>`;
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
