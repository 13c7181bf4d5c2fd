/** A way of a search test, told step by step while it is walked again: in sentences, and as what the debugger shows. */
import type { SearchStage } from '../suite/search-test.ts';
import type { LabAction } from './action.ts';
import type { SearchedServer } from './server.ts';
import type { LabStep } from './step.ts';
import { tellState, tellStep } from './tell.ts';
import type { LabView } from './view.ts';
import { WayRecorder } from './way-recorder.ts';

export class Telling {
  readonly #stages: readonly SearchStage[];
  readonly lines: string[] = [];
  readonly recorder: WayRecorder;
  readonly #view: LabView;
  #stage = -1;
  /** Actions of the scenario that the stage begins with and that have not been seen. */
  #beginning = 0;
  #steps = 0;

  /** `view` is walked meanwhile. Where nobody asks what the scenario does there need not be stages. */
  constructor(view: LabView, stages: readonly SearchStage[] = []) {
    this.#view = view;
    this.#stages = stages;
    this.recorder = new WayRecorder(view);
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
    this.recorder.note(step, before);
    const sentence = tellStep(step, before);
    if (step.action.kind === 'restage') {
      this.lines.push(`-- ${sentence}`);
      return;
    }
    this.#steps += 1;
    this.lines.push(`${String(this.#steps).padStart(3)}  ${sentence}`);
  }

  /** All steps are told. */
  end(): void {
    this.lines.push('-- the state at the end', ...tellState(this.#view));
  }
}
