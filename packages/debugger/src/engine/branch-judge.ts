/** Every invariant of docs/invariants.md along one branch: a world of its own that goes the same way under the eyes of the judges. */
import { type CoreAction, CoreWorld, Invariants, Violation } from '@quorate/sim';
import type { ViolationView } from './protocol.ts';
import type { RunSetup } from './setup.ts';

export class BranchJudge {
  readonly #world: CoreWorld;
  #violation: ViolationView | null = null;

  constructor({ options }: RunSetup) {
    this.#world = new CoreWorld(options, [new Invariants()]);
  }

  get step(): number {
    return this.#world.steps;
  }

  get violation(): ViolationView | null {
    return this.#violation;
  }

  /** Goes one step on. Behind a violation nothing is judged any more: what comes after follows from it. */
  follow(action: CoreAction): void {
    if (this.#violation !== null) return;
    const step = this.#world.steps + 1;
    try {
      const { broken } = this.#world.carryOut(action);
      if (broken !== null) this.#violation = { step, ...broken };
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      const { invariant, first, second } = error;
      this.#violation = { step, invariant, first, second };
    }
  }
}
