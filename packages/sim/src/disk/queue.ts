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

interface Task {
  readonly operations: readonly DiskOperation[];
  at: number;
  error: DiskError | null;
  /** The last operation took its time: the answer may follow at once. */
  waited: boolean;
  readonly answer: (error: DiskError | null) => void;
}

const NO_OPERATIONS: readonly DiskOperation[] = [];
const NO_BYTES = new Uint8Array(0);

export class VirtualQueue implements DiskQueue {
  readonly #owner: QueueOwner;
  #waiting: Task[] = [];
  #current: Task | null = null;
  #stuck = false;

  constructor(owner: QueueOwner) {
    this.#owner = owner;
  }

  submit(operations: readonly DiskOperation[], done: (error: DiskError | null) => void): void {
    this.#enqueue(operations, done);
  }

  read(path: string, offset: number, length: number, done: (error: DiskError | null, bytes: Uint8Array) => void): void {
    this.#enqueue(NO_OPERATIONS, () => {
      const bytes = this.#owner.readNow(path, offset, length);
      if (bytes instanceof Uint8Array) done(null, bytes);
      else done(bytes, NO_BYTES);
    });
  }

  list(path: string, done: (error: DiskError | null, names: readonly string[]) => void): void {
    this.#enqueue(NO_OPERATIONS, () => {
      const names = this.#owner.listNow(path);
      if ('code' in names) done(names, []);
      else done(null, names);
    });
  }

  size(path: string, done: (error: DiskError | null, bytes: number) => void): void {
    this.#enqueue(NO_OPERATIONS, () => {
      const bytes = this.#owner.sizeNow(path);
      if (typeof bytes === 'number') done(null, bytes);
      else done(bytes, 0);
    });
  }

  free(done: (error: DiskError | null, bytes: number) => void): void {
    this.#enqueue(NO_OPERATIONS, () => {
      const bytes = this.#owner.freeNow();
      if (typeof bytes === 'number') done(null, bytes);
      else done(bytes, 0);
    });
  }

  /** Calls back behind everything that was submitted before. */
  drain(done: () => void): void {
    this.#enqueue(NO_OPERATIONS, done);
  }

  /** What was stuck goes on. */
  release(): void {
    if (!this.#stuck) return;
    this.#stuck = false;
    if (this.#current !== null) this.#advance(this.#current);
  }

  #enqueue(operations: readonly DiskOperation[], answer: (error: DiskError | null) => void): void {
    this.#waiting.push({ operations, at: 0, error: null, waited: false, answer });
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
      if (operation.op === 'sync' || operation.op === 'syncDirectory') {
        return this.#later(this.#owner.syncTime(), () => {
          task.error = this.#owner.carryOut(operation);
          task.at++;
          task.waited = true;
          this.#advance(task);
        });
      }
      task.error = this.#owner.carryOut(operation);
      task.waited = false;
    }
    if (task.waited) this.#finish(task);
    else this.#later(this.#owner.accessTime(), () => this.#finish(task));
  }

  #finish(task: Task): void {
    this.#current = null;
    task.answer(task.error);
    // What the answer submitted is in the queue already, behind what waited there.
    if (this.#current === null) this.#next();
  }

  #later(delay: number, work: () => void): void {
    this.#owner.scheduler.after(delay, () => {
      if (this.#owner.ended) return;
      const stall = this.#owner.stallLeft();
      if (stall > 0) this.#later(stall, work);
      else work();
    });
  }
}
