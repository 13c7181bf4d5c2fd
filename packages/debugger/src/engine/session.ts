/**
 * A run that a person walks about in: a tree of branches, a moment in one of them, and the world as it is then. Going forward follows what is
 * recorded, and beyond the end what is due; whatever is decided otherwise begins a branch.
 */
import { type CoreAction, type CoreServer, CoreWorld, type StepReport } from '@quorate/sim';
import { Branch } from './branch.ts';
import { BranchJudge } from './branch-judge.ts';
import { nextDue } from './due.ts';
import type { Happening } from './happening.ts';
import { Histories, type HistoryView } from './history.ts';
import { happeningOf, rawState } from './inspect.ts';
import { marksOf } from './marks.ts';
import { OriginIndex } from './origins.ts';
import { ownCourse } from './own-course.ts';
import { pendingOf } from './pending.ts';
import type { AnyAction, BranchNews, BranchView, Frame, Position, ViolationView } from './protocol.ts';
import { recordOf, titleOf } from './recorder.ts';
import { isSameAction } from './same-action.ts';
import { cutViews, leaseOf, logWindows, messageViews, serverViews } from './server-view.ts';
import type { RunSetup } from './setup.ts';
import type { StepRecord } from './step-record.ts';
import type { LogWindow, ServerView } from './views.ts';
import type { Walk } from './walk.ts';

/** Steps of one branch: beyond it a run is no longer something to look at. */
export const maxSteps = 200_000;
/** In a world without a clock. */
const microsPerStep = 10_000;

interface LastStep {
  readonly title: string;
  readonly report: StepReport;
  readonly before: CoreWorld;
}

interface Tip {
  readonly branch: Branch;
  readonly judge: BranchJudge;
  readonly origins: OriginIndex;
}

export class Session implements Walk {
  readonly setup: RunSetup;
  readonly #branches: Branch[] = [];
  #branch: Branch;
  #step = 0;
  #world: CoreWorld;
  #last: LastStep | null = null;
  /** What belongs to the end of one branch: made anew where another one grows. */
  #tip: Tip | null = null;
  readonly #histories = new Histories();
  /** What must be said about what was opened. */
  remark: string | null = null;

  constructor(setup: RunSetup) {
    this.setup = setup;
    this.#world = new CoreWorld(setup.options);
    this.#branch = this.#addBranch(null, 0, 'main');
    this.#branch.keep(0, this.#world.clone());
  }

  get world(): CoreWorld {
    return this.#world;
  }

  get branch(): Branch {
    return this.#branch;
  }

  get position(): Position {
    return { branch: this.#branch.id, step: this.#step };
  }

  get isAtEnd(): boolean {
    return this.#step === this.#branch.length;
  }

  branchOf(id: number): Branch {
    const branch = this.#branches[id];
    if (branch === undefined) throw new RangeError(`There is no branch ${id}.`);
    return branch;
  }

  lengthOf(branch: number): number {
    return this.branchOf(branch).length;
  }

  #addBranch(parent: Branch | null, forkAt: number, name: string): Branch {
    const branch = new Branch(this.#branches.length, parent, forkAt, name);
    this.#branches.push(branch);
    return branch;
  }

  /** To a moment, wherever it is: from the nearest world that was kept. */
  seek({ branch: id, step }: Position): void {
    const branch = this.branchOf(id);
    if (!(Number.isInteger(step) && step >= 0 && step <= branch.length)) {
      throw new RangeError(`Branch "${branch.name}" has ${branch.length} steps; there is no moment ${step}.`);
    }
    this.#branch = branch;
    const kept = branch.checkpoint(Math.max(0, step - 1));
    this.#world = kept.world.clone();
    this.#step = kept.step;
    this.#last = null;
    while (this.#step < step - 1) {
      this.#step += 1;
      this.#world.perform(branch.action(this.#step));
    }
    if (this.#step < step) this.#follow();
  }

  /** The next step of what is recorded, with its report. */
  #follow(): void {
    const action = this.#branch.action(this.#step + 1);
    this.#carryOut(action);
  }

  #carryOut(action: CoreAction): StepReport {
    const before = this.#world.clone();
    const flight = 'message' in action ? before.flight(action.message) : null;
    const report = this.#world.carryOut(action);
    this.#step += 1;
    this.#last = { title: titleOf(action, flight), report, before };
    return report;
  }

