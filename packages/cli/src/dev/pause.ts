/** Watches the gaps between acknowledgements of a steady load and remembers the last one that was a pause. */
export class PauseWatch {
  readonly #threshold: number;
  #lastAcknowledged: number | null = null;
  #last: { readonly ms: number; readonly endedAt: number } | null = null;

  /** `ratePerSecond` says what gap is ordinary; a pause is at least 100 ms and twenty ordinary gaps. */
  constructor(ratePerSecond: number) {
    this.#threshold = Math.max(100, 20_000 / ratePerSecond);
  }

  acknowledged(now: number): void {
    const gap = this.current(now);
    if (gap !== null) this.#last = { ms: gap, endedAt: now };
    this.#lastAcknowledged = now;
  }

  /** How long nothing has been acknowledged, if that is a pause already; otherwise null. Milliseconds. */
  current(now: number): number | null {
    if (this.#lastAcknowledged === null) return null;
    const gap = now - this.#lastAcknowledged;
    return gap >= this.#threshold ? gap : null;
  }

  /** The last pause that has ended, or null. */
  get last(): { readonly ms: number; readonly endedAt: number } | null {
    return this.#last;
  }
}
