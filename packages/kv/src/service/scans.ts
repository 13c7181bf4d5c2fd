import type { KvEnvironment } from '../consensus.ts';
import { type Steps, WorkMeter } from '../machine/steps.ts';

/** A read that may take long. */
export interface Scan {
  /** Whether nobody waits any more. */
  readonly cancelled: boolean;
  /** Settles on a revision, pins it and begins; may be called again after `stop`. */
  start(meter: WorkMeter): Steps<void>;
  /** Lets go of what `start` took hold of. Called after every `start`, at the end or before it. */
  stop(): void;
}

export interface ScanLimits {
  readonly maxActiveScans: number;
  readonly maxQueuedScans: number;
  readonly scanSliceTime: number;
}

/** A first slice at once, while this turn of the loop has time for it: nearly every read ends in it. */
const firstSliceUnits = 512;
/** Between two looks at the clock. */
const unitsPerStep = 1024;

interface Active {
  readonly scan: Scan;
  readonly steps: Steps<void>;
}

/** Runs large reads in slices, so that however many there are, they together hold the loop no longer than one slice at a time. */
export class Scans {
  readonly #environment: KvEnvironment;
  readonly #limits: ScanLimits;
  readonly #meter = new WorkMeter();
  #active: Active[] = [];
  #queued: Scan[] = [];
  #turn = 0;
  #scheduled = false;
  /** Time that first slices have taken in this turn of the loop. */
  #spent = 0;

  constructor(environment: KvEnvironment, limits: ScanLimits) {
    this.#environment = environment;
    this.#limits = limits;
  }

  /** False if there are too many already. */
  run(scan: Scan): boolean {
    this.#schedule();
    if (this.#spent > this.#limits.scanSliceTime) return this.#queue(scan);
    const before = this.#environment.now();
    this.#meter.refill(firstSliceUnits);
    const steps = scan.start(this.#meter);
    const ended = this.#step(scan, steps);
    this.#spent += this.#environment.now() - before;
    if (ended) return true;
    if (this.#active.length < this.#limits.maxActiveScans) {
      this.#active.push({ scan, steps });
      return true;
    }
    // It holds results and a pin; waiting, it shall hold neither.
    scan.stop();
    return this.#queue(scan);
  }

  /** Drops everything. */
  close(): void {
    for (const { scan } of this.#active) scan.stop();
    this.#active = [];
    this.#queued = [];
  }

  #queue(scan: Scan): boolean {
    if (this.#queued.length >= this.#limits.maxQueuedScans) return false;
    this.#queued.push(scan);
    return true;
  }

  /** True if the scan has ended. */
  #step(scan: Scan, steps: Steps<void>): boolean {
    if (steps.next().done !== true) return false;
    scan.stop();
    return true;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#environment.yield(() => this.#slice());
  }

  #slice(): void {
    this.#scheduled = false;
    this.#spent = 0;
    const end = this.#environment.now() + this.#limits.scanSliceTime;
    do {
      this.#startQueued();
      if (this.#active.length === 0) return;
      this.#turn = (this.#turn + 1) % this.#active.length;
      const { scan, steps } = this.#active[this.#turn] as Active;
      this.#meter.refill(unitsPerStep);
      if (this.#abandoned(scan) || this.#step(scan, steps)) this.#active.splice(this.#turn, 1);
    } while (this.#environment.now() < end);
    this.#schedule();
  }

  #startQueued(): void {
    while (this.#active.length < this.#limits.maxActiveScans) {
      const scan = this.#queued.shift();
      if (scan === undefined) return;
      if (!scan.cancelled) this.#active.push({ scan, steps: scan.start(this.#meter) });
    }
  }

  #abandoned(scan: Scan): boolean {
    if (scan.cancelled) scan.stop();
    return scan.cancelled;
  }
}
