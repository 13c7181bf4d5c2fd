/** The space-time diagram as data (Lamport): a lane for each server, a point for each step, a line for each message. */
import { causalRanks } from '../../engine/causal.ts';
import type { SeenMessage, StepRecord } from '../../engine/step-record.ts';

export const axes = ['time', 'steps', 'causality'] as const;
export type Axis = (typeof axes)[number];

export interface Diagram {
  readonly lanes: readonly string[];
  readonly points: readonly DiagramPoint[];
  readonly arrows: readonly Arrow[];
  /** Steps that are left out because they are rhythm only. */
  readonly folded: number;
  /** The largest `x` of a point. */
  readonly extent: number;
  /** Where each step is, the folded ones at the point before them. */
  readonly xOfStep: readonly number[];
}

export interface DiagramPoint {
  readonly record: StepRecord;
  readonly lane: number;
  readonly x: number;
}

/** `to` is null while the message is in flight. */
export interface Arrow {
  readonly message: SeenMessage;
  readonly from: DiagramPoint;
  readonly to: DiagramPoint | null;
  readonly isLost: boolean;
}

export function buildDiagram(
  lanes: readonly string[],
  records: readonly StepRecord[],
  axis: Axis,
  isFolding: boolean,
): Diagram {
  const place = placing(records, axis, isFolding);
  const points: DiagramPoint[] = [];
  const arrows: Arrow[] = [];
  const sentAt = new Map<number, { readonly point: DiagramPoint; readonly message: SeenMessage }>();
  const foldedAway = new Set<number>();
  let folded = 0;
  for (const record of records) {
    if (isFolding && record.isRoutine) {
      folded += 1;
      if (record.message !== null) foldedAway.add(record.message.id);
      continue;
    }
    const lane = record.server === null ? lanes.length : lanes.indexOf(record.server);
    const point = { record, lane, x: place[record.step - 1] ?? 0 };
    points.push(point);
    const received = record.message === null ? undefined : sentAt.get(record.message.id);
    if (received !== undefined) {
      arrows.push({ message: received.message, from: received.point, to: point, isLost: record.isLost });
      sentAt.delete(received.message.id);
    }
    for (const message of record.sent) {
      if (!isFolding || !message.kind.startsWith('heartbeat')) sentAt.set(message.id, { point, message });
    }
  }
  // What arrived in a step that is folded away is not in flight.
  for (const { point, message } of sentAt.values()) {
    if (!foldedAway.has(message.id)) arrows.push({ message, from: point, to: null, isLost: false });
  }
  return { lanes, points, arrows, folded, extent: Math.max(1, ...lastOf(place)), xOfStep: place };
}

function lastOf(place: readonly number[]): readonly number[] {
  let most = 0;
  for (const x of place) most = Math.max(most, x);
  return [most];
}

function placing(records: readonly StepRecord[], axis: Axis, isFolding: boolean): readonly number[] {
  switch (axis) {
    case 'time':
      return records.map(({ at }) => at / 1000);
    case 'causality':
      return causalRanks(records);
    case 'steps': {
      let shown = 0;
      return records.map(({ isRoutine }) => (isFolding && isRoutine ? shown : ++shown));
    }
  }
}
