/** The states ahead, as far as they were explored, and what is asked of the next exploration. */
import { computed, signal } from '@preact/signals';
import type { ExplorationView } from '../../engine/explore.ts';
import type { Predicate } from '../../engine/predicates.ts';
import { explore } from '../session.ts';
import { frame, opened, tab } from '../store.ts';

export interface Explored {
  readonly view: ExplorationView;
  /** The moment from which it was explored, in words. */
  readonly from: string;
}

export const goal = signal<Predicate | null>(null);
export const depth = signal(6);
const found = signal<{ readonly opened: number; readonly explored: Explored } | null>(null);
/** Of the run that is open; null while nothing of it was explored. */
export const explored = computed<Explored | null>(() =>
  found.value?.opened === opened.value ? found.value.explored : null,
);
/** The state of the picture that is looked at. */
export const chosen = signal<number | null>(null);

export const maxDepth = 40;

export function exploreAhead(): void {
  void exploreFromHere();
}

async function exploreFromHere(): Promise<void> {
  const moment = frame.value;
  if (moment === null) return;
  tab.value = 'States';
  if (moment.isRecording) return;
  const { branch, step } = moment.position;
  const run = opened.value;
  const name = moment.branches.find(({ id }) => id === branch)?.name ?? '';
  const view = await explore(goal.value, depth.value);
  if (view === null) return;
  found.value = { opened: run, explored: { view, from: `step ${step} of ${name}` } };
  chosen.value = null;
}
