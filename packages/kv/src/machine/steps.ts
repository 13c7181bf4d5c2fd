/**
 * Work that may take long is written as a generator that pauses whenever its meter has run out. The state machine's meter counts
 * units of work, never time, so that every replica does the same; whoever drives the steps decides when to go on.
 */
export type Steps<T> = Generator<undefined, T, undefined>;

/** One unit is about the cost of visiting one key, or of copying `bytesPerUnit`. */
export class WorkMeter {
  #left = 0;

  refill(units: number): void {
    this.#left = units;
  }

  /** True when it is time to pause. */
  spend(units: number): boolean {
    this.#left -= units;
    return this.#left <= 0;
  }
}

export const bytesPerUnit = 2048;
