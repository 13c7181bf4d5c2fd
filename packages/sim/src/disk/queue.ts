/** One queue of a disk: submissions one after another, each taking its time. */
import type { DiskError, DiskOperation, DiskQueue } from '@quorate/runtime';

export interface DiskScheduler {
  /** Virtual time in whole microseconds. */
  now(): number;
  /** Calls back once, `delay` microseconds from now, never from inside the call. */
  after(delay: number, callback: () => void): void;
}

/** What a queue asks of the disk that it belongs to. */
export interface QueueOwner {
  readonly scheduler: DiskScheduler;
  /** Nothing happens or is answered any more. */
  readonly ended: boolean;
  /** Microseconds from now before which the disk does nothing. */
  stallLeft(): number;
  /** Whether this submission gets stuck. */
  getsStuck(): boolean;
  /** How long a submission without syncs, or a read, takes. */
  accessTime(): number;
  syncTime(): number;
  carryOut(operation: DiskOperation): DiskError | null;
  readNow(path: string, offset: number, length: number): Uint8Array | DiskError;
  listNow(path: string): readonly string[] | DiskError;
  sizeNow(path: string): number | DiskError;
  freeNow(): number | DiskError;
}

/** Something submitted, which a class of its own answers: closures that are made for one call are dear. */
abstract class Task {
  readonly operations: readonly DiskOperation[];
  /** The operation that comes next. */
  at = 0;
  error: DiskError | null = null;
  /** The last operation took its time: the answer may follow at once. */
  waited = false;

  constructor(operations: readonly DiskOperation[]) {
    this.operations = operations;
  }

  abstract answer(owner: QueueOwner): void;
}

const NO_OPERATIONS: readonly DiskOperation[] = [];
const NO_BYTES = new Uint8Array(0);

class Submission extends Task {
  readonly #done: (error: DiskError | null) => void;

  constructor(operations: readonly DiskOperation[], done: (error: DiskError | null) => void) {
    super(operations);
    this.#done = done;
  }

  override answer(): void {
    this.#done(this.error);
  }
}

class Reading extends Task {
  readonly #path: string;
  readonly #offset: number;
  readonly #length: number;
  readonly #done: (error: DiskError | null, bytes: Uint8Array) => void;

  constructor(
    path: string,
    offset: number,
    length: number,
    done: (error: DiskError | null, bytes: Uint8Array) => void,
  ) {
    super(NO_OPERATIONS);
    this.#path = path;
    this.#offset = offset;
    this.#length = length;
    this.#done = done;
  }

  override answer(owner: QueueOwner): void {
    const bytes = owner.readNow(this.#path, this.#offset, this.#length);
    if (bytes instanceof Uint8Array) this.#done(null, bytes);
    else this.#done(bytes, NO_BYTES);
  }
}

/** A question that is asked now and then. */
class Question extends Task {
  readonly #answer: (owner: QueueOwner) => void;

  constructor(answer: (owner: QueueOwner) => void) {
    super(NO_OPERATIONS);
    this.#answer = answer;
  }

  override answer(owner: QueueOwner): void {
    this.#answer(owner);
  }
}

export class VirtualQueue implements DiskQueue {
  readonly #owner: QueueOwner;
  #waiting: Task[] = [];
  #current: Task | null = null;
  #stuck = false;
  /** The task at hand waits for this alone, one call at a time. */
  readonly #onTime = (): void => this.#goOn();

  constructor(owner: QueueOwner) {
    this.#owner = owner;
  }

  submit(operations: readonly DiskOperation[], done: (error: DiskError | null) => void): void {
    this.#enqueue(new Submission(operations, done));
  }

  read(path: string, offset: number, length: number, done: (error: DiskError | null, bytes: Uint8Array) => void): void {
    this.#enqueue(new Reading(path, offset, length, done));
  }

  list(path: string, done: (error: DiskError | null, names: readonly string[]) => void): void {
    const answer = (owner: QueueOwner): void => {
      const names = owner.listNow(path);
      if ('code' in names) done(names, []);
      else done(null, names);
    };
    this.#enqueue(new Question(answer));
  }

  size(path: string, done: (error: DiskError | null, bytes: number) => void): void {
    this.#enqueue(new Question((owner) => answerNumber(owner.sizeNow(path), done)));
  }

  free(done: (error: DiskError | null, bytes: number) => void): void {
    this.#enqueue(new Question((owner) => answerNumber(owner.freeNow(), done)));
  }

  /** Calls back behind everything that was submitted before. */
  drain(done: () => void): void {
    this.#enqueue(new Submission(NO_OPERATIONS, done));
  }

  /** What was stuck goes on. */
  release(): void {
    if (!this.#stuck) return;
    this.#stuck = false;
    if (this.#current !== null) this.#advance(this.#current);
  }

  #enqueue(task: Task): void {
    this.#waiting.push(task);
    if (this.#current === null) this.#next();
  }

  #next(): void {
    const task = this.#waiting.shift() ?? null;
    this.#current = task;
    if (task === null || this.#owner.ended) return;
    this.#stuck = this.#owner.getsStuck();
    if (!this.#stuck) this.#advance(task);
  }

  /** Carries out what takes no time at once, and waits for what does. */
  #advance(task: Task): void {
    for (; task.at < task.operations.length && task.error === null; task.at++) {
      const operation = task.operations[task.at];
      if (operation === undefined) break;
      if (takesTime(operation)) return this.#later(this.#owner.syncTime());
      task.error = this.#owner.carryOut(operation);
      task.waited = false;
    }
    if (task.waited) this.#finish(task);
    else this.#later(this.#owner.accessTime());
  }

  #later(delay: number): void {
    this.#owner.scheduler.after(delay, this.#onTime);
  }

  /** The time is over that a sync takes, or the access behind the last operation. */
  #goOn(): void {
    const task = this.#current;
    if (task === null || this.#owner.ended) return;
    const stall = this.#owner.stallLeft();
    if (stall > 0) return this.#later(stall);
    const operation = task.error === null ? task.operations[task.at] : undefined;
    if (operation === undefined) return this.#finish(task);
    task.error = this.#owner.carryOut(operation);
    task.at++;
    task.waited = true;
    this.#advance(task);
  }

  #finish(task: Task): void {
    this.#current = null;
    task.answer(this.#owner);
    // What the answer submitted is in the queue already, behind what waited there.
    if (this.#current === null) this.#next();
  }
}

function takesTime({ op }: DiskOperation): boolean {
  return op === 'sync' || op === 'syncDirectory';
}

function answerNumber(answer: number | DiskError, done: (error: DiskError | null, bytes: number) => void): void {
  if (typeof answer === 'number') done(null, answer);
  else done(answer, 0);
}
