/** The ring of servers. Drawn on a canvas; each server is a button as well, so that keyboard and screen reader reach it. */
import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { shortName } from '../../engine/names.ts';
import type { Frame } from '../../engine/protocol.ts';
import { act } from '../session.ts';
import { frame, playhead, selection } from '../store.ts';
import { palette } from '../theme.ts';
import { canvasPoint, fitCanvas, useSize } from '../use-canvas.ts';
import { drawRing } from './draw.ts';
import { seatNames } from './draw-server.ts';
import { crossed, layOut, messageAt, type Point, type Ring, serverAt } from './geometry.ts';
import { Legend } from './legend.tsx';
import { MessageMenu, ServerMenu } from './menus.tsx';

export function Cluster(): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { holder, size } = useSize();
  const hovered = useSignal<number | null>(null);
  const knife = useSignal<{ readonly start: Point; readonly end: Point } | null>(null);
  const ring = useComputed<Ring>(() => layOut(frame.value?.servers ?? [], size.value.width, size.value.height));

  useSignalEffect(() => {
    const now = frame.value;
    const context = canvas.current === null ? null : fitCanvas(canvas.current, size.value);
    if (now === null || context === null) return;
    drawRing(context, {
      frame: now,
      ring: ring.value,
      palette: palette.value,
      now: playhead.value,
      selection: selection.value,
      hovered: hovered.value,
      knife: knife.value,
    });
  });

  const onPointerDown = (event: PointerEvent): void => {
    const point = canvasPoint(event);
    const moment = frame.value;
    if (moment === null || event.button !== 0) return;
    const message = messageAt(moment.messages, ring.value, playhead.value, point);
    const server = serverAt(ring.value, point);
    if (server !== null) selection.value = { kind: 'server', id: server };
    else if (message !== null) selection.value = { kind: 'message', id: message.id };
    else {
      selection.value = null;
      knife.value = { start: point, end: point };
      (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    }
  };
  const onPointerMove = (event: PointerEvent): void => {
    const point = canvasPoint(event);
    if (knife.value !== null) knife.value = { ...knife.value, end: point };
    else hovered.value = messageAt(frame.value?.messages ?? [], ring.value, playhead.value, point)?.id ?? null;
  };
  const onPointerUp = (): void => {
    const cut = knife.value;
    knife.value = null;
    if (cut !== null) void cutLinks(crossed(ring.value, cut.start, cut.end));
  };

  return (
    <div class="cluster" ref={holder}>
      <canvas
        ref={canvas}
        class="fill"
        role="img"
        aria-label={frame.value === null ? 'No cluster' : describeCluster(frame.value)}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerLeave={() => (hovered.value = null)}
      />
      <ServerButtons ring={ring.value} />
      <Legend />
      <Menus ring={ring.value} />
    </div>
  );
}

/** Below this a line was no line but a click beside everything. */
async function cutLinks(links: ReturnType<typeof crossed>): Promise<void> {
  const cuts = new Set(frame.value?.cuts.map(({ from, to }) => `${from}>${to}`));
  const actions = links
    .filter(({ from, to }) => !cuts.has(`${from}>${to}`))
    .map(({ from, to }) => ({ kind: 'cut', from, to }) as const);
  if (actions.length > 0) await act(...actions);
}

function describeCluster({ servers, messages, cuts, now }: Frame): string {
  const words = servers.map(({ id, role, seat, term, condition, lease }) =>
    condition === 'down'
      ? `${shortName(id)} is down`
      : `${shortName(id)} is ${role === 'follower' ? seatNames[seat] : role} in term ${term}${lease !== null && now < lease.until ? ' and holds a lease' : ''}`,
  );
  return `${words.join(', ')}; ${messages.length} messages in flight; ${cuts.length} links cut`;
}

function ServerButtons({ ring }: { readonly ring: Ring }): JSX.Element {
  const { nodeRadius: radius } = ring;
  return (
    <>
      {[...ring.places].map(([id, { x, y }]) => (
        <button
          key={id}
          type="button"
          class="server-button"
          style={{
            left: `${x - radius}px`,
            top: `${y - radius}px`,
            width: `${radius * 2}px`,
            height: `${radius * 2}px`,
          }}
          aria-label={`Server ${shortName(id)}`}
          aria-pressed={selection.value?.kind === 'server' && selection.value.id === id}
          onClick={() => (selection.value = { kind: 'server', id })}
        />
      ))}
    </>
  );
}

/** The menu stands beside what it is about, inside the ring's room. */
function Menus({ ring }: { readonly ring: Ring }): JSX.Element | null {
  const dialog = useRef<HTMLDivElement>(null);
  const chosen = selection.value;
  useEffect(() => {
    if (chosen?.kind === 'server') dialog.current?.querySelector('button')?.focus({ preventScroll: true });
  }, [chosen]);
  if (chosen === null || chosen.kind === 'step') return null;
  const place = chosen.kind === 'server' ? ring.places.get(chosen.id) : null;
  const isRight = place !== null && place !== undefined && place.x > ring.width / 2;
  const style =
    place === null || place === undefined
      ? { left: '12px', bottom: '12px' }
      : {
          [isRight ? 'right' : 'left']:
            `${isRight ? ring.width - place.x + ring.nodeRadius + 24 : place.x + ring.nodeRadius + 24}px`,
          top: `${Math.max(8, Math.min(place.y - 60, ring.height - 330))}px`,
        };
  return (
    <div class="menu" ref={dialog} style={style} role="group" aria-label="What to do with it">
      {chosen.kind === 'server' ? <ServerMenu id={chosen.id} /> : <MessageMenu id={chosen.id} />}
    </div>
  );
}
