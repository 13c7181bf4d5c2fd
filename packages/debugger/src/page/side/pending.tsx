/** Everything that can be done next, in the order in which it is due, with the reason where it cannot. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { PendingItem } from '../../engine/protocol.ts';
import { formatMicros } from '../format.ts';
import { frame, selection } from '../store.ts';
import { ChoiceButton } from './choice-button.tsx';

const groups = {
  all: 'All',
  message: 'Messages',
  timer: 'Timers',
  disk: 'Disks',
  client: 'Clients',
  server: 'Faults',
} as const;
type Group = keyof typeof groups;

const folded: Readonly<Record<PendingItem['group'], Group>> = {
  message: 'message',
  timer: 'timer',
  disk: 'disk',
  apply: 'disk',
  client: 'client',
  server: 'server',
  link: 'server',
};

export function Pending(): JSX.Element {
  const group = useSignal<Group>('all');
  const sought = useSignal('');
  const moment = frame.value;
  const all = moment?.pending ?? [];
  const shown = all.filter(
    (item) => (group.value === 'all' || folded[item.group] === group.value) && matches(item, sought.value),
  );
  return (
    <section class="panel pending" aria-label="Pending">
      <header>
        <h2>Pending</h2>
        <span class="count">{all.length}</span>
        <input
          id="search"
          type="search"
          placeholder="Search  /"
          aria-label="Search what is pending"
          value={sought.value}
          onInput={(event) => (sought.value = event.currentTarget.value)}
        />
      </header>
      <div class="filters" role="group" aria-label="Kinds">
        {(Object.keys(groups) as Group[]).map((each) => (
          <button key={each} type="button" aria-pressed={group.value === each} onClick={() => (group.value = each)}>
            {groups[each]}
          </button>
        ))}
      </div>
      <ul class="items" tabIndex={-1}>
        {shown.map((item) => (
          <Item key={item.key} item={item} now={moment?.now ?? 0} />
        ))}
        {shown.length === 0 && <li class="empty">{moment?.fixed ?? 'Nothing of this kind is pending.'}</li>}
      </ul>
    </section>
  );
}

function matches({ title, detail, server }: PendingItem, sought: string): boolean {
  const wanted = sought.trim().toLowerCase();
  return wanted === '' || `${title} ${detail} ${server}`.toLowerCase().includes(wanted);
}

function Item({ item, now }: { readonly item: PendingItem; readonly now: number }): JSX.Element {
  const isOpen = item.choices.some(({ refused }) => refused === null);
  return (
    <li class={`item ${item.group}${isOpen ? '' : ' closed'}`}>
      <button type="button" class="title" onClick={() => choose(item)}>
        <span class="what">{item.title}</span>
        {item.dueAt !== null && (
          <span class="due">{item.dueAt <= now ? 'now' : `in ${formatMicros(item.dueAt - now)}`}</span>
        )}
        {item.detail !== '' && <span class="detail">{item.detail}</span>}
      </button>
      <div class="choices">
        {item.choices.map((choice) => (
          <ChoiceButton key={choice.label} choice={choice} label={choice.label} />
        ))}
        {isOpen ? null : <Reasons item={item} />}
      </div>
    </li>
  );
}

/** Where nothing can be done: why, once for each reason. */
function Reasons({ item }: { readonly item: PendingItem }): JSX.Element {
  const reasons = new Set(item.choices.map(({ refused }) => refused));
  return <p class="reasons">{[...reasons].join('; ')}</p>;
}

/** What it is about is lit in the other views. */
function choose({ key, server }: PendingItem): void {
  const message = /^message (\d+)$/.exec(key)?.[1];
  selection.value = message === undefined ? { kind: 'server', id: server } : { kind: 'message', id: Number(message) };
}
