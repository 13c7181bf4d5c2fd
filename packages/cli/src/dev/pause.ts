/** A gap between acknowledgements. */
export interface Pause {
  readonly ms: number;
  readonly endedAt: number;
  /** What had happened before it. */
  readonly after: string;
}

/** Shorter gaps are a machine's ordinary unevenness. Milliseconds. */
export const LEAST_PAUSE_MS = 50;

/**
 * Watches the gaps between acknowledgements of a steady load. Of each disturbance (a kill, a cut, a new leader) the longest
 * gap since is what people want to know; small ones that follow must not hide it.
 */
export class PauseWatch {
  #lastAcknowledged: number | null = null;
  #disturbance = 'the start';
  #longest: Pause | null = null;
  #previous: Pause | null = null;

  /** Something has happened from which a pause may come. */
  disturbed(what: string): void {
    if (this.#longest !== null) this.#previous = this.#longest;
    this.#longest = null;
    this.#disturbance = what;
  }

  acknowledged(now: number): void {
    const gap = this.current(now);
    if (gap !== null && gap > (this.#longest?.ms ?? 0))
      this.#longest = { ms: gap, endedAt: now, after: this.#disturbance };
    this.#lastAcknowledged = now;
  }

  /** How long nothing has been acknowledged, if that is a pause already; otherwise null. Milliseconds. */
  current(now: number): number | null {
    if (this.#lastAcknowledged === null) return null;
    const gap = now - this.#lastAcknowledged;
    return gap >= LEAST_PAUSE_MS ? gap : null;
  }

  /** The longest since the last disturbance; while there is none, that of the one before. */
  get last(): Pause | null {
    return this.#longest ?? this.#previous;
  }
}
