/** Where things are in the ring: servers on a circle, messages on the bent lines between them. */
import type { CutView, MessageView, ServerView } from '../../engine/views.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Ring {
  readonly width: number;
  readonly height: number;
  readonly centre: Point;
  readonly radius: number;
  /** Of one server. */
  readonly nodeRadius: number;
  readonly places: ReadonlyMap<string, Point>;
}

const labelRoom = 58;
const largestNode = 34;

export function layOut(servers: readonly ServerView[], width: number, height: number): Ring {
  const count = Math.max(servers.length, 1);
  const room = Math.max(80, Math.min(width * 0.8, height) / 2 - labelRoom);
  // Servers may not touch, however many there are.
  const nodeRadius = Math.min(largestNode, (room * Math.PI) / count / 1.7);
  const radius = room - nodeRadius / 2;
  const centre = { x: width / 2, y: height / 2 - 6 };
  const places = new Map<string, Point>();
  servers.forEach(({ id }, at) => {
    const angle = -Math.PI / 2 + (at * 2 * Math.PI) / count;
    places.set(id, { x: centre.x + radius * Math.cos(angle), y: centre.y + radius * Math.sin(angle) });
  });
  return { width, height, centre, radius, nodeRadius, places };
}

/** The two directions of a link bend away from each other, so that a message and its answer do not meet. */
const bend = 0.11;

export function onPath(from: Point, to: Point, share: number): Point {
  const control = controlOf(from, to);
  const left = 1 - share;
  return {
    x: left * left * from.x + 2 * left * share * control.x + share * share * to.x,
    y: left * left * from.y + 2 * left * share * control.y + share * share * to.y,
  };
}

export function controlOf(from: Point, to: Point): Point {
  return {
    x: (from.x + to.x) / 2 - (to.y - from.y) * bend,
    y: (from.y + to.y) / 2 + (to.x - from.x) * bend,
  };
}

/** Where a message is at `now`: it leaves the sender's edge and reaches the receiver's when it is due. */
export function placeOf(message: MessageView, ring: Ring, now: number): Point | null {
  const from = ring.places.get(message.from);
  const to = ring.places.get(message.to);
  if (from === undefined || to === undefined) return null;
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const edge = Math.min(0.4, (ring.nodeRadius + 8) / Math.max(length, 1));
  const duration = Math.max(1, message.dueAt - message.sentAt);
  const progress = Math.max(0, Math.min(1, (now - message.sentAt) / duration));
  return onPath(from, to, edge + progress * (1 - 2 * edge));
}

export function serverAt(ring: Ring, point: Point): string | null {
  for (const [id, place] of ring.places) {
    if (Math.hypot(place.x - point.x, place.y - point.y) <= ring.nodeRadius + 6) return id;
  }
  return null;
}

/** How near the pointer must be to a message. */
const reach = 13;

export function messageAt(messages: readonly MessageView[], ring: Ring, now: number, point: Point): MessageView | null {
  let nearest: MessageView | null = null;
  let best = reach;
  for (const message of messages) {
    const place = placeOf(message, ring, now);
    if (place === null) continue;
    const distance = Math.hypot(place.x - point.x, place.y - point.y);
    if (distance < best) [nearest, best] = [message, distance];
  }
  return nearest;
}

/** The links that a drawn line crosses, each in both directions. */
export function crossed(ring: Ring, start: Point, end: Point): readonly CutView[] {
  const places = [...ring.places];
  const found: CutView[] = [];
  for (const [from, a] of places) {
    for (const [to, b] of places) if (from !== to && intersects(a, b, start, end)) found.push({ from, to });
  }
  return found;
}

function intersects(a: Point, b: Point, c: Point, d: Point): boolean {
  return side(a, b, c) !== side(a, b, d) && side(c, d, a) !== side(c, d, b);
}

function side(a: Point, b: Point, c: Point): boolean {
  return (b.x - a.x) * (c.y - a.y) > (b.y - a.y) * (c.x - a.x);
}