  /** Steps on, or back. Returns how many steps it went: fewer where the run begins, or nothing is due any more. */
  step(by: number): number {
    if (by < 0) {
      const to = Math.max(0, this.#step + by);
      const gone = to - this.#step;
      this.seek({ branch: this.#branch.id, step: to });
      return gone;
    }
    let gone = 0;
    while (gone < by && this.forward()) gone += 1;
    return gone;
  }

  /** One step: what is recorded, or else what is due. False if there is neither. */
  forward(): boolean {
    if (!this.isAtEnd) {
      this.#follow();
      return true;
    }
    const action = ownCourse(this.#world, this.setup);
    if (action === null) return false;
    this.#grow(action);
    return true;
  }

  /** When the next step is; null if there is none. */
  get nextAt(): number | null {
    if (!this.isAtEnd) return this.#branch.record(this.#step + 1)?.at ?? null;
    return nextDue(this.#world);
  }

  /** Virtual microseconds. Where there is no clock steps are shown as far apart as an eye can follow. */
  get #now(): number {
    return this.#world.setting.timing === 'clock' ? this.#world.now : this.#step * microsPerStep;
  }

  /** To the last moment at or before `at`, in at most `most` steps. */
  playTo(at: number, most: number): void {
    if (at < this.#now) return this.#backTo(at);
    for (let gone = 0; gone < most; gone++) {
      const next = this.nextAt;
      if (next === null || next > at || !this.forward()) return;
    }
  }

  #backTo(at: number): void {
    let step = this.#step;
    while (step > 0 && (this.#branch.record(step)?.at ?? 0) > at) step -= 1;
    this.seek({ branch: this.#branch.id, step });
  }

  /** Decides what happens now. Throws ActionError, and changes nothing, where it cannot be. */
  act(actions: readonly AnyAction[]): void {
    for (const action of actions) {
      if (action.kind === 'deed') throw new Error('This is a world of cores: whole nodes are not there.');
      this.#act(action);
    }
  }

  #act(action: CoreAction): void {
    if (this.isAtEnd) return this.#grow(action);
    if (isSameAction(action, this.#branch.action(this.#step + 1))) return this.#follow();
    const known = this.#branches.find((branch) => this.#isFuture(branch, action));
    if (known !== undefined) {
      this.#branch = known;
      return this.#follow();
    }
    this.#part(action);
  }

  /** Whether a branch parts from this one here, with that decision. */
  #isFuture(branch: Branch, action: CoreAction): boolean {
    const [first] = branch.ownActions;
    return (
      branch.parent === this.#branch &&
      branch.forkAt === this.#step &&
      first !== undefined &&
      isSameAction(first, action)
    );
  }

  #part(action: CoreAction): void {
    const flight = 'message' in action ? this.#world.flight(action.message) : null;
    const [old, parted] = [this.#branch, this.#branches.length];
    this.#branch = this.#addBranch(old, this.#step, titleOf(action, flight));
    this.#branch.keep(this.#step, this.#world.clone());
    try {
      this.#grow(action);
    } catch (error) {
      this.#branches.length = parted;
      this.#branch = old;
      throw error;
    }
  }

  /** A branch that goes its own way from `forkAt` on: what a search found, or a shrunk run. The moment is its end. */
  graft(name: string, forkAt: number, actions: readonly CoreAction[]): Branch {
    this.seek({ branch: this.#branch.id, step: Math.min(forkAt, this.#branch.length) });
    const branch = this.#addBranch(this.#branch, this.#step, name);
    branch.keep(this.#step, this.#world.clone());
    this.#branch = branch;
    for (const action of actions) this.#grow(action);
    return branch;
  }

  /** A step beyond the end of the branch. */
  #grow(action: CoreAction): void {
    if (this.#branch.length >= maxSteps) {
      throw new RangeError(
        `A branch holds at most ${maxSteps} steps. Begin a new one further back, or open a shorter run.`,
      );
    }
    const before = this.#world.clone();
    const report = this.#carryOut(action);
    const tip = this.#tipOf(this.#branch);
    const record = { ...recordOf(action, report, this.#step, before, this.#world, tip.origins), at: this.#now };
    this.#branch.push(action, record);
    tip.origins.add(record);
    this.#branch.keep(this.#step, this.#world.clone());
    this.#branch.marks.push(...marksOf(record));
    tip.judge.follow(action);
    this.#note(tip.judge);
    this.#noteConsequence(report);
  }

  #note(judge: BranchJudge): void {
    const { violation } = judge;
    if (violation === null || this.#branch.violation !== null) return;
    this.#branch.violation = violation;
    this.#branch.marks.push({ step: violation.step, kind: 'violation', text: `${violation.invariant} is broken` });
  }

  #noteConsequence({ broken }: StepReport): void {
    if (broken === null || this.#branch.consequence !== null) return;
    const { invariant, first, second } = broken;
    this.#branch.consequence = { step: this.#step, invariant, first, second };
    if (this.#branch.violation?.step === this.#step) return;
    this.#branch.marks.push({ step: this.#step, kind: 'violation', text: `${invariant} is broken` });
  }

  #tipOf(branch: Branch): Tip {
    if (this.#tip?.branch === branch) return this.#tip;
    const judge = new BranchJudge(this.setup);
    for (const action of branch.actions()) judge.follow(action);
    this.#tip = { branch, judge, origins: new OriginIndex(branch.records()) };
    return this.#tip;
  }

  #happeningOf({ title, report, before }: LastStep): Happening {
    const { server, inputs, outputs } = report;
    const [was, is] = server === null ? [null, null] : [before.server(server), this.#world.server(server)];
    return happeningOf({ step: this.#step, title, server, inputs, outputs, before: was, after: is });
  }

  logs(from: number, to: number): readonly LogWindow[] {
    return logWindows(this.#world.servers, from, to);
  }

  raw(server: string): string {
    const record = this.#world.server(server);
    if (record === null) throw new RangeError(`There is no server ${server}.`);
    return rawState(record);
  }

  history(): HistoryView {
    return this.#histories.of(this.#world, this.records().slice(0, this.#step));
  }

  records(): readonly StepRecord[] {
    return this.#branch.records();
  }

  get violation(): ViolationView | null {
    return this.#branch.violation;
  }

  get servers(): readonly CoreServer[] {
    return this.#world.servers;
  }

  views(): readonly ServerView[] {
    const { servers, setting } = this.#world;
    return serverViews(servers, ({ raft }) => leaseOf(raft, setting.raft, 0));
  }

  frame(): Frame {
    const world = this.#world;
    const last = this.#last;
    return {
      title: this.setup.title,
      position: this.position,
      now: this.#now,
      nextAt: this.nextAt,
      isAtEnd: this.isAtEnd,
      source: 'cores',
      isRecording: false,
      fixed: null,
      unjudged: null,
      servers: this.views(),
      messages: messageViews(world, this.#now),
      cuts: cutViews(world),
      pending: pendingOf(world),
      happened: last === null ? null : this.#happeningOf(last),
      branches: this.#branches.map(viewOf),
      news: this.#branches.flatMap(newsOf),
      remark: this.remark,
    };
  }
}

function viewOf({ id, parent, forkAt, length, name, violation, consequence, marks }: Branch): BranchView {
  const later = consequence?.step === violation?.step ? null : consequence;
  return { id, parent: parent?.id ?? null, forkAt, length, name, violation, consequence: later, marks };
}

function newsOf(branch: Branch): readonly BranchNews[] {
  const from = branch.told;
  const records = branch.ownRecords.slice(from);
  branch.told = branch.ownRecords.length;
  return records.length === 0 ? [] : [{ branch: branch.id, from, records }];
}
