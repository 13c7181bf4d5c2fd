/** Draws the part of the diagram that the window shows. */
import { isReply } from '../cluster/draw-message.ts';
import { shortName } from '../../engine/names.ts';
import { type Palette, termColour } from '../theme.ts';
import type { Arrow, Diagram, DiagramPoint } from './diagram.ts';

export interface Window {
  readonly width: number;
  readonly height: number;
  /** Pixels for one unit of `x`, and the unit at the left edge. */
  readonly scale: number;
  readonly left: number;
}

export interface Lit {
  /** The step that is selected, and its causal past; null where nothing is dimmed. */
  readonly past: ReadonlySet<number> | null;
  readonly selected: number | null;
  readonly found: ReadonlySet<number>;
  /** The moment that is looked at. */
  readonly step: number;
}

export const gutter = 58;
const top = 34;

export function laneHeight({ height }: Window, lanes: number): number {
  return Math.max(34, Math.min(96, (height - top - 26) / Math.max(1, lanes)));
}

export function laneY(window: Window, lanes: number, lane: number): number {
  return top + (lane + 0.5) * laneHeight(window, lanes);
}

export function toX(window: Window, x: number): number {
  return gutter + (x - window.left) * window.scale;
}

/** Points drawn larger than the space between them hide each other: then the window holds too much, and only lanes are full. */
export function drawDiagram(
  context: CanvasRenderingContext2D,
  diagram: Diagram,
  window: Window,
  lit: Lit,
  palette: Palette,
): void {
  const { width, height } = window;
  context.clearRect(0, 0, width, height);
  drawNow(context, diagram, window, lit.step, palette);
  context.save();
  context.beginPath();
  context.rect(gutter - 8, 0, width - gutter + 8, height);
  context.clip();
  drawLanes(context, diagram, window, palette);
  drawOfAll(context, diagram, window, palette);
  for (const arrow of diagram.arrows) drawArrow(context, diagram, window, arrow, lit, palette);
  for (const point of diagram.points) drawPoint(context, diagram, window, point, lit, palette);
  context.restore();
  drawNames(context, diagram, window, palette);
}

function drawLanes(context: CanvasRenderingContext2D, { lanes }: Diagram, window: Window, palette: Palette): void {
  context.strokeStyle = palette.line;
  context.lineWidth = 1.5;
  lanes.forEach((_, lane) => {
    const y = laneY(window, lanes.length, lane);
    context.beginPath();
    context.moveTo(gutter - 8, y);
    context.lineTo(window.width, y);
    context.stroke();
  });
}

const letters = 26;

/** What concerns no single server stands across all lanes: cuts, their end, what a test goes on to. */
function drawOfAll(
  context: CanvasRenderingContext2D,
  { lanes, points }: Diagram,
  window: Window,
  palette: Palette,
): void {
  context.font = '11px system-ui, "Liberation Sans", sans-serif';
  context.textAlign = 'left';
  context.textBaseline = 'top';
  context.lineWidth = 1;
  let labelEnd = 0;
  for (const { record, lane, x } of points) {
    const px = toX(window, x);
    if (lane < lanes.length || px < gutter - 8 || px > window.width) continue;
    const colour = record.kind === 'cut' ? palette.danger : record.kind === 'heal' ? palette.good : palette.faint;
    context.strokeStyle = colour;
    context.setLineDash([3, 4]);
    context.beginPath();
    context.moveTo(px, top - 8);
    context.lineTo(px, window.height);
    context.stroke();
    context.setLineDash([]);
    // A label that runs into the one before says less than none.
    if (px < labelEnd) continue;
    const text = record.title.length <= letters ? record.title : `${record.title.slice(0, letters - 1)}…`;
    context.fillStyle = palette.muted;
    context.fillText(text, px + 3, top - 22);
    labelEnd = px + 3 + context.measureText(text).width + 8;
  }
}

function drawNames(context: CanvasRenderingContext2D, { lanes }: Diagram, window: Window, palette: Palette): void {
  context.font = '600 13px system-ui, "Liberation Sans", sans-serif';
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  context.fillStyle = palette.text;
  lanes.forEach((name, lane) => context.fillText(shortName(name), gutter - 16, laneY(window, lanes.length, lane)));
}

function drawNow(
  context: CanvasRenderingContext2D,
  { xOfStep }: Diagram,
  window: Window,
  step: number,
  palette: Palette,
): void {
  const x = toX(window, step === 0 ? 0 : (xOfStep[step - 1] ?? 0));
  if (x < gutter - 8) return;
  context.strokeStyle = palette.accent;
  context.globalAlpha = 0.55;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x, top - 14);
  context.lineTo(x, window.height);
  context.stroke();
  context.globalAlpha = 1;
}

