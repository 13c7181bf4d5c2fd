/** To a step by its number. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { seek } from '../session.ts';
import { branch, frame } from '../store.ts';
import { dialog } from '../shell/dialogs.ts';
import { Dialog } from './dialog.tsx';

export function GoTo(): JSX.Element {
  const text = useSignal(String(frame.value?.position.step ?? 0));
  const most = branch.value?.length ?? 0;
  const step = /^\d+$/.test(text.value) ? Number(text.value) : null;
  const isThere = step !== null && step <= most;
  return (
    <Dialog title="Go to a step">
      <form
        class="line"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isThere) return;
          void seek(step);
          dialog.value = null;
        }}
      >
        <label>
          Step, from 0 to {most}{' '}
          <input
            inputMode="numeric"
            value={text.value}
            autoFocus
            onInput={(event) => (text.value = event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary" disabled={!isThere}>
          Go
        </button>
      </form>
    </Dialog>
  );
}
