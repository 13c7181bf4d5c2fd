/** What can be done with a server or a message. Everything here is in the pending list as well, in other words. */
import type { JSX } from 'preact';
import type { Choice, PendingItem } from '../../engine/protocol.ts';
import { shortName } from '../../engine/names.ts';
import { act } from '../session.ts';
import { frame, selection } from '../store.ts';
import { ChoiceButton } from '../side/choice-button.tsx';

export function ServerMenu({ id }: { readonly id: string }): JSX.Element | null {
  const moment = frame.value;
  const server = moment?.servers.find((each) => each.id === id);
  if (moment === null || server === undefined) return null;
  const items = moment.pending.filter((item) => item.server === id && item.group !== 'message');
  return (
    <>
      <h3>
        {shortName(id)}
        <button type="button" class="close" aria-label="Close" onClick={() => (selection.value = null)}>
          ×
        </button>
      </h3>
      {sections.map(({ name, groups }) => (
        <Section key={name} name={name} items={items.filter(({ group }) => groups.includes(group))} />
      ))}
      {moment.fixed !== null && <p class="hint">{moment.fixed}</p>}
      {!moment.isRecording && (
        <ul class="choices">
          <li>
            <Isolation id={id} />
          </li>
        </ul>
      )}
    </>
  );
}

/** What people come for stands first. */
const sections: readonly { readonly name: string; readonly groups: readonly PendingItem['group'][] }[] = [
  { name: 'Faults', groups: ['server'] },
  { name: 'By itself', groups: ['timer', 'disk', 'apply'] },
  { name: 'Clients', groups: ['client'] },
];

function Section({
  name,
  items,
}: {
  readonly name: string;
  readonly items: readonly PendingItem[];
}): JSX.Element | null {
  if (items.length === 0) return null;
  return (
    <>
      <h4>{name}</h4>
      <ul class="choices">
        {items.flatMap((item) =>
          item.choices.map((choice) => (
            <li key={`${item.key}/${choice.label}`}>
              <ChoiceButton choice={choice} label={labelOf(item, choice)} />
            </li>
          )),
        )}
      </ul>
    </>
  );
}

function labelOf(item: PendingItem, choice: Choice): string {
  if (item.group !== 'timer' && item.group !== 'disk' && item.group !== 'apply') return choice.label;
  return `${item.title.slice(item.server.length + 1)}: ${choice.label}`;
}

/** A partition without a mouse: all links of one server. */
function Isolation({ id }: { readonly id: string }): JSX.Element | null {
  const moment = frame.value;
  if (moment === null) return null;
  const mine = moment.cuts.filter(({ from, to }) => from === id || to === id);
  const others = moment.servers.map((server) => server.id).filter((other) => other !== id);
  const links = others.flatMap((other) => [
    { from: id, to: other },
    { from: other, to: id },
  ]);
  const isWhole = mine.length === 0;
  const wanted = isWhole ? links : mine;
  return (
    <button
      type="button"
      class="choice"
      onClick={() => void act(...wanted.map(({ from, to }) => ({ kind: isWhole ? 'cut' : 'mend', from, to }) as const))}
    >
      {isWhole ? 'cut all its links' : 'heal its links'}
    </button>
  );
}

export function MessageMenu({ id }: { readonly id: number }): JSX.Element | null {
  const moment = frame.value;
  const message = moment?.messages.find((each) => each.id === id);
  const item = moment?.pending.find(({ key }) => key === `message ${id}`);
  if (message === undefined || item === undefined) return null;
  return (
    <>
      <h3>
        {item.title}
        <button type="button" class="close" aria-label="Close" onClick={() => (selection.value = null)}>
          ×
        </button>
      </h3>
      <p class="hint">{item.detail}</p>
      <ul class="choices">
        {item.choices.map((choice) => (
          <li key={choice.label}>
            <ChoiceButton choice={choice} label={choice.label} />
          </li>
        ))}
      </ul>
    </>
  );
}
