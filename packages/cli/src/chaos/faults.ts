/** The faults there are, and which come when: a schedule drawn from one seed. */
import { type RandomStream, randomStream } from '@quorate/sim';

export const faultKinds = [
  'partition',
  'isolate-leader',
  'one-way',
  'cut-clients',
  'pause',
  'stall',
  'slow',
  'kill',
  'kill-leader',
  'kill-majority',
  'restart',
  'full-disk',
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface PlannedFault {
  readonly kind: FaultKind;
  /** How long it lasts. Milliseconds. */
  readonly ms: number;
  /** From 0 to 999: how hard, where that makes a difference. */
  readonly severity: number;
  /** The servers by number, in the order in which they are to be hit. A fault that aims at the leader takes that one first. */
  readonly order: readonly number[];
}

/** Faults that strike together, after a time without any. */
export interface Episode {
  readonly calmMs: number;
  readonly faults: readonly PlannedFault[];
}

/** Shortest and longest of each kind. Milliseconds. */
const durations: Readonly<Record<FaultKind, readonly [min: number, max: number]>> = {
  partition: [1_000, 6_000],
  'isolate-leader': [1_000, 6_000],
  'one-way': [1_000, 5_000],
  'cut-clients': [1_000, 4_000],
  pause: [300, 5_000],
  stall: [200, 3_000],
  slow: [1_000, 6_000],
  kill: [0, 4_000],
  'kill-leader': [0, 4_000],
  'kill-majority': [200, 3_000],
  restart: [0, 1_000],
  'full-disk': [1_000, 5_000],
};
const CALM_MS = [700, 3_000] as const;
/** Of a thousand episodes so many have a second fault, where faults may meet. */
const SECOND_FAULT_PERMILLE = 350;

export interface ScheduleOptions {
  readonly seed: number;
  readonly servers: number;
  readonly kinds: readonly FaultKind[];
  /** Whether two faults may be there at once. */
  readonly mayMeet: boolean;
}

/** Without end. The same options give the same schedule. */
export function* schedule({ seed, servers, kinds, mayMeet }: ScheduleOptions): Generator<Episode, never> {
  const stream = randomStream(seed, 'chaos');
  // Each kind once before any comes again: a short run sees as many as it can.
  let bag: FaultKind[] = [];
  const draw = (): PlannedFault => {
    if (bag.length === 0) bag = [...kinds];
    const [kind] = bag.splice(stream.below(bag.length), 1);
    if (kind === undefined) throw new RangeError('There is no fault to choose from.');
    const [min, max] = durations[kind];
    return { kind, ms: stream.between(min, max), severity: stream.below(1000), order: shuffled(stream, servers) };
  };
  for (;;) {
    const calmMs = stream.between(...CALM_MS);
    const faults = [draw()];
    if (mayMeet && stream.chance(SECOND_FAULT_PERMILLE)) faults.push(draw());
    yield { calmMs, faults };
  }
}

function shuffled(stream: RandomStream, count: number): readonly number[] {
  const left = Array.from({ length: count }, (_, at) => at);
  return Array.from({ length: count }, () => left.splice(stream.below(left.length), 1)).flat();
}
