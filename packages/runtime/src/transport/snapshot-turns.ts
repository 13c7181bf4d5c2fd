/** A stream that wants to go on. */
export interface TakesTurns {
  /** It may. */
  onTurn(): void;
}

/**
 * Streams of snapshots take turns: sent to several peers at once, a snapshot takes a leader's processor, disk and network from those whose
 * writes wait. Whoever has the turn keeps it until it leaves: at its end, or because its receiver lets it wait, so that a slow
 * receiver delays nobody.
 */
export class SnapshotTurns {
  readonly #later: (callback: () => void) => void;
  readonly #waiting: TakesTurns[] = [];
  #holder: TakesTurns | null = null;

  /** `later` calls back in another turn of the loop: whoever leaves may be in the middle of something. */
  constructor(later: (callback: () => void) => void) {
    this.#later = later;
  }

  /** Whether it is the turn of `stream`. If not, `onTurn` is called when it is. */
  take(stream: TakesTurns): boolean {
    this.#holder ??= stream;
    if (this.#holder === stream) return true;
    if (!this.#waiting.includes(stream)) this.#waiting.push(stream);
    return false;
  }

  /** It has ended, or waits for something else than its turn. */
  leave(stream: TakesTurns): void {
    const place = this.#waiting.indexOf(stream);
    if (place >= 0) this.#waiting.splice(place, 1);
    if (this.#holder !== stream) return;
    const next = this.#waiting.shift() ?? null;
    this.#holder = next;
    if (next !== null) this.#later(() => next.onTurn());
  }
}
