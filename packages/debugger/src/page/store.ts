/** What the page knows: the moment that is looked at, the steps of every branch, and what the person has chosen. */
import { batch, computed, signal } from '@preact/signals';
import type { BranchView, Frame } from '../engine/protocol.ts';
import type { StepRecord } from '../engine/step-record.ts';

export const tabs = ['Cluster', 'Logs', 'Space-time', 'History', 'Invariants', 'States'] as const;
export type Tab = (typeof tabs)[number];

export type Selection =
  | { readonly kind: 'server'; readonly id: string }
  | { readonly kind: 'message'; readonly id: number }
  | { readonly kind: 'step'; readonly step: number };

export const frame = signal<Frame | null>(null);
export const tab = signal<Tab>('Cluster');
export const selection = signal<Selection | null>(null);
/** What went wrong last, in words; null once it is dismissed. */
export const problem = signal<string | null>(null);
/** What takes long at this moment; null for nothing. */
export const busy = signal<string | null>(null);
/** What has come of the last search or run. */
export const notice = signal<string | null>(null);
/** What was said of a run, and has been read. */
export const readRemark = signal<string | null>(null);

/** Where playing stands, in virtual microseconds, between two steps. */
export const playhead = signal(0);

/** Each branch's own steps, in order, from where it parts from its parent. */
const own = new Map<number, StepRecord[]>();
/** Counts the runs that were opened: what was found in one says nothing of the next. */
export const opened = signal(0);
/** Counts up with every step that is learned, so that diagrams know when to look again. */
const learned = signal(0);

export function forgetSteps(): void {
  own.clear();
  opened.value += 1;
  learned.value += 1;
}

export function takeFrame(next: Frame): void {
  for (const { branch, from, records } of next.news) {
    const known = own.get(branch) ?? [];
    known.length = from;
    known.push(...records);
    own.set(branch, known);
  }
  batch(() => {
    frame.value = next;
    if (next.news.length > 0) learned.value += 1;
  });
}

export const branch = computed<BranchView | null>(() => {
  const now = frame.value;
  return now?.branches.find(({ id }) => id === now.position.branch) ?? null;
});

/** All steps of a branch, those that it shares included. */
function stepsOf(id: number, branches: readonly BranchView[]): readonly StepRecord[] {
  const view = branches.find((each) => each.id === id);
  if (view === undefined) return [];
  const mine = own.get(id) ?? [];
  return view.parent === null ? mine : [...stepsOf(view.parent, branches).slice(0, view.forkAt), ...mine];
}

const branchId = computed(() => frame.value?.position.branch ?? 0);

/** The steps of the branch that is looked at: another list whenever more of them are known. */
export const steps = computed<readonly StepRecord[]>(() => {
  void learned.value;
  // Which branches there are changes only when steps are learned.
  return [...stepsOf(branchId.value, frame.peek()?.branches ?? [])];
});

export const selectedServer = computed<string | null>(() => {
  const chosen = selection.value;
  if (chosen?.kind === 'server') return chosen.id;
  return frame.value?.happened?.server ?? frame.value?.servers[0]?.id ?? null;
});
