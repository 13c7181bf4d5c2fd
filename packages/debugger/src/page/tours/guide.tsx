/** The card of the tour that is under way: what there is to see, what there is to do, and a hand for those who would rather watch. */
import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { open } from '../session.ts';
import { frame, tab } from '../store.ts';
import { type Stop, type Tour, underway } from './tour.ts';

export async function begin(tour: Tour): Promise<void> {
  if (!(await open({ kind: 'run', run: tour.run }))) return;
  goTo(tour, 0);
}

function goTo(tour: Tour, stop: number): void {
  const next = tour.stops[stop];
  underway.value = next === undefined ? null : { tour, stop };
  if (next !== undefined) tab.value = next.tab ?? 'Cluster';
}

export function Guide(): JSX.Element | null {
  const now = underway.value;
  if (now === null) return null;
  const { tour, stop } = now;
  const here = tour.stops[stop];
  if (here === undefined) return null;
  return (
    <section class="guide" aria-label={`Tour: ${tour.title}`}>
      <header>
        <h2>{tour.title}</h2>
        <span class="hint">
          {stop + 1} of {tour.stops.length}
        </span>
        <button type="button" class="close" aria-label="End the tour" onClick={() => (underway.value = null)}>
          ×
        </button>
      </header>
      <div aria-live="polite">
        {here.says.map((paragraph) => (
          <p key={paragraph}>{paragraph}</p>
        ))}
      </div>
      <Steps key={`${tour.id} ${stop}`} tour={tour} stop={stop} here={here} />
    </section>
  );
}

function Steps({ tour, stop, here }: { readonly tour: Tour; readonly stop: number; readonly here: Stop }): JSX.Element {
  const isDone = useSignal(here.task === undefined);
  const isShowing = useSignal(false);
  useSignalEffect(() => {
    // Once done it stays done: one may step back to look again.
    if (frame.value !== null && here.task?.isDone(frame.value) === true) isDone.value = true;
  });
  const { task } = here;
  const show = (): void => {
    if (task === undefined || isShowing.value) return;
    isShowing.value = true;
    void task.show().finally(() => (isShowing.value = false));
  };
  const isLast = stop === tour.stops.length - 1;
  return (
    <>
      {task !== undefined && (
        <p class={isDone.value ? 'task done' : 'task'}>
          <span aria-hidden="true">{isDone.value ? '✓' : '▸'}</span> {task.asks}
        </p>
      )}
      <footer>
        <button type="button" disabled={stop === 0} onClick={() => goTo(tour, stop - 1)}>
          Back
        </button>
        <span class="spring" />
        {task !== undefined && !isDone.value && (
          <button type="button" onClick={show} aria-disabled={isShowing.value}>
            Show me
          </button>
        )}
        <button type="button" class="primary" disabled={!isDone.value} onClick={() => goTo(tour, stop + 1)}>
          {isLast ? 'End the tour' : 'Go on'}
        </button>
      </footer>
    </>
  );
}
