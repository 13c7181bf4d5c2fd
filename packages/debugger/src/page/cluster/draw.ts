/** Draws the ring: links, servers, then messages on top. Everything that colour says is said by shape or text as well. */
import type { Frame } from '../../engine/protocol.ts';
import type { MessageView } from '../../engine/views.ts';
import type { Selection } from '../store.ts';
import type { Palette } from '../theme.ts';
import { controlOf, onPath, placeOf, type Point, type Ring } from './geometry.ts';
import { drawMessage, messageLabel } from './draw-message.ts';
import { drawServer } from './draw-server.ts';

export interface Scene {
  readonly frame: Frame;
  readonly ring: Ring;
  readonly palette: Palette;
  /** Virtual time, between the moment and the next. */
  readonly now: number;
  readonly selection: Selection | null;
  readonly hovered: number | null;
  /** The line that is being drawn. */
  readonly knife: { readonly start: Point; readonly end: Point } | null;
}

/** Beyond so many messages labels would hide each other. */
const maxLabelled = 12;

export function drawRing(context: CanvasRenderingContext2D, scene: Scene): void {
  const { ring, frame } = scene;
  context.clearRect(0, 0, ring.width, ring.height);
  drawLinks(context, scene);
  for (const server of frame.servers) drawServer(context, scene, server);
  const labelled = frame.messages.length <= maxLabelled;
  for (const message of frame.messages) drawInFlight(context, scene, message, labelled);
  drawKnife(context, scene);
}

function drawLinks(context: CanvasRenderingContext2D, { ring, palette, frame }: Scene): void {
  const cuts = new Set(frame.cuts.map(({ from, to }) => `${from}>${to}`));
  context.lineWidth = 1;
  for (const [from, a] of ring.places) {
    for (const [to, b] of ring.places) {
      if (from === to) continue;
      const isCut = cuts.has(`${from}>${to}`);
      const control = controlOf(a, b);
      context.strokeStyle = isCut ? palette.danger : palette.line;
      context.setLineDash(isCut ? [3, 5] : []);
      context.beginPath();
      context.moveTo(a.x, a.y);
      context.quadraticCurveTo(control.x, control.y, b.x, b.y);
      context.stroke();
      context.setLineDash([]);
      if (isCut) drawCross(context, onPath(a, b, 0.5), palette.danger, palette.ground);
    }
  }
}

function drawCross(context: CanvasRenderingContext2D, { x, y }: Point, colour: string, ground: string): void {
  context.fillStyle = ground;
  context.beginPath();
  context.arc(x, y, 8, 0, 2 * Math.PI);
  context.fill();
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.beginPath();
  for (const sign of [1, -1]) {
    context.moveTo(x - 4, y - 4 * sign);
    context.lineTo(x + 4, y + 4 * sign);
  }
  context.stroke();
  context.lineWidth = 1;
}

function drawInFlight(context: CanvasRenderingContext2D, scene: Scene, message: MessageView, labelled: boolean): void {
  const { ring, palette, now, selection, hovered } = scene;
  const place = placeOf(message, ring, now);
  if (place === null) return;
  const isChosen = selection?.kind === 'message' && selection.id === message.id;
  drawMessage(context, palette, message, place, isChosen || hovered === message.id);
  if (!labelled && !isChosen && hovered !== message.id) return;
  context.font = '11px ui-monospace, "DejaVu Sans Mono", monospace';
  const text = messageLabel(message);
  const width = context.measureText(text).width;
  const x = Math.min(Math.max(place.x, width / 2 + 4), ring.width - width / 2 - 4);
  context.fillStyle = palette.ground;
  context.globalAlpha = 0.82;
  context.fillRect(x - width / 2 - 3, place.y + 9, width + 6, 15);
  context.globalAlpha = 1;
  context.textAlign = 'center';
  context.textBaseline = 'top';
  context.fillStyle = isChosen ? palette.text : palette.muted;
  context.fillText(text, x, place.y + 11);
}

function drawKnife(context: CanvasRenderingContext2D, { knife, palette }: Scene): void {
  if (knife === null) return;
  context.strokeStyle = palette.danger;
  context.lineWidth = 2;
  context.setLineDash([7, 5]);
  context.beginPath();
  context.moveTo(knife.start.x, knife.start.y);
  context.lineTo(knife.end.x, knife.end.y);
  context.stroke();
  context.setLineDash([]);
  context.lineWidth = 1;
}
