/**
 * Makes a plan smaller while it still breaks in the same way: delta debugging (Zeller) on the adversary's actions, then simpler options,
 * and round again until nothing more can go. What is left is what it takes.
 */
import { healthyNetwork } from '../world/network.ts';
import type { RunOptions } from '../swarm/options.ts';
import type { Action } from '../world/action.ts';
import type { Plan } from './run-seed.ts';

export interface Shrunk {
  readonly plan: Plan;
  /** Runs that it took. */
  readonly runs: number;
  /** False: the limit of runs was reached before nothing more could go. */
  readonly isMinimal: boolean;
}

/** `breaks` runs a plan and says whether what was broken is broken still. */
export function shrinkPlan(plan: Plan, breaks: (plan: Plan) => boolean, maxRuns: number): Shrunk {
  const shrinker = new Shrinker(plan, breaks, maxRuns);
  return { plan: shrinker.run(), runs: shrinker.runs, isMinimal: shrinker.runs < maxRuns };
}

class Shrinker {
  runs = 0;
  #best: Plan;
  readonly #breaks: (plan: Plan) => boolean;
  readonly #maxRuns: number;

  constructor(plan: Plan, breaks: (plan: Plan) => boolean, maxRuns: number) {
    this.#best = plan;
    this.#breaks = breaks;
    this.#maxRuns = maxRuns;
  }

  run(): Plan {
    let before: Plan;
    do {
      before = this.#best;
      this.#shortenTime();
      this.#removeActions();
      for (const simplify of simplifications) {
        this.#try({ ...this.#best, options: simplify(this.#best.options) });
      }
      this.#calmActions();
    } while (before !== this.#best && this.runs < this.#maxRuns);
    return this.#best;
  }

  /** True, and the best plan from here on, if it still breaks. */
  #try(plan: Plan): boolean {
    if (this.runs >= this.#maxRuns || isSame(plan, this.#best)) return false;
    this.runs += 1;
    if (!this.#breaks(plan)) return false;
    this.#best = plan;
    return true;
  }

  /** Faults that end earlier. Actions from then on are never done and go as well. */
  #shortenTime(): void {
    for (let faultMicros = halved(this.#best.options.faultMicros); faultMicros > 0; ) {
      const { options } = this.#best;
      if (!this.#try({ ...this.#best, options: { ...options, faultMicros } })) return;
      faultMicros = halved(faultMicros);
    }
  }

  /** Removes ever smaller pieces until no single action can go. */
  #removeActions(): void {
    let pieces = 1;
    while (this.#best.actions.length > 0 && this.runs < this.#maxRuns) {
      const { actions } = this.#best;
      const size = Math.ceil(actions.length / pieces);
      if (this.#removePiece(size)) {
        pieces = Math.max(1, Math.min(pieces - 1, this.#best.actions.length));
        continue;
      }
      if (size === 1) return;
      pieces = Math.min(pieces * 2, actions.length);
    }
  }

  /** From the end: what happened last is the most likely to follow from the rest. */
  #removePiece(size: number): boolean {
    let isRemoved = false;
    for (let end = this.#best.actions.length; end > 0; end -= size) {
      const { actions } = this.#best;
      const from = Math.max(0, end - size);
      if (this.#try({ ...this.#best, actions: [...actions.slice(0, from), ...actions.slice(end)] })) isRemoved = true;
    }
    return isRemoved;
  }

  /** Actions that remain, with less force. */
  #calmActions(): void {
    for (let at = 0; at < this.#best.actions.length; at++) {
      for (const calmer of calmerActions(this.#best.actions[at])) {
        const actions = this.#best.actions.with(at, calmer);
        if (this.#try({ ...this.#best, actions })) break;
      }
    }
  }
}

/** Each makes options simpler in one respect. They are tried one after the other, each on top of what worked before. */
const simplifications: readonly ((options: RunOptions) => RunOptions)[] = [
  ...[1, 2, 3].map((most) => (options: RunOptions) => ({ ...options, clients: Math.min(options.clients, most) })),
  (options) => ({ ...options, drift: 0 }),
  ({ releases, ...options }) => ({ ...options, releases: { ...releases, newest: [[newestOf(releases)]] } }),
  (options) => ({ ...options, damage: { ...options.damage, lost: 0 } }),
  ...(['txns', 'deletes', 'ranges', 'compactions', 'serializable', 'valueBytes'] as const).map(
    (name) => (options: RunOptions) => ({ ...options, workload: { ...options.workload, [name]: 0 } }),
  ),
  (options) => ({ ...options, workload: { ...options.workload, keys: 1 } }),
];

/** What every server speaks in the end. */
function newestOf({ newest }: RunOptions['releases']): number {
  return newest[0]?.at(-1) ?? 1;
}

function calmerActions(action: Action | undefined): readonly Action[] {
  switch (action?.kind) {
    case 'clog':
    case 'stallDisk':
    case 'stallLog':
      return [{ ...action, micros: halved(action.micros) }];
    case 'network': {
      const { faults } = action;
      const calm = { ...faults, latency: healthyNetwork.latency };
      return [
        { ...calm, loss: 0, duplication: 0, reordering: 0 },
        { ...faults, loss: 0 },
        { ...faults, duplication: 0 },
        { ...faults, reordering: 0 },
        calm,
      ].map((each) => ({ ...action, faults: each }));
    }
    default:
      return [];
  }
}

function isSame(a: Plan, b: Plan): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** To the millisecond: plans are read by people. */
function halved(micros: number): number {
  return Math.floor(micros / 2 / 1000) * 1000;
}
