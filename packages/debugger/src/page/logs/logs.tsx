/** The log matrix: servers by indexes. Only the columns in sight exist. Colour and number are the term, the border tells durability. */
import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { shortName } from '../../engine/names.ts';
import type { EntryStory, EntryView, LogWindow, ServerView } from '../../engine/views.ts';
import { ask, seek } from '../session.ts';
import { frame, selection } from '../store.ts';
import { Latest } from '../latest.ts';
import { palette, termColour } from '../theme.ts';
import { useSize } from '../use-canvas.ts';
import { StoryCard } from './story-card.tsx';

export const cellWidth = 40;
const headWidth = 92;
/** Columns beyond each edge, so that scrolling shows no holes. */
const margin = 6;

interface Hovered {
  readonly story: EntryStory | null;
  readonly server: string;
  readonly entry: EntryView;
  readonly x: number;
  readonly y: number;
}

export function Logs(): JSX.Element {
  const { holder, size } = useSize();
  const scrolled = useSignal(0);
  const windows = useSignal<readonly LogWindow[]>([]);
  const hovered = useSignal<Hovered | null>(null);
  const jump = useSignal('');
  const last = useComputed(() => Math.max(1, ...(frame.value?.servers.map(({ log }) => log.last) ?? [])));
  const range = useComputed(() => {
    const first = Math.max(1, Math.floor(scrolled.value / cellWidth) + 1 - margin);
    return { from: first, to: first + Math.ceil(size.value.width / cellWidth) + 2 * margin };
  });

  const asking = useRef(
    new Latest(async () => {
      const answer = await ask('logs', range.peek());
      if (answer !== null) windows.value = answer;
    }),
  );
  useSignalEffect(() => {
    void range.value;
    if (frame.value !== null) asking.current.again();
  });
  useEnd(holder, last.value);

  const goTo = (index: number): void => {
    holder.current?.scrollTo({ left: Math.max(0, (index - 1) * cellWidth - size.value.width / 2) });
  };
  return (
    <div class="logs">
      <div class="bar">
        <Key />
        <span class="spring" />
        <label>
          Index{' '}
          <input
            class="number"
            inputMode="numeric"
            value={jump.value}
            onInput={(event) => (jump.value = event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && /^\d+$/.test(jump.value)) goTo(Number(jump.value));
            }}
          />
        </label>
        <button
          type="button"
          onClick={() => goTo(Math.max(...(frame.value?.servers.map(({ log }) => log.commit) ?? [1])))}
        >
          commit
        </button>
        <button type="button" onClick={() => goTo(firstConflict(windows.value) ?? last.value)}>
          conflict
        </button>
      </div>
      <div class="matrix" ref={holder} onScroll={(event) => (scrolled.value = event.currentTarget.scrollLeft)}>
        <div class="wide" style={{ width: `${headWidth + (last.value + 1) * cellWidth}px` }}>
          <Header from={range.value.from} to={Math.min(range.value.to, last.value)} />
          <Committed windows={windows.value} />
          {frame.value?.servers.map((server) => (
            <Row
              key={server.id}
              server={server}
              entries={windows.value.find((each) => each.server === server.id)?.entries ?? []}
              onHover={(next) => (hovered.value = next)}
            />
          ))}
        </div>
      </div>
      {hovered.value !== null && <StoryCard {...hovered.value} />}
    </div>
  );
}

/** The newest entries are what one came for. */
function useEnd(holder: { readonly current: HTMLDivElement | null }, last: number): void {
  const before = useRef(0);
  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    const wasAtEnd = element.scrollLeft + element.clientWidth >= headWidth + before.current * cellWidth;
    if (wasAtEnd) element.scrollLeft = element.scrollWidth;
    before.current = last;
  }, [last, holder]);
}

function firstConflict(windows: readonly LogWindow[]): number | null {
  const terms = new Map<number, number>();
  let first: number | null = null;
  for (const { entries } of windows) {
    for (const { index, term } of entries) {
      const known = terms.get(index);
      if (known === undefined) terms.set(index, term);
      else if (known !== term && (first === null || index < first)) first = index;
    }
  }
  return first;
}

function Header({ from, to }: { readonly from: number; readonly to: number }): JSX.Element {
  const indexes = Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => from + at);
  return (
    <div class="indexes">
      {indexes.map((index) => (
        <span key={index} style={{ left: `${left(index)}px`, width: `${cellWidth}px` }}>
          {index}
        </span>
      ))}
    </div>
  );
}

/** What some leader has committed: nobody in the cluster sees all of it. */
function Committed({ windows }: { readonly windows: readonly LogWindow[] }): JSX.Element {
  const committed = new Map<number, number>();
  for (const { server, entries } of windows) {
    const commit = frame.value?.servers.find(({ id }) => id === server)?.log.commit ?? 0;
    for (const { index, term } of entries) if (index <= commit) committed.set(index, term);
  }
  return (
    <div class="ghost">
      <span class="name">committed</span>
      {[...committed].map(([index, term]) => (
        <span
          key={index}
          class="mini"
          style={{ left: `${left(index)}px`, '--term': termColour(palette.value, term) }}
          title={`entry ${index} of term ${term} is committed`}
        >
          {term}
        </span>
      ))}
    </div>
  );
}

