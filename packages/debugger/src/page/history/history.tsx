/**
 * What clients asked, as bars in time (after Porcupine), with the order that explains every answer. A bar leads to its steps. Only the bars
 * in sight exist: all of them move whenever time does.
 */
import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { HistoryView, OperationView, Trouble } from '../../engine/history.ts';
import { Latest } from '../latest.ts';
import { formatMicros } from '../format.ts';
import { ask, seek } from '../session.ts';
import { frame } from '../store.ts';
import { useSize } from '../use-canvas.ts';

/** The newest so many are drawn; the verdict speaks of all. */
const maxDrawn = 300;
const barHeight = 20;
const rowHeight = barHeight + 4;
/** Rows beyond each edge, so that scrolling shows no holes, and whoever tabs from bar to bar finds a next one. */
const margin = 6;
/** Room for what was asked, as far as it is needed. */
const [leastLabel, mostLabel] = [120, 330];
/** Of a letter of a label, in pixels. */
const letterWidth = 7.3;
/** Of a letter of a name, in pixels. */
const nameWidth = 7;

export function History(): JSX.Element {
  const history = useSignal<HistoryView | null>(null);
  const asking = useRef(
    new Latest(async () => {
      const answer = await ask('history', {});
      if (answer !== null) history.value = answer;
    }),
  );
  const chosen = useSignal<number | null>(null);
  const { holder, size } = useSize();
  const { holder: scroller, size: sight } = useSize();
  const scrolled = useSignal(0);
  useSignalEffect(() => {
    if (frame.value !== null) asking.current.again();
  });
  const view = history.value;
  if (view !== null && view.absent !== null) return <p class="history hint">{view.absent}</p>;
  const drawn = view?.operations.slice(-maxDrawn) ?? [];
  const from = drawn[0]?.calledAt ?? 0;
  // Not that of the frame: everything would be drawn once for it, and once more when its history comes.
  const to = Math.max(from + 1, view?.now ?? 0);
  const longest = drawn.reduce((most, { text, server }) => Math.max(most, text.length + server.length + 5), 0);
  const labelWidth = Math.max(leastLabel, Math.min(mostLabel, longest * letterWidth + 16));
  const at = (time: number): number =>
    labelWidth + ((time - from) / (to - from)) * (size.value.width - labelWidth - 24);
  const named = withRoom(view?.troubles ?? [], at);
  const operation = drawn.find(({ id }) => id === chosen.value);
  // What stands above the bars is less high than the margin.
  const first = Math.max(0, Math.floor(scrolled.value / rowHeight) - margin);
  const inSight = drawn.slice(first, first + Math.ceil(sight.value.height / rowHeight) + 2 * margin);
  return (
    <div class="history" ref={scroller} onScroll={(event) => (scrolled.value = event.currentTarget.scrollTop)}>
      {view !== null && (
        <p class={`verdict ${view.verdict === 'violation' ? 'bad' : 'good'}`}>
          {{ ok: '✓', violation: '✗', unknown: '?' }[view.verdict]} {view.text}
        </p>
      )}
      {drawn.length === 0 && (
        <p class="hint">No client has asked for anything yet. Choose “propose” or “read” at a server.</p>
      )}
      <div class="bars" ref={holder}>
        <svg width={size.value.width} height={drawn.length * rowHeight + 26} role="group" aria-label="Operations">
          {view?.troubles.map((trouble) => (
            <Shade
              key={`${trouble.server ?? ''}${trouble.from}`}
              trouble={trouble}
              at={at}
              from={from}
              height={drawn.length * rowHeight}
              isNamed={named.has(trouble)}
            />
          ))}
          {inSight.map((each, row) => (
            <Bar
              key={each.id}
              operation={each}
              y={(first + row) * rowHeight + 4}
              from={at(each.calledAt)}
              to={at(each.endedAt ?? to)}
              letters={Math.floor((labelWidth - 16) / letterWidth)}
              isChosen={each.id === chosen.value}
              onChoose={() => (chosen.value = each.id)}
            />
          ))}
        </svg>
      </div>
      {operation !== undefined && <Links operation={operation} />}
    </div>
  );
}

