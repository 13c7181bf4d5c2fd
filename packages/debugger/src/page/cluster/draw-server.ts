/** One server of the ring: its shape is its role, its colour its term, the arc around it how long it still waits. */
import type { EntryView, ServerView, TimerView } from '../../engine/views.ts';
import { shortName } from '../../engine/names.ts';
import { formatMicros } from '../format.ts';
import { type Palette, termColour } from '../theme.ts';
import type { Scene } from './draw.ts';
import type { Point } from './geometry.ts';

const roleNames = {
  preCandidate: 'asks first',
  candidate: 'candidate',
  leader: 'leader',
} as const;

/** Of one that follows. */
export const seatNames = { voter: 'follower', learner: 'learner', none: 'no member' } as const;

export function drawServer(context: CanvasRenderingContext2D, scene: Scene, server: ServerView): void {
  const { ring, palette, selection, now } = scene;
  const place = ring.places.get(server.id);
  if (place === undefined) return;
  const isDown = server.condition === 'down';
  const colour = isDown ? palette.faint : termColour(palette, server.term);
  if (selection?.kind === 'server' && selection.id === server.id) drawHalo(context, place, ring.nodeRadius, palette);
  if (!isDown) drawTimer(context, server, place, ring.nodeRadius, now, palette);
  if (!isDown) drawLease(context, server, place, ring.nodeRadius, now, palette);
  drawBody(context, server, place, ring.nodeRadius, colour, palette);
  drawInside(context, server, place, colour, palette);
  drawBelow(context, server, place, ring.nodeRadius, now, palette);
}

function drawHalo(context: CanvasRenderingContext2D, { x, y }: Point, radius: number, palette: Palette): void {
  context.fillStyle = palette.accent;
  context.globalAlpha = 0.16;
  context.beginPath();
  context.arc(x, y, radius + 17, 0, 2 * Math.PI);
  context.fill();
  context.globalAlpha = 1;
}

/** What is left of the patience: the election timer, or a leader's next check of its quorum. */
function drawTimer(
  context: CanvasRenderingContext2D,
  { timers, role }: ServerView,
  { x, y }: Point,
  radius: number,
  now: number,
  palette: Palette,
): void {
  const shown = timers.find(({ name }) => name === (role === 'leader' ? 'quorumCheck' : 'election'));
  if (shown === undefined) return;
  const left = shareLeft(shown, now);
  context.lineWidth = 3.5;
  context.strokeStyle = palette.line;
  context.beginPath();
  context.arc(x, y, radius + 9, 0, 2 * Math.PI);
  context.stroke();
  context.strokeStyle = left < 0.15 ? palette.danger : palette.muted;
  context.beginPath();
  context.arc(x, y, radius + 9, -Math.PI / 2, -Math.PI / 2 + left * 2 * Math.PI);
  context.stroke();
  context.lineWidth = 1;
}

/** What is left of a leader's lease, outside its countdown. */
function drawLease(
  context: CanvasRenderingContext2D,
  { lease }: ServerView,
  { x, y }: Point,
  radius: number,
  now: number,
  palette: Palette,
): void {
  if (lease === null || now >= lease.until) return;
  const left = shareLeft({ armedAt: lease.from, dueAt: lease.until }, now);
  context.lineWidth = 2.5;
  context.strokeStyle = palette.good;
  context.beginPath();
  context.arc(x, y, radius + 14, -Math.PI / 2, -Math.PI / 2 + left * 2 * Math.PI);
  context.stroke();
  context.lineWidth = 1;
}

function shareLeft({ armedAt, dueAt }: Pick<TimerView, 'armedAt' | 'dueAt'>, now: number): number {
  return Math.max(0, Math.min(1, (dueAt - now) / Math.max(1, dueAt - armedAt)));
}

function drawBody(
  context: CanvasRenderingContext2D,
  server: ServerView,
  place: Point,
  radius: number,
  colour: string,
  palette: Palette,
): void {
  context.beginPath();
  traceRole(context, server, place, radius);
  context.fillStyle = palette.raised;
  context.fill();
  const isLeader = server.role === 'leader' && server.condition !== 'down';
  context.globalAlpha = isLeader && !server.isStaleLeader ? 0.34 : 0.1;
  context.fillStyle = colour;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = isLeader ? 3.5 : 2;
  context.strokeStyle = colour;
  const isDashed = server.condition !== 'running' || server.isStaleLeader || server.role === 'preCandidate';
  context.setLineDash(isDashed ? [5, 4] : []);
  context.stroke();
  context.setLineDash([]);
  context.lineWidth = 1;
}

