/** What an adversary does to a world of whole nodes: in words, and as choices for a person who takes its place. */
import type { ActionKind } from '@quorate/sim';
import { shortName } from './names.ts';
import type { Choice, PendingItem } from './protocol.ts';

/** In a sentence without its end. */
export function actionWords(action: ActionKind): string {
  if ('from' in action) return linkWords(action);
  if ('server' in action) return serverWords(action, shortName(action.server));
  if (action.kind === 'heal') return 'all links are mended';
  return `the network ${faultWords(action.faults, 'is well')}`;
}

function linkWords(action: Extract<ActionKind, { readonly from: string }>): string {
  const link = `${shortName(action.from)}→${shortName(action.to)}`;
  switch (action.kind) {
    case 'cut':
      return `the link ${link} is cut${action.how === 'reset' ? ', its connections break' : ''}`;
    case 'clog':
      return `nothing passes ${link} for ${millis(action.micros)}`;
    case 'reset':
      return `the connections ${link} break`;
  }
}

function serverWords(action: Extract<ActionKind, { readonly server: string }>, name: string): string {
  switch (action.kind) {
    case 'crash':
      return action.how === 'power' ? `${name} loses its power` : `${name} is killed`;
    case 'start':
      return `${name} is to start`;
    case 'pause':
      return `${name} stands still`;
    case 'resume':
      return `${name} goes on`;
    case 'disk':
      return `the disk of ${name} ${faultWords(action.faults, 'is well')}`;
    case 'stallDisk':
      return `the disk of ${name} stands still for ${millis(action.micros)}`;
    case 'stallLog':
      return `the log of ${name} stands still for ${millis(action.micros)}`;
    case 'rot':
      return `something rots on the disk of ${name}`;
    case 'spoil':
      return `entry ${action.index} rots on the disk of ${name}`;
    case 'loseDisk':
      return `${name} has another disk, empty; its cluster is ${action.state === 'new' ? 'to be founded' : 'there'}`;
    case 'reformat':
      return `${name} has left, and begins anew on an empty disk`;
    case 'change':
      return `${name} is asked: ${action.changes.map(({ op, id }) => `${op} ${shortName(id)}`).join(', ')}`;
    case 'transfer':
      return `${name} is to hand over${action.target === '' ? '' : ` to ${shortName(action.target)}`}`;
    case 'fill':
      return `the disk of ${name} is full but for ${action.left} bytes`;
    case 'free':
      return `the disk of ${name} has room again`;
    case 'stepClock':
      return `the wall clock of ${name} jumps by ${action.millis} ms`;
  }
}

/** Faults are numbers that are zero where nothing is wrong. */
function faultWords(faults: object, well: string): string {
  const wrong = Object.entries(faults).filter(([, value]) => typeof value === 'number' && value !== 0);
  return wrong.length === 0 ? well : `has ${wrong.map(([name, value]) => `${name} ${String(value)}`).join(', ')}`;
}

function millis(micros: number): string {
  return `${Math.round(micros / 1000)} ms`;
}

/** What is known of a server where somebody takes the adversary's place. */
export interface Victim {
  readonly id: string;
  readonly condition: 'running' | 'paused' | 'down';
}

/** How long a person lets a disk stand still. Virtual microseconds. */
const stall = 500_000;
/** How far a person sets a wall clock. Milliseconds: an hour, as bad as a seed makes it. */
const jump = 3_600_000;

/** What can be done to the servers of a world, and to its links as a whole. */
export function faultChoices(victims: readonly Victim[], hasCuts: boolean): readonly PendingItem[] {
  const items = victims.map((victim) => serverItem(victim, victims));
  return hasCuts ? [...items, item('links', '', 'cut links', [added('mend all', [{ kind: 'heal' }])])] : items;
}

function serverItem({ id, condition }: Victim, all: readonly Victim[]): PendingItem {
  const server = id;
  const others = all.map((victim) => victim.id).filter((other) => other !== id);
  const links: readonly ActionKind[] = others.flatMap((other): readonly ActionKind[] => [
    { kind: 'cut', from: id, to: other, how: 'silent' },
    { kind: 'cut', from: other, to: id, how: 'silent' },
  ]);
  const down = condition === 'down' ? 'it is down' : null;
  const choices = [
    added('kill', [{ kind: 'crash', server, how: 'process' }], down),
    added('cut its power', [{ kind: 'crash', server, how: 'power' }], down),
    condition === 'down' ? added('start', [{ kind: 'start', server }]) : null,
    condition === 'paused' ? added('resume', [{ kind: 'resume', server }]) : null,
    condition === 'running' ? added('pause', [{ kind: 'pause', server }]) : null,
    added('cut it off', links, others.length === 0 ? 'there is nobody else' : null, `${shortName(id)} is cut off`),
    added('disk stands still', [{ kind: 'stallDisk', server, micros: stall }], down),
    added('fill its disk', [{ kind: 'fill', server, left: 0 }]),
    added('make room', [{ kind: 'free', server }]),
    added('wall clock on', [{ kind: 'stepClock', server, millis: jump }]),
    added('wall clock back', [{ kind: 'stepClock', server, millis: -jump }]),
    added('hand over', [{ kind: 'transfer', server, target: '' }], down),
  ];
  return item(
    `${id} fault`,
    id,
    `${shortName(id)}: faults`,
    choices.filter((choice) => choice !== null),
  );
}

function added(
  label: string,
  actions: readonly ActionKind[],
  refused: string | null = null,
  name = actions[0] === undefined ? label : actionWords(actions[0]),
): Choice {
  return { label, action: { kind: 'deed', deed: { kind: 'add', name, actions } }, refused };
}

function item(key: string, server: string, title: string, choices: readonly Choice[]): PendingItem {
  return { key, group: server === '' ? 'link' : 'server', server, title, detail: '', dueAt: null, choices };
}

/** The adversary's next deed, which may be left out. */
export function leaveOutChoice(step: number, title: string, server: string | null): PendingItem {
  const action = { kind: 'deed', deed: { kind: 'leaveOut', step } } as const;
  const choices = [{ label: 'leave it out', action, refused: null }];
  return { ...item(`deed ${step}`, server ?? '', 'the adversary, next', choices), detail: title };
}
