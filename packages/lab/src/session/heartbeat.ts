/** How the thread that runs tests tells the one that watches it whether it goes on. */

/** Memory of both threads: beats so far, and whether there is anything to do. */
export type HeartbeatCells = Int32Array<SharedArrayBuffer>;

const BEATS = 0;
const IS_BUSY = 1;

/** Of the thread that is watched. */
export class Heartbeat {
  readonly cells: HeartbeatCells = new Int32Array(new SharedArrayBuffer(8));

  /** There is something to do from here on. */
  begin(): void {
    this.beat();
    Atomics.store(this.cells, IS_BUSY, 1);
  }

  beat(): void {
    Atomics.add(this.cells, BEATS, 1);
  }

  /** Nothing beats from here on, and nothing is amiss. */
  end(): void {
    Atomics.store(this.cells, IS_BUSY, 0);
  }
}

/** Of the thread that watches. */
export class HeartbeatWatch {
  readonly #cells: HeartbeatCells;
  #last: number;

  constructor(cells: HeartbeatCells) {
    this.#cells = cells;
    this.#last = Atomics.load(cells, BEATS);
  }

  /** Whether the other thread is busy and has not beaten once since the last look. */
  look(): boolean {
    const beats = Atomics.load(this.#cells, BEATS);
    const isStill = beats === this.#last && Atomics.load(this.#cells, IS_BUSY) === 1;
    this.#last = beats;
    return isStill;
  }
}