/** Those whose names do not run into the one before. */
function withRoom(troubles: readonly Trouble[], at: (time: number) => number): ReadonlySet<Trouble> {
  const named = new Set<Trouble>();
  let end = 0;
  for (const trouble of [...troubles].sort((a, b) => a.from - b.from)) {
    const left = at(trouble.from);
    if (left < end) continue;
    named.add(trouble);
    end = left + trouble.text.length * nameWidth;
  }
  return named;
}

function Shade(props: {
  readonly trouble: Trouble;
  readonly at: (time: number) => number;
  readonly from: number;
  readonly height: number;
  readonly isNamed: boolean;
}): JSX.Element | null {
  const { trouble, at, from, height, isNamed } = props;
  if (trouble.to < from) return null;
  const left = at(Math.max(from, trouble.from));
  return (
    <g>
      <rect class="trouble" x={left} y={0} width={Math.max(1, at(trouble.to) - left)} height={height} />
      {isNamed && (
        <text class="trouble-name" x={left + 4} y={height + 14}>
          {trouble.text}
        </text>
      )}
      <title>{trouble.text}</title>
    </g>
  );
}

const signs: Readonly<Record<OperationView['state'], string>> = {
  open: '…',
  appended: '…',
  confirmed: '…',
  done: '✓',
  refused: '⊘',
  unknown: '?',
};

function Bar(props: {
  readonly operation: OperationView;
  readonly y: number;
  readonly from: number;
  readonly to: number;
  /** That there is room for. */
  readonly letters: number;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}): JSX.Element {
  const { operation, y, from, to, letters, isChosen, onChoose } = props;
  const { id, text, server, kind, state, place, isStuck } = operation;
  const width = Math.max(3, to - from);
  return (
    <g
      class={`bar-row ${kind} ${state}${isStuck ? ' stuck' : ''}${isChosen ? ' chosen' : ''}`}
      role="button"
      tabindex={0}
      aria-label={`operation ${id}, ${text} at ${server}: ${state}`}
      onClick={onChoose}
      onKeyDown={(event) => {
        if (event.key === 'Enter') onChoose();
      }}
    >
      <rect class="reach" x={0} y={y - 2} width={Math.max(0, from + width)} height={rowHeight} />
      <text class="label" x={8} y={y + 14}>
        {signs[state]} {cut(text, letters - server.length - 5)} · {server}
      </text>
      <title>{text}</title>
      <rect class="bar" x={from} y={y} width={width} height={barHeight} rx={4} />
      {place !== null && (
        <text class="place" x={from + width + 5} y={y + 14}>
          {place}
        </text>
      )}
    </g>
  );
}

function cut(text: string, letters: number): string {
  return text.length <= letters ? text : `${text.slice(0, Math.max(1, letters - 1))}…`;
}

function Links({ operation }: { readonly operation: OperationView }): JSX.Element {
  const { text, server, calledAt, calledStep, committedStep, endedStep, endedAt, index, state, place } = operation;
  return (
    <p class="said">
      <b>
        {text} at {server}
      </b>{' '}
      asked at {formatMicros(calledAt)}
      {index > 0 && `, entry ${index}`},{' '}
      {endedAt === null ? state : `${state} after ${formatMicros(endedAt - calledAt)}`}
      {place !== null && `, number ${place} in the order`}
      <Go text="asked" step={calledStep} />
      <Go text="committed" step={committedStep} />
      <Go text="answered" step={endedStep} />
    </p>
  );
}

function Go({ text, step }: { readonly text: string; readonly step: number | null }): JSX.Element | null {
  if (step === null) return null;
  return (
    <button type="button" onClick={() => void seek(step)}>
      {text}: step {step}
    </button>
  );
}
