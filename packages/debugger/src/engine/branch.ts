/**
 * One line of history: the decisions since it parted from its parent, a record of each step, and worlds at some of them from which the
 * others are made again. Decisions are the only thing that is kept for good.
 */
import type { CoreAction, CoreWorld } from '@quorate/sim';
import type { BranchMark, ViolationView } from './protocol.ts';
import type { StepRecord } from './step-record.ts';

/** A world is kept at every so many steps. */
export const checkpointEvery = 32;
/** So many of them a branch; then every other one goes. */
const maxCheckpoints = 512;

export class Branch {
  readonly id: number;
  readonly parent: Branch | null;
  /** Steps that it shares with its parent. */
  readonly forkAt: number;
  readonly name: string;
  readonly marks: BranchMark[] = [];
  violation: ViolationView | null = null;
  /** What the world itself found broken, perhaps later: what came of the violation. */
  consequence: ViolationView | null = null;
  readonly #actions: CoreAction[] = [];
  readonly #records: StepRecord[] = [];
  #checkpoints = new Map<number, CoreWorld>();
  #spacing = checkpointEvery;
  /** Records that the page has been told of. */
  told = 0;

  constructor(id: number, parent: Branch | null, forkAt: number, name: string) {
    this.id = id;
    this.parent = parent;
    this.forkAt = forkAt;
    this.name = name;
    if (parent === null) return;
    this.marks.push(...parent.marks.filter(({ step }) => step <= forkAt));
    if (parent.violation !== null && parent.violation.step <= forkAt) this.violation = parent.violation;
    if (parent.consequence !== null && parent.consequence.step <= forkAt) this.consequence = parent.consequence;
  }

  /** All steps, the shared ones included. */
  get length(): number {
    return this.forkAt + this.#actions.length;
  }

  get ownRecords(): readonly StepRecord[] {
    return this.#records;
  }

  get ownActions(): readonly CoreAction[] {
    return this.#actions;
  }

  /** The decision that makes step `step`, from 1 to `length`. */
  action(step: number): CoreAction {
    if (step <= this.forkAt && this.parent !== null) return this.parent.action(step);
    const action = this.#actions[step - this.forkAt - 1];
    if (action === undefined) throw new RangeError(`This branch has ${this.length} steps, and no step ${step}.`);
    return action;
  }

  /** The record of step `step`; null at 0. */
  record(step: number): StepRecord | null {
    if (step <= this.forkAt && this.parent !== null) return this.parent.record(step);
    return this.#records[step - this.forkAt - 1] ?? null;
  }

  /** Of all steps, in order. */
  records(): readonly StepRecord[] {
    return this.parent === null ? this.#records : [...this.parent.records().slice(0, this.forkAt), ...this.#records];
  }

  actions(to = this.length): readonly CoreAction[] {
    return Array.from({ length: to }, (_, at) => this.action(at + 1));
  }

  push(action: CoreAction, record: StepRecord): void {
    this.#actions.push(action);
    this.#records.push(record);
  }

  /** Keeps the world behind `step` if one is wanted there. It must not be changed any more. */
  keep(step: number, world: CoreWorld): void {
    if (step % this.#spacing !== 0 && step !== this.forkAt) return;
    this.#checkpoints.set(step, world);
    if (this.#checkpoints.size > maxCheckpoints) this.#thin();
  }

  #thin(): void {
    this.#spacing *= 2;
    this.#checkpoints = new Map(
      [...this.#checkpoints].filter(([step]) => step % this.#spacing === 0 || step === this.forkAt),
    );
  }

  /** The nearest world that is kept at or before `step`. */
  checkpoint(step: number): { readonly step: number; readonly world: CoreWorld } {
    for (let at = step; at >= this.forkAt; at--) {
      const world = this.#checkpoints.get(at);
      if (world !== undefined) return { step: at, world };
    }
    if (this.parent === null) throw new Error('The first branch keeps its beginning.');
    return this.parent.checkpoint(Math.min(step, this.forkAt));
  }
}
