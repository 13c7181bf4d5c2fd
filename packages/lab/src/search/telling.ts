/** A way of a search test, told step by step while it is walked again. */
import type { SearchStage } from '../suite/search-test.ts';
import type { LabAction } from './action.ts';
import type { SearchedServer } from './server.ts';
import type { LabStep } from './step.ts';
import { tellStep } from './tell.ts';

export class Telling {
  readonly #stages: readonly SearchStage[];
  readonly lines: string[] = [];
  #stage = -1;
  /** Actions of the scenario that the stage begins with and that have not been seen. */
  #beginning = 0;
  #steps = 0;

  constructor(stages: readonly SearchStage[]) {
    this.#stages = stages;
  }

  /** Whether the scenario does this, and not the search: to be asked of every action of the way, in order. */
  isScenarios(action: LabAction): boolean {
    if (action.kind === 'restage') {
      this.#stage += 1;
      this.#beginning = this.#stages[this.#stage]?.begin?.length ?? 0;
      return true;
    }
    this.#beginning -= 1;
    return this.#beginning >= 0;
  }

  note(step: LabStep, before: readonly SearchedServer[]): void {
    const sentence = tellStep(step, before);
    if (step.action.kind === 'restage') {
      this.lines.push(`-- ${sentence}`);
      return;
    }
    this.#steps += 1;
    this.lines.push(`${String(this.#steps).padStart(3)}  ${sentence}`);
  }
}
