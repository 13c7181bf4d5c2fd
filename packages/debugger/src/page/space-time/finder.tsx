/** Looks for a pattern of events: a well-known one, or words with arrows between them. */
import type { JSX } from 'preact';
import { motifs } from '../../engine/motifs.ts';
import { withShortNames } from '../../engine/names.ts';
import { plural } from '../format.ts';
import { seek } from '../session.ts';
import { lookFor, motif, occurrences, showOccurrence, shown, sought } from './pattern.ts';

export function Finder(): JSX.Element {
  const isLooking = motif.value !== null || sought.value.trim() !== '';
  const count = occurrences.value.length;
  return (
    <>
      <select
        aria-label="Pattern"
        value={motif.value ?? ''}
        onChange={({ currentTarget: { value } }) => lookFor('', value === '' ? null : value)}
      >
        <option value="">pattern…</option>
        {motifs.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <input
        type="search"
        placeholder="vote → leads → commit"
        aria-label="Find steps: words, or words with arrows between them"
        value={sought.value}
        onInput={(event) => lookFor(event.currentTarget.value, null)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') showOccurrence(event.shiftKey ? -1 : 1);
        }}
      />
      {isLooking && (
        <span class="found" role="status">
          {count === 0
            ? 'nowhere'
            : `${shown.value === null ? '' : `${shown.value.number} of `}${plural(count, 'place')}`}
          <button type="button" title="The place before  [" disabled={count === 0} onClick={() => showOccurrence(-1)}>
            ‹
          </button>
          <button type="button" title="The next place  ]" disabled={count === 0} onClick={() => showOccurrence(1)}>
            ›
          </button>
        </span>
      )}
    </>
  );
}

/** The place that is looked at, in words, with its steps. */
export function FoundPlace(): JSX.Element | null {
  if (shown.value === null) return null;
  const { steps, text } = shown.value.occurrence;
  return (
    <p class="said" aria-live="polite">
      {withShortNames(text)}
      {steps.map((step) => (
        <button key={step} type="button" onClick={() => void seek(step)}>
          step {step}
        </button>
      ))}
    </p>
  );
}
