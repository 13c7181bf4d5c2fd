/** The keyboard map: one table, which the keys obey and the help shows. */
import { direction, maxSpeed, minSpeed, play, speed, stop } from '../player.ts';
import { act, cancel, seek, stepBy, toEnd, toStart } from '../session.ts';
import { branch, busy, frame, notice, problem, selection, tab, tabs } from '../store.ts';
import { showOccurrence } from '../space-time/pattern.ts';
import { exploreAhead } from '../states/exploring.ts';
import { nextTheme } from '../theme.ts';
import { dialog, type DialogName } from './dialogs.ts';

interface Binding {
  /** As `KeyboardEvent.key` has them. */
  readonly keys: readonly string[];
  readonly shown: string;
  readonly does: string;
  readonly run: () => void;
}

const still = (move: () => unknown) => (): void => {
  stop();
  void move();
};
const opens = (name: DialogName) => (): void => void (dialog.value = name);

export const bindings: readonly Binding[] = [
  { keys: ['n', 'ArrowRight'], shown: 'n  →', does: 'step', run: still(() => stepBy(1)) },
  { keys: ['p', 'ArrowLeft'], shown: 'p  ←', does: 'step back', run: still(() => stepBy(-1)) },
  { keys: ['N', 'PageDown'], shown: 'N', does: 'ten steps', run: still(() => stepBy(10)) },
  { keys: ['P', 'PageUp'], shown: 'P', does: 'ten steps back', run: still(() => stepBy(-10)) },
  { keys: [' '], shown: 'Space', does: 'play, or stop', run: () => play(direction.value === 0 ? 1 : direction.value) },
  { keys: ['r'], shown: 'r', does: 'play back', run: () => play(-1) },
  { keys: ['Home'], shown: 'Home', does: 'to the beginning', run: still(toStart) },
  { keys: ['End'], shown: 'End', does: 'to the end', run: still(toEnd) },
  { keys: ['+', '='], shown: '+', does: 'faster', run: () => (speed.value = Math.min(maxSpeed, speed.value + 0.25)) },
  { keys: ['-'], shown: '−', does: 'slower', run: () => (speed.value = Math.max(minSpeed, speed.value - 0.25)) },
  { keys: ['j'], shown: 'j', does: 'next event in the list', run: () => walk(1) },
  { keys: ['k'], shown: 'k', does: 'event before it', run: () => walk(-1) },
  { keys: ['m'], shown: 'm', does: 'menu of the next server', run: nextServer },
  { keys: ['b'], shown: 'b', does: 'next branch', run: still(nextBranch) },
  { keys: ['h'], shown: 'h', does: 'heal all links', run: () => void act({ kind: 'heal' }) },
  { keys: ['v'], shown: 'v', does: 'to the step that broke an invariant', run: still(toViolation) },
  { keys: ['1', '2', '3', '4', '5', '6'], shown: '1–6', does: tabs.join(', '), run: () => undefined },
  { keys: ['/'], shown: '/', does: 'search what is pending', run: () => document.getElementById('search')?.focus() },
  { keys: ['['], shown: '[', does: 'the place of a pattern before', run: () => showOccurrence(-1) },
  { keys: [']'], shown: ']', does: 'the next place of a pattern', run: () => showOccurrence(1) },
  { keys: ['e'], shown: 'e', does: 'explore the states ahead', run: exploreAhead },
  { keys: ['g'], shown: 'g', does: 'go to a step', run: opens('go') },
  { keys: ['u'], shown: 'u', does: 'run until…', run: opens('run') },
  { keys: ['y'], shown: 'y', does: 'why an invariant is broken', run: () => (tab.value = 'Invariants') },
  { keys: ['t'], shown: 't', does: 'tours', run: opens('tours') },
  { keys: ['o'], shown: 'o', does: 'open', run: opens('open') },
  { keys: ['s'], shown: 's', does: 'share and export', run: opens('share') },
  { keys: ['d'], shown: 'd', does: 'dark, light or as the system', run: nextTheme },
  { keys: ['?'], shown: '?', does: 'this help', run: opens('help') },
  { keys: ['Escape'], shown: 'Esc', does: 'close, or end what takes long', run: escape },
];

export function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
  const wantedTab = tabs[Number(event.key) - 1];
  const binding = bindings.find(({ keys }) => keys.includes(event.key));
  if (binding === undefined) return;
  if (dialog.value !== null && event.key !== 'Escape') return;
  // Space and Enter press whatever has the focus.
  if (event.key === ' ' && event.target instanceof HTMLButtonElement) return;
  event.preventDefault();
  if (wantedTab === undefined) binding.run();
  else tab.value = wantedTab;
}

function isTyping({ target, key }: KeyboardEvent): boolean {
  const isField =
    target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
  if (!isField) return false;
  if (key === 'Escape') target.blur();
  return target.type !== 'range' || key.startsWith('Arrow');
}

function escape(): void {
  if (busy.value !== null) cancel();
  else if (dialog.value !== null) dialog.value = null;
  else if (problem.value !== null) problem.value = null;
  else if (notice.value !== null) notice.value = null;
  else selection.value = null;
}

/** From button to button in the list of what is pending. */
function walk(by: 1 | -1): void {
  const buttons = [...document.querySelectorAll<HTMLButtonElement>('.pending .item .choice')];
  const at = buttons.findIndex((button) => button === document.activeElement);
  const wanted = at === -1 ? (by === 1 ? 0 : buttons.length - 1) : at + by;
  buttons[wanted]?.focus();
}

function nextServer(): void {
  const ids = frame.value?.servers.map(({ id }) => id) ?? [];
  const at = selection.value?.kind === 'server' ? ids.indexOf(selection.value.id) : -1;
  const id = ids[(at + 1) % ids.length];
  if (id !== undefined) selection.value = { kind: 'server', id };
}

function nextBranch(): Promise<boolean> | undefined {
  const branches = frame.value?.branches ?? [];
  const at = branches.findIndex(({ id }) => id === frame.value?.position.branch);
  const next = branches[(at + 1) % Math.max(1, branches.length)];
  return next === undefined ? undefined : seek(next.length, next.id);
}

function toViolation(): Promise<boolean> | undefined {
  const at = branch.value?.violation?.step ?? null;
  return at === null ? undefined : seek(at);
}
