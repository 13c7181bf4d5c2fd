/** The newest entries of a log while it is read, within limits. */
import type { Entry, Index } from '@quorate/raft';

/** Entries of any size that are held at most: small ones weigh more in memory than their bytes. */
const MAX_ENTRIES = 100_000;

export class RecentEntries {
  readonly #maxBytes: number;
  #entries: Entry[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** As many as fit, as bytes of their own. */
  take(): readonly Entry[] {
    this.#trim();
    return this.#entries.map(({ index, term, kind, data }) => ({ index, term, kind, data: data.slice() }));
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += entry.data.length;
    if (this.#bytes > 2 * this.#maxBytes || this.#entries.length > 2 * MAX_ENTRIES) this.#trim();
  }

  /** The log was cut at `from`. */
  cut(from: Index): void {
    while ((this.#entries.at(-1)?.index ?? -1) >= from) this.#bytes -= this.#entries.pop()?.data.length ?? 0;
  }

  /** The log forgot everything up to `through`. */
  forgetThrough(through: Index): void {
    const kept = this.#entries.filter(({ index }) => index > through);
    this.clear();
    for (const entry of kept) this.push(entry);
  }

  clear(): void {
    this.#entries = [];
    this.#bytes = 0;
  }

  /** Done now and then, so that the cost for each entry stays constant. */
  #trim(): void {
    let drop = 0;
    for (const entry of this.#entries) {
      if (this.#bytes <= this.#maxBytes && this.#entries.length - drop <= MAX_ENTRIES) break;
      this.#bytes -= entry.data.length;
      drop += 1;
    }
    this.#entries = this.#entries.slice(drop);
  }
}
