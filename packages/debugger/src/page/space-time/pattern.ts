/** The pattern that is looked for in the diagram, where it is found, and which of those places is looked at. */
import { computed, signal } from '@preact/signals';
import { findPattern, motifs, type Occurrence } from '../../engine/motifs.ts';
import { selection, steps, tab } from '../store.ts';

/** Words, or words between arrows. */
export const sought = signal('');
/** One of the well-known patterns by its name; null for what is written. */
export const motif = signal<string | null>(null);
const place = signal(-1);

export const occurrences = computed<readonly Occurrence[]>(() => {
  const known = motifs.find(({ name }) => name === motif.value);
  return known === undefined ? findPattern(steps.value, sought.value) : known.find(steps.value);
});

/** The place that is looked at; null for none. */
export const shown = computed<{ readonly number: number; readonly occurrence: Occurrence } | null>(() => {
  const occurrence = occurrences.value[place.value];
  return occurrence === undefined ? null : { number: place.value + 1, occurrence };
});

/** All steps of all places; of the one that is looked at, where there is one. */
export const foundSteps = computed<ReadonlySet<number>>(
  () => new Set(shown.value?.occurrence.steps ?? occurrences.value.flatMap(({ steps: found }) => found)),
);

export function lookFor(words: string, known: string | null): void {
  sought.value = words;
  motif.value = known;
  place.value = -1;
}

export function showOccurrence(by: 1 | -1): void {
  const count = occurrences.value.length;
  if (count === 0) return;
  tab.value = 'Space-time';
  place.value = place.value === -1 ? (by === 1 ? 0 : count - 1) : (place.value + by + count) % count;
  const last = occurrences.value[place.value]?.steps.at(-1);
  if (last !== undefined) selection.value = { kind: 'step', step: last };
}
