/**
 * Makes a run that breaks an invariant shorter while it breaks the same one: delta debugging (Zeller) on its decisions. What a removed
 * decision would have led to is left out with it.
 */
import { type CoreAction, CoreWorld } from '@quorate/sim';
import { BranchJudge } from './branch-judge.ts';
import { type Decision, decisionOf, translated } from './decisions.ts';
import type { Host } from './host.ts';
import type { RunSetup } from './setup.ts';

/** Runs before it gives up. */
export const maxShrinkRuns = 4_000;
/** Between two breaths. */
const runsAtOnce = 8;

export interface ShrunkRun {
  readonly actions: readonly CoreAction[];
  readonly runs: number;
  /** False: it was ended before nothing more could go. */
  readonly isMinimal: boolean;
}

/** `actions` break `invariant`. */
export async function shrinkRun(
  setup: RunSetup,
  actions: readonly CoreAction[],
  invariant: string,
  host: Host,
): Promise<ShrunkRun> {
  const shrinker = new RunShrinker(setup, invariant, host);
  return shrinker.run(decisionsOf(setup, actions), actions);
}

function decisionsOf({ options }: RunSetup, actions: readonly CoreAction[]): readonly Decision[] {
  const world = new CoreWorld(options);
  return actions.map((action) => {
    const decision = decisionOf(action, world);
    world.carryOut(action);
    return decision;
  });
}

class RunShrinker {
  readonly #setup: RunSetup;
  readonly #invariant: string;
  readonly #host: Host;
  #runs = 0;
  #best: readonly Decision[] = [];
  #actions: readonly CoreAction[] = [];

  constructor(setup: RunSetup, invariant: string, host: Host) {
    this.#setup = setup;
    this.#invariant = invariant;
    this.#host = host;
  }

  async run(decisions: readonly Decision[], actions: readonly CoreAction[]): Promise<ShrunkRun> {
    this.#best = decisions;
    this.#actions = actions;
    let size = Math.ceil(decisions.length / 2);
    while (size >= 1 && !this.#isOver()) {
      const before = this.#best.length;
      await this.#removePieces(size);
      if (this.#best.length === before) size = size === 1 ? 0 : Math.floor(size / 2);
    }
    return { actions: this.#actions, runs: this.#runs, isMinimal: !this.#isOver() };
  }

  #isOver(): boolean {
    return this.#runs >= maxShrinkRuns || this.#host.isCancelled();
  }

  /** From the end: what happened last is the most likely to follow from the rest. */
  async #removePieces(size: number): Promise<void> {
    for (let end = this.#best.length; end > 0 && !this.#isOver(); end -= size) {
      const from = Math.max(0, end - size);
      this.#try([...this.#best.slice(0, from), ...this.#best.slice(end)]);
      if (this.#runs % runsAtOnce !== 0) continue;
      this.#host.progress(`${this.#best.length} decisions left after ${this.#runs} runs`);
      await this.#host.breathe();
    }
  }

  #try(decisions: readonly Decision[]): void {
    this.#runs += 1;
    const kept = this.#breaks(decisions);
    if (kept === null || kept.decisions.length > this.#best.length) return;
    this.#best = kept.decisions;
    this.#actions = kept.actions;
  }

  /** What of the decisions was carried out up to the break; null if nothing, or something else, breaks. */
  #breaks(
    decisions: readonly Decision[],
  ): { readonly decisions: readonly Decision[]; readonly actions: readonly CoreAction[] } | null {
    const world = new CoreWorld(this.#setup.options);
    const judge = new BranchJudge(this.#setup);
    const kept: Decision[] = [];
    const actions: CoreAction[] = [];
    for (const decision of decisions) {
      const action = translated(decision, world);
      if (action === null) continue;
      world.perform(action);
      judge.follow(action);
      kept.push(decision);
      actions.push(action);
      if (judge.violation === null) continue;
      return judge.violation.invariant === this.#invariant ? { decisions: kept, actions } : null;
    }
    return null;
  }
}