function drawArrow(
  context: CanvasRenderingContext2D,
  { lanes }: Diagram,
  window: Window,
  { message, from, to, isLost }: Arrow,
  lit: Lit,
  palette: Palette,
): void {
  const x1 = toX(window, from.x);
  const receiver = lanes.indexOf(message.to);
  const x2 = to === null ? window.width + 40 : toX(window, to.x);
  if (x2 < gutter || x1 > window.width) return;
  const y1 = laneY(window, lanes.length, from.lane);
  const y2 = laneY(window, lanes.length, receiver);
  // In flight: a short piece of the way, since nobody knows when it arrives.
  const share = to === null ? Math.min(1, 46 / Math.max(46, Math.hypot(46, y2 - y1))) : isLost ? 0.62 : 1;
  const endX = x1 + ((to === null ? x1 + 46 : x2) - x1) * (to === null ? 1 : share);
  const endY = y1 + (y2 - y1) * share;
  const isPast = lit.past === null || (to !== null && lit.past.has(to.record.step) && lit.past.has(from.record.step));
  context.globalAlpha = isPast ? 0.85 : 0.12;
  context.strokeStyle = isLost ? palette.danger : termColour(palette, message.term);
  context.lineWidth = message.kind.startsWith('appendEntries') ? 2 : 1.3;
  context.setLineDash(to === null ? [2, 4] : isReply(message.kind) ? [6, 4] : []);
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(endX, endY);
  context.stroke();
  context.setLineDash([]);
  if (isLost) drawLost(context, endX, endY);
  else if (to !== null) drawHead(context, x1, y1, endX, endY);
  context.globalAlpha = 1;
}

function drawLost(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.beginPath();
  for (const sign of [1, -1]) {
    context.moveTo(x - 4, y - 4 * sign);
    context.lineTo(x + 4, y + 4 * sign);
  }
  context.stroke();
}

function drawHead(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const back = 6;
  const x = x2 - 5 * Math.cos(angle);
  const y = y2 - 5 * Math.sin(angle);
  context.beginPath();
  for (const turn of [0.45, -0.45]) {
    context.moveTo(x, y);
    context.lineTo(x - back * Math.cos(angle + turn), y - back * Math.sin(angle + turn));
  }
  context.stroke();
}

function drawPoint(
  context: CanvasRenderingContext2D,
  { lanes }: Diagram,
  window: Window,
  { record, lane, x }: DiagramPoint,
  lit: Lit,
  palette: Palette,
): void {
  const px = toX(window, x);
  if (px < gutter - 10 || px > window.width + 10 || lane >= lanes.length) return;
  const py = laneY(window, lanes.length, lane);
  const isSelected = lit.selected === record.step;
  const isFound = lit.found.has(record.step);
  context.globalAlpha = lit.past === null || lit.past.has(record.step) ? 1 : 0.2;
  context.fillStyle = record.step > lit.step ? palette.faint : pointColour(record, palette);
  context.strokeStyle = isFound || isSelected ? palette.text : palette.ground;
  context.lineWidth = isFound || isSelected ? 2 : 1;
  context.beginPath();
  tracePoint(context, record.kind, px, py, isSelected || isFound ? 6 : 4.2);
  context.fill();
  context.stroke();
  const news = newsOf(record);
  if (news !== null && window.scale > 0.0001) {
    context.font = '11px system-ui, "Liberation Sans", sans-serif';
    context.textAlign = 'left';
    context.textBaseline = 'bottom';
    context.fillStyle = palette.text;
    context.fillText(news, px + 3, py - 6);
  }
  context.globalAlpha = 1;
}

function pointColour({ kind, changes }: DiagramPoint['record'], palette: Palette): string {
  if (kind === 'crash' || kind === 'crashAtDisk') return palette.danger;
  if (changes.commit !== null) return palette.good;
  return palette.accent;
}

/** Disk work is a square, a fault a cross-like diamond, everything else a dot. */
function tracePoint(context: CanvasRenderingContext2D, kind: string, x: number, y: number, size: number): void {
  if (kind === 'persist') context.rect(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8);
  else if (kind === 'crash' || kind === 'restart' || kind === 'pause' || kind === 'timeout') {
    context.moveTo(x, y - size * 1.3);
    context.lineTo(x + size * 1.3, y);
    context.lineTo(x, y + size * 1.3);
    context.lineTo(x - size * 1.3, y);
    context.closePath();
  } else context.arc(x, y, size, 0, 2 * Math.PI);
}

function newsOf({ kind, changes }: DiagramPoint['record']): string | null {
  if (kind === 'crash') return 'crash';
  if (kind === 'restart') return 'restart';
  if (changes.role === 'leader') return 'leads';
  return changes.role === 'candidate' ? 'stands' : null;
}
