/** Marks of messages: the shape says what is asked, hollow ones are answers, the colour is the term. */
import type { MessageKind } from '@quorate/raft';
import type { MessageView } from '../../engine/views.ts';
import { type Palette, termColour } from '../theme.ts';
import type { Point } from './geometry.ts';

type Shape = 'square' | 'dot' | 'triangle' | 'diamond';

const shapes: Readonly<Record<MessageKind, Look>> = {
  preVote: { shape: 'triangle', short: 'PreVote' },
  preVoteReply: { shape: 'triangle', short: 'PreVote' },
  requestVote: { shape: 'triangle', short: 'Vote' },
  requestVoteReply: { shape: 'triangle', short: 'Vote' },
  appendEntries: { shape: 'square', short: 'Append' },
  appendEntriesReply: { shape: 'square', short: 'Append' },
  heartbeat: { shape: 'dot', short: 'Heartbeat' },
  heartbeatReply: { shape: 'dot', short: 'Heartbeat' },
  installSnapshot: { shape: 'diamond', short: 'Snapshot' },
  installSnapshotReply: { shape: 'diamond', short: 'Snapshot' },
  readIndex: { shape: 'diamond', short: 'Read' },
  readIndexReply: { shape: 'diamond', short: 'Read' },
  propose: { shape: 'diamond', short: 'Propose' },
  proposeReply: { shape: 'diamond', short: 'Propose' },
  changeMembers: { shape: 'diamond', short: 'Change' },
  changeMembersReply: { shape: 'diamond', short: 'Change' },
  timeoutNow: { shape: 'triangle', short: 'TimeoutNow' },
  fetchEntries: { shape: 'diamond', short: 'Fetch' },
  fetchEntriesReply: { shape: 'diamond', short: 'Fetch' },
};

interface Look {
  readonly shape: Shape;
  readonly short: string;
}

/** A Raft of the lab calls its messages as it likes: what they are for shows in their names, mostly. */
function lookOf(kind: string): Look {
  const known = (shapes as Readonly<Record<string, Look>>)[kind];
  if (known !== undefined) return known;
  const shape = /vote/i.test(kind)
    ? 'triangle'
    : /append|entries/i.test(kind)
      ? 'square'
      : /heart|beat/i.test(kind)
        ? 'dot'
        : 'diamond';
  return { shape, short: kind.replace(/Reply$/, '') };
}

export function isReply(kind: string): boolean {
  return kind.endsWith('Reply');
}

/** Characters beside a mark: the whole stands in its menu. */
const longestLabel = 36;

export function messageLabel({ kind, summary }: Pick<MessageView, 'kind' | 'summary'>): string {
  const text = summary.length <= longestLabel ? summary : `${summary.slice(0, longestLabel - 1)}…`;
  return `${lookOf(kind).short}${text === '' ? '' : ` ${text}`}`;
}

export function drawMessage(
  context: CanvasRenderingContext2D,
  palette: Palette,
  { kind, term }: MessageView,
  { x, y }: Point,
  isLit: boolean,
): void {
  const colour = termColour(palette, term);
  const size = isLit ? 9 : kind.startsWith('heartbeat') ? 4.5 : 7;
  context.beginPath();
  traceShape(context, lookOf(kind).shape, x, y, size);
  context.fillStyle = isReply(kind) ? palette.ground : colour;
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = isLit ? palette.text : colour;
  context.stroke();
  context.lineWidth = 1;
}

function traceShape(context: CanvasRenderingContext2D, shape: Shape, x: number, y: number, size: number): void {
  switch (shape) {
    case 'dot':
      context.arc(x, y, size, 0, 2 * Math.PI);
      return;
    case 'square':
      context.rect(x - size, y - size * 0.8, size * 2, size * 1.6);
      return;
    case 'triangle':
      context.moveTo(x, y - size * 1.15);
      context.lineTo(x + size * 1.1, y + size * 0.85);
      context.lineTo(x - size * 1.1, y + size * 0.85);
      context.closePath();
      return;
    case 'diamond':
      context.moveTo(x, y - size * 1.2);
      context.lineTo(x + size * 1.2, y);
      context.lineTo(x, y + size * 1.2);
      context.lineTo(x - size * 1.2, y);
      context.closePath();
  }
}
