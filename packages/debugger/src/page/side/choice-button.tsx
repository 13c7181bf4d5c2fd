/** One way to go on. What is not possible now says why. */
import type { JSX } from 'preact';
import type { Choice } from '../../engine/protocol.ts';
import { act } from '../session.ts';

export function ChoiceButton({ choice, label }: { readonly choice: Choice; readonly label: string }): JSX.Element {
  return (
    <button
      type="button"
      class="choice"
      aria-disabled={choice.refused !== null}
      title={choice.refused ?? undefined}
      onClick={() => {
        if (choice.refused === null) void act(choice.action);
      }}
    >
      {label}
      {choice.refused !== null && <span class="refused">{choice.refused}</span>}
    </button>
  );
}
