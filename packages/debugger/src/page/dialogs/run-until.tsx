/** Picks what to run on to. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { describePredicate, type Predicate } from '../../engine/predicates.ts';
import { offered } from '../offered.ts';
import { runUntil, searchFor } from '../session.ts';
import { dialog } from '../shell/dialogs.ts';
import { frame } from '../store.ts';
import { Dialog } from './dialog.tsx';

export function RunUntil(): JSX.Element {
  const predicates = offered();
  const chosen = useSignal(0);
  const isRecording = frame.value?.isRecording === true;
  const run = (how: (predicate: Predicate) => Promise<void>): void => {
    const predicate = predicates[chosen.value];
    dialog.value = null;
    if (predicate !== undefined) void how(predicate);
  };
  return (
    <Dialog title="Run until…">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(runUntil);
        }}
      >
        <ul class="options">
          {predicates.map((predicate, at) => (
            <li key={describePredicate(predicate)}>
              <label>
                <input
                  type="radio"
                  name="predicate"
                  checked={chosen.value === at}
                  onChange={() => (chosen.value = at)}
                />{' '}
                {describePredicate(predicate)}
              </label>
            </li>
          ))}
        </ul>
        <div class="line">
          <button type="submit" class="primary">
            Continue until then
          </button>
          {!isRecording && (
            <button type="button" onClick={() => run(searchFor)}>
              Search for a schedule
            </button>
          )}
        </div>
        <p class="hint">
          {isRecording
            ? 'This has been: it goes on as it went. Other orders can be searched for in a world of cores.'
            : 'Continuing lets time go on by itself. A search tries other orders, a crash, lost messages and requests from here on, and makes a branch of what it finds.'}
        </p>
      </form>
    </Dialog>
  );
}
