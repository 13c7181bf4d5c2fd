/** The space-time diagram: who did what when, and what led to what. Wheel zooms, dragging moves, a click lights the past. */
import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { causalPast } from '../../engine/causal.ts';
import { plural } from '../format.ts';
import { seek } from '../session.ts';
import { frame, selection, steps } from '../store.ts';
import { palette } from '../theme.ts';
import { canvasPoint, fitCanvas, useSize } from '../use-canvas.ts';
import { axes, type Axis, buildDiagram, type DiagramPoint } from './diagram.ts';
import { Finder, FoundPlace } from './finder.tsx';
import { foundSteps, shown } from './pattern.ts';
import { drawDiagram, gutter, laneY, toX, type Window } from './draw-diagram.ts';

/** How near the pointer must be to a point. */
const reach = 10;
const zoomStep = 1.18;

export function SpaceTime(): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { holder, size } = useSize();
  const axis = useSignal<Axis>('steps');
  const isFolding = useSignal(true);
  /** Null: the window follows the moment that is looked at. */
  const view = useSignal<{ readonly scale: number; readonly left: number } | null>(null);
  const diagram = useComputed(() =>
    buildDiagram(frame.value?.servers.map(({ id }) => id) ?? [], steps.value, axis.value, isFolding.value),
  );
  // A place that was found is what one wants to see; otherwise the moment.
  const looked = useComputed(() => shown.value?.occurrence.steps.at(-1) ?? frame.value?.position.step ?? 0);
  const window = useComputed<Window>(() => ({
    ...size.value,
    ...(view.value ?? following(diagram.value, size.value.width, looked.value)),
  }));
  const chosen = useComputed(() => (selection.value?.kind === 'step' ? selection.value.step : null));
  const past = useComputed(() => (chosen.value === null ? null : new Set(causalPast(steps.value, chosen.value))));

  useSignalEffect(() => {
    const context = canvas.current === null ? null : fitCanvas(canvas.current, size.value);
    if (context === null) return;
    const lit = {
      past: past.value,
      selected: chosen.value,
      found: foundSteps.value,
      step: frame.value?.position.step ?? 0,
    };
    drawDiagram(context, diagram.value, window.value, lit, palette.value);
  });

  const onWheel = (event: WheelEvent): void => {
    event.preventDefault();
    const { scale, left } = window.value;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      view.value = { scale, left: left + (event.deltaX + (event.shiftKey ? event.deltaY : 0)) / scale };
      return;
    }
    const unit = left + (canvasPoint(event).x - gutter) / scale;
    const next = event.deltaY < 0 ? scale * zoomStep : scale / zoomStep;
    view.value = { scale: next, left: unit - (canvasPoint(event).x - gutter) / next };
  };
  const drag = useRef<{ readonly x: number; readonly left: number } | null>(null);
  const onPointerDown = (event: PointerEvent): void => {
    const point = nearest(diagram.value.points, window.value, diagram.value.lanes.length, canvasPoint(event));
    selection.value = point === null ? null : { kind: 'step', step: point.record.step };
    if (point !== null) return;
    drag.current = { x: canvasPoint(event).x, left: window.value.left };
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
  };
  const onPointerMove = (event: PointerEvent): void => {
    if (drag.current === null) return;
    const { scale } = window.value;
    view.value = { scale, left: drag.current.left - (canvasPoint(event).x - drag.current.x) / scale };
  };

  const record = chosen.value === null ? undefined : steps.value[chosen.value - 1];
  return (
    <div class="space-time">
      <div class="bar">
        <div class="filters" role="group" aria-label="Axis">
          {axes.map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={axis.value === each}
              onClick={() => {
                axis.value = each;
                view.value = null;
              }}
            >
              {each}
            </button>
          ))}
        </div>
        <label class="check">
          <input
            type="checkbox"
            checked={isFolding.value}
            onChange={() => {
              isFolding.value = !isFolding.value;
              view.value = null;
            }}
          />
          fold heartbeats{diagram.value.folded > 0 && ` (${plural(diagram.value.folded, 'step')})`}
        </label>
        <Finder />
        <span class="spring" />
        {view.value !== null && (
          <button type="button" onClick={() => (view.value = null)}>
            Follow the moment
          </button>
        )}
      </div>
      <div class="canvas" ref={holder}>
        <canvas
          ref={canvas}
          class="fill"
          role="img"
          aria-label={`Space-time diagram of ${plural(steps.value.length, 'step')}`}
          onWheel={onWheel}
          onPointerDown={onPointerDown}
          onPointerMove={onPointerMove}
          onPointerUp={() => (drag.current = null)}
        />
      </div>
      <FoundPlace />
      <p class="said" aria-live="polite">
        {record === undefined ? (
          <span class="hint">Click a step to light all that led to it.</span>
        ) : (
          <>
            <span class="step-number">{record.step}</span> {record.title}
            <span class="hint"> {past.value?.size ?? 1} steps led to it</span>
            <button type="button" onClick={() => void seek(record.step)}>
              go there
            </button>
          </>
        )}
      </p>
    </div>
  );
}

/** As much as can be told apart, with the moment near the right edge. */
function following(
  { extent, xOfStep }: { readonly extent: number; readonly xOfStep: readonly number[] },
  width: number,
  step: number,
): { readonly scale: number; readonly left: number } {
  const room = Math.max(1, width - gutter - 40);
  const perStep = extent / Math.max(1, xOfStep.length);
  const scale = Math.max(room / (extent * 1.02), 15 / Math.max(perStep, 1e-9));
  const shown = room / scale;
  const now = step === 0 ? 0 : (xOfStep[step - 1] ?? 0);
  return { scale, left: Math.max(-perStep, Math.min(now - shown * 0.7, extent - shown)) };
}

function nearest(
  points: readonly DiagramPoint[],
  window: Window,
  lanes: number,
  at: { readonly x: number; readonly y: number },
): DiagramPoint | null {
  let best: DiagramPoint | null = null;
  let distance = reach;
  for (const point of points) {
    const away = Math.hypot(toX(window, point.x) - at.x, laneY(window, lanes, point.lane) - at.y);
    if (away < distance) [best, distance] = [point, away];
  }
  return best;
}