/** A circle follows, an octagon too but without a vote, a diamond stands for election, a hexagon leads, a square is down. */
function traceRole(
  context: CanvasRenderingContext2D,
  { role, condition, seat }: ServerView,
  { x, y }: Point,
  radius: number,
): void {
  if (condition === 'down') return polygon(context, x, y, radius * 1.05, 4, Math.PI / 4);
  switch (role) {
    case 'leader':
      return polygon(context, x, y, radius * 1.08, 6, 0);
    case 'candidate':
    case 'preCandidate':
      return polygon(context, x, y, radius * 1.12, 4, 0);
    case 'follower':
      if (seat !== 'voter') polygon(context, x, y, radius, 8, Math.PI / 8);
      else context.arc(x, y, radius, 0, 2 * Math.PI);
  }
}

function polygon(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  radius: number,
  n: number,
  turn: number,
): void {
  for (let at = 0; at < n; at++) {
    const angle = turn - Math.PI / 2 + (at * 2 * Math.PI) / n;
    context.lineTo(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
  }
  context.closePath();
}

function drawInside(
  context: CanvasRenderingContext2D,
  server: ServerView,
  { x, y }: Point,
  colour: string,
  palette: Palette,
): void {
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillStyle = palette.text;
  context.font = '600 15px system-ui, "DejaVu Sans", sans-serif';
  context.fillText(shortName(server.id), x, y - 8);
  context.font = '12px ui-monospace, "DejaVu Sans Mono", monospace';
  context.fillStyle = server.condition === 'down' || server.term === 0 ? palette.muted : colour;
  context.fillText(insideText(server), x, y + 10);
}

function insideText({ condition, term }: ServerView): string {
  if (condition === 'down') return 'down';
  return condition === 'paused' ? `t${term} ❚❚` : `t${term}`;
}

function drawBelow(
  context: CanvasRenderingContext2D,
  server: ServerView,
  { x, y }: Point,
  radius: number,
  now: number,
  palette: Palette,
): void {
  const top = y + radius + 17;
  context.textAlign = 'center';
  context.textBaseline = 'top';
  context.font = '11px system-ui, "DejaVu Sans", sans-serif';
  context.fillStyle = server.isStaleLeader || server.broken !== null ? palette.danger : palette.muted;
  context.fillText(`${wordsOf(server)}${leaseWords(server, now)}`, x, top);
  drawTail(context, server.tail, x, top + 17, server.log.commit, palette);
}

function wordsOf(server: ServerView): string {
  if (server.broken !== null) return 'stopped itself';
  if (server.condition === 'down') return 'its disk remains';
  if (server.isStaleLeader) return 'leader of the past';
  const votes = server.votes.filter(({ granted }) => granted).length;
  if (server.role === 'candidate' || server.role === 'preCandidate') return `${roleNames[server.role]}, votes ${votes}`;
  const name = server.role === 'follower' ? seatNames[server.seat] : roleNames[server.role];
  return server.role === 'leader' || server.vote === null ? name : `${name}, voted ${shortName(server.vote)}`;
}

function leaseWords({ lease, condition }: ServerView, now: number): string {
  if (lease === null || condition === 'down') return '';
  return now < lease.until ? `, lease ${formatMicros(lease.until - now)}` : ', its lease has run out';
}

const cell = 13;

/** The newest entries: colour and number are the term, a firm border is durable, a bar below is committed. */
function drawTail(
  context: CanvasRenderingContext2D,
  tail: readonly EntryView[],
  x: number,
  top: number,
  commit: number,
  palette: Palette,
): void {
  let left = x - (tail.length * (cell + 2) - 2) / 2;
  context.font = '9px ui-monospace, "DejaVu Sans Mono", monospace';
  context.textBaseline = 'middle';
  for (const entry of tail) {
    const colour = termColour(palette, entry.term);
    context.fillStyle = colour;
    context.globalAlpha = entry.durability === 'durable' ? 0.3 : 0.1;
    context.fillRect(left, top, cell, cell);
    context.globalAlpha = 1;
    context.setLineDash(entry.durability === 'durable' ? [] : [2, 2]);
    context.strokeStyle = colour;
    context.strokeRect(left + 0.5, top + 0.5, cell - 1, cell - 1);
    context.setLineDash([]);
    context.fillStyle = palette.text;
    context.fillText(entry.term === 0 ? '?' : String(entry.term), left + cell / 2, top + cell / 2 + 0.5);
    if (entry.index <= commit) {
      context.fillStyle = palette.good;
      context.fillRect(left, top + cell + 2, cell, 2);
    }
    left += cell + 2;
  }
}
