/** Every key, from the same table that the keys obey. */
import type { JSX } from 'preact';
import { bindings } from '../shell/keyboard.ts';
import { Dialog } from './dialog.tsx';

export function Help(): JSX.Element {
  return (
    <Dialog title="Keys">
      <dl class="keys">
        {bindings.map(({ shown, does }) => (
          <div key={shown}>
            <dt>
              {shown.split('  ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p class="hint">
        Whatever you do at a moment that has a future begins a branch; the old future stays. In the ring, draw a line to
        cut the links that it crosses.
      </p>
    </Dialog>
  );
}