function left(index: number): number {
  return headWidth + (index - 1) * cellWidth;
}

function Row(props: {
  readonly server: ServerView;
  readonly entries: readonly EntryView[];
  readonly onHover: (hovered: Hovered | null) => void;
}): JSX.Element {
  const { server, entries, onHover } = props;
  const { log } = server;
  const enter = (entry: EntryView, element: HTMLElement): void => {
    const { x, y, height } = element.getBoundingClientRect();
    const shown = { server: server.id, entry, x, y: y + height, story: null };
    onHover(shown);
    void ask('story', { server: server.id, index: entry.index }).then((story) => onHover({ ...shown, story }));
  };
  return (
    <div class={`log-row ${server.condition}`}>
      <button
        type="button"
        class="server"
        aria-pressed={selection.value?.kind === 'server' && selection.value.id === server.id}
        onClick={() => (selection.value = { kind: 'server', id: server.id })}
      >
        <b>{shortName(server.id)}</b> {server.role === 'leader' && server.condition !== 'down' ? '⬢' : ''}
        <span>{server.condition === 'down' ? 'down' : `t${server.term}`}</span>
      </button>
      {log.base > 0 && (
        <span class="snapshot" style={{ left: `${left(1)}px`, width: `${log.base * cellWidth - 4}px` }}>
          snapshot up to {log.snapshot}
        </span>
      )}
      {entries.map((entry) => (
        <button
          key={entry.index}
          type="button"
          class={`cell ${entry.durability}`}
          style={{ left: `${left(entry.index)}px`, '--term': termColour(palette.value, entry.term) }}
          aria-label={`${server.id}, entry ${entry.index} of term ${entry.term}, ${entry.durability}: ${entry.text}`}
          onPointerEnter={(event) => enter(entry, event.currentTarget)}
          onFocus={(event) => enter(entry, event.currentTarget)}
          onPointerLeave={() => onHover(null)}
          onBlur={() => onHover(null)}
          onClick={() => void goToOrigin(server.id, entry.index)}
        >
          {entry.term === 0 ? '?' : entry.term}
          <i>{{ noop: '∅', command: '', configuration: '⚙' }[entry.kind]}</i>
        </button>
      ))}
      <Rulers server={server} />
    </div>
  );
}

async function goToOrigin(server: string, index: number): Promise<void> {
  const story = await ask('story', { server, index });
  if (story !== null) await seek(story.createdAt);
}

/** Marks between the columns: what lies left of one is committed, applied, known to match, and so on. */
function Rulers({ server }: { readonly server: ServerView }): JSX.Element {
  const leader = frame.value?.servers
    .filter(({ role, condition }) => role === 'leader' && condition !== 'down')
    .sort((a, b) => b.term - a.term)[0];
  const progress = leader?.followers.find(({ id }) => id === server.id);
  const marks = [
    { name: 'committed', at: server.log.commit, sign: 'C' },
    { name: 'applied', at: server.log.applied, sign: 'A' },
    ...(progress === undefined
      ? []
      : [
          { name: `match, as ${leader?.id ?? ''} knows`, at: progress.match, sign: 'm' },
          { name: `next that ${leader?.id ?? ''} sends`, at: progress.next - 1, sign: 'n' },
        ]),
  ];
  return (
    <>
      {[...new Set(marks.map(({ at }) => at))].map((at) => {
        const here = marks.filter((mark) => mark.at === at);
        return (
          <span
            key={at}
            class={here.some(({ sign }) => sign === 'C') ? 'ruler commit' : 'ruler'}
            style={{ left: `${left(at + 1) - 2}px` }}
            title={here.map(({ name }) => `${name}: ${at}`).join('; ')}
          >
            {here.map(({ sign }) => (
              <i key={sign} class={sign}>
                {sign}
              </i>
            ))}
          </span>
        );
      })}
    </>
  );
}

function Key(): JSX.Element {
  if (frame.value?.source === 'lab') return <LabKey />;
  return (
    <ul class="key">
      <li>
        <span class="cell volatile">2</span> in memory
      </li>
      <li>
        <span class="cell written">2</span> being written
      </li>
      <li>
        <span class="cell durable">2</span> durable
      </li>
      <li>
        <span class="cell faulty">2</span> damaged
      </li>
      <li>
        <b>C</b> committed <b>A</b> applied <b>m n</b> match, next
      </li>
    </ul>
  );
}

/** Of a Raft in the lab its log is its own: what it was handed as a leader and what it applied can be seen. */
function LabKey(): JSX.Element {
  return (
    <ul class="key">
      <li>
        <span class="cell volatile">2</span> handed to a leader
      </li>
      <li>
        <span class="cell durable">2</span> applied
      </li>
      <li>
        <b>?</b> of a term that nobody said
      </li>
    </ul>
  );
}
