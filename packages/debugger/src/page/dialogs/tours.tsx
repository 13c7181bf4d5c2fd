/** The tours there are. */
import type { JSX } from 'preact';
import { dialog } from '../shell/dialogs.ts';
import { tours } from '../tours/all.ts';
import { begin } from '../tours/guide.tsx';
import { Dialog } from './dialog.tsx';

export function Tours(): JSX.Element {
  return (
    <Dialog title="Guided tours">
      <p class="hint">On the live engine, a few minutes each, with something to do at every stop.</p>
      <ul class="tours">
        {tours.map((tour) => (
          <li key={tour.id}>
            <button
              type="button"
              onClick={() => {
                dialog.value = null;
                void begin(tour);
              }}
            >
              <b>{tour.title}</b>
              <span class="hint">{tour.minutes} min</span>
              <span class="about">{tour.about}</span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
