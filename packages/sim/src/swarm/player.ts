/** The adversary of a run that is played again: does what it is told, when it is told, and nothing of its own. */
import type { DamageBudget } from '../disk/index.ts';
import { type Action, carryOut } from '../world/action.ts';
import type { World } from '../world/world.ts';
import type { Adversary } from './adversary.ts';
import { Founding } from './founding.ts';
import type { RunOptions } from './options.ts';

export class Player implements Adversary {
  readonly actions: Action[] = [];
  readonly #world: World;
  readonly #plan: readonly Action[];
  readonly #founding: Founding;

  constructor(world: World, plan: readonly Action[], { damage }: RunOptions, budget: DamageBudget) {
    this.#world = world;
    this.#plan = plan;
    this.#founding = new Founding(world, budget, damage.unbound);
  }

  start(): void {
    const { clock } = this.#world;
    clock.interludes = this.#plan.map((action) => ({ at: action.at, step: action.step, run: () => this.#do(action) }));
  }

  stop(): void {
    this.#world.clock.interludes = [];
  }

  /** Crashes in the middle of a write are actions like all others here: they have their moment. */
  onOutput(server: string): void {
    this.#founding.onOutput(server);
  }

  onFatal(): void {
    // So are starts.
  }

  #do(action: Action): void {
    // A plan that was changed must not destroy more than the run may.
    if (action.kind === 'loseDisk' && !this.#founding.mayLoseDisk(action.server)) return;
    const { now, steps } = this.#world.clock;
    if (carryOut(this.#world, action)) this.actions.push({ ...action, at: now, step: steps });
  }
}
