/**
 * Runs that have been, and that a person walks about in. Where the world of a run can be made again, another decision begins a branch:
 * the whole run, made again with it.
 */
import { type ActionKind, describeAction } from '@quorate/sim';
import type { Deed, Recording } from './recording.ts';
import type { HistoryView } from './history.ts';
import { actionWords } from './node-faults.ts';
import type { SeenServer } from './predicates.ts';
import type { AnyAction, BranchNews, BranchView, Frame, PendingItem, Position, ViolationView } from './protocol.ts';
import type { StepRecord } from './step-record.ts';
import type { Tape } from './tape.ts';
import type { LogWindow, ServerView } from './views.ts';
import type { Walk } from './walk.ts';

interface Line {
  readonly id: number;
  readonly tape: Tape;
  readonly parent: number | null;
  readonly forkAt: number;
  readonly name: string;
  /** The page has been told of its steps. */
  isTold: boolean;
}

export class Playback implements Walk {
  readonly #lines: Line[] = [];
  readonly #taped: (recording: Recording) => Tape;
  #line: Line;
  #step = 0;

  /** `taped`: of the runs that are made with other decisions. */
  constructor(tape: Tape, taped: (recording: Recording) => Tape) {
    this.#taped = taped;
    const name = typeof tape.forking === 'string' ? 'recording' : 'main';
    this.#line = this.#add({ tape, parent: null, forkAt: 0, name });
    tape.goTo(0);
  }

  #add(line: Omit<Line, 'id' | 'isTold'>): Line {
    const added = { ...line, id: this.#lines.length, isTold: false };
    this.#lines.push(added);
    return added;
  }

  get #tape(): Tape {
    return this.#line.tape;
  }

  get position(): Position {
    return { branch: this.#line.id, step: this.#step };
  }

  get violation(): ViolationView | null {
    return this.#tape.violation;
  }

  records(): readonly StepRecord[] {
    return this.#tape.records;
  }

  lengthOf(branch: number): number {
    return this.#lineOf(branch).tape.records.length;
  }

  #lineOf(branch: number): Line {
    const line = this.#lines[branch];
    if (line === undefined) throw new RangeError(`There is no branch ${branch}.`);
    return line;
  }

  seek({ branch, step }: Position): void {
    const line = this.#lineOf(branch);
    const { length } = line.tape.records;
    if (!(Number.isInteger(step) && step >= 0 && step <= length)) {
      throw new RangeError(`The recording has ${length} steps; there is no moment ${step}.`);
    }
    line.tape.goTo(step);
    this.#line = line;
    this.#step = step;
  }

  #goTo(step: number): void {
    this.seek({ branch: this.#line.id, step });
  }

  step(by: number): void {
    this.#goTo(Math.max(0, Math.min(this.#tape.records.length, this.#step + by)));
  }

  playTo(at: number, most: number): void {
    const { records } = this.#tape;
    let step = this.#step;
    if (at < this.#now) while (step > 0 && (records[step - 1]?.at ?? 0) > at) step -= 1;
    else while (step < records.length && step - this.#step < most && (records[step]?.at ?? 0) <= at) step += 1;
    if (step !== this.#step) this.#goTo(step);
  }

  /** Makes the run again with that decision in it, from the beginning. The moment is the first that is different. */
  act(actions: readonly AnyAction[]): void {
    const { forking } = this.#tape;
    if (typeof forking === 'string') throw new Error(forking);
    const deed = deedOf(actions);
    if (deed === null) return;
    const { recording, forkAt, name } = forking.fork(this.#step, deed);
    const tape = this.#taped(recording);
    const line = this.#add({ tape, parent: this.#line.id, forkAt, name });
    this.seek({ branch: line.id, step: Math.min(forkAt + 1, tape.records.length) });
  }

  get #now(): number {
    return this.#tape.records[this.#step - 1]?.at ?? 0;
  }

  get #pending(): readonly PendingItem[] {
    const { forking } = this.#tape;
    return typeof forking === 'string' ? [] : forking.choices(this.#step);
  }

  frame(): Frame {
    const tape = this.#tape;
    const { source, title, remark, unjudged, forking, records } = tape;
    return {
      title,
      position: this.position,
      now: this.#now,
      nextAt: records[this.#step]?.at ?? null,
      isAtEnd: this.#step === records.length,
      source,
      isRecording: true,
      fixed: typeof forking === 'string' ? forking : null,
      unjudged,
      servers: tape.views(),
      messages: tape.messages(),
      cuts: tape.cuts(),
      pending: this.#pending,
      happened: tape.happened(),
      branches: this.#lines.map(viewOf),
      news: this.#lines.flatMap(newsOf),
      remark,
    };
  }

  views(): readonly ServerView[] {
    return this.#tape.views();
  }

  /** The branch that is looked at, as text for a file. Throws where it is nothing that can be made again. */
  trace(): string {
    const { forking } = this.#tape;
    if (typeof forking === 'string')
      throw new Error('Share the file, or the data directories, that it was opened from.');
    return forking.trace();
  }

  history(): HistoryView {
    return this.#tape.history();
  }

  get servers(): readonly SeenServer[] {
    return this.#tape.servers;
  }

  logs(from: number, to: number): readonly LogWindow[] {
    return this.#tape.logs(from, to);
  }

  raw(server: string): string {
    return this.#tape.raw(server);
  }
}

/** What is meant by actions of a page that knows both kinds of worlds: links that a drawn line crosses, above all. */
function deedOf(actions: readonly AnyAction[]): Deed | null {
  const added: ActionKind[] = [];
  for (const action of actions) {
    if (action.kind === 'deed') return action.deed;
    if (action.kind === 'cut') added.push({ kind: 'cut', from: action.from, to: action.to, how: 'silent' });
    else if (action.kind === 'heal') added.push({ kind: 'heal' });
    else throw new Error(`In a world of whole nodes that cannot be done from outside: ${describeAction(action)}.`);
  }
  const [first] = added;
  if (first === undefined) return null;
  return {
    kind: 'add',
    name: added.length === 1 ? actionWords(first) : `${added.length} links are cut`,
    actions: added,
  };
}

function viewOf({ id, parent, forkAt, name, tape }: Line): BranchView {
  const { violation, marks, records } = tape;
  return { id, parent, forkAt, length: records.length, name, violation, consequence: null, marks };
}

function newsOf(line: Line): readonly BranchNews[] {
  if (line.isTold) return [];
  line.isTold = true;
  return [{ branch: line.id, from: 0, records: line.tape.records.slice(line.forkAt) }];
}
