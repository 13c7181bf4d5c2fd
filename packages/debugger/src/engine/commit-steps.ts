import type { StepRecord } from './step-record.ts';

/** The steps in which somebody first counted further entries committed. */
export class CommitSteps {
  readonly #advances: { readonly index: number; readonly step: number }[] = [];

  constructor(records: readonly StepRecord[]) {
    let highest = 0;
    for (const { step, changes } of records) {
      if (changes.commit === null || changes.commit <= highest) continue;
      highest = changes.commit;
      this.#advances.push({ index: highest, step });
    }
  }

  /** In which the entry at `index` was; null while it was in none. */
  of(index: number): number | null {
    let [low, high] = [0, this.#advances.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#advances[middle]?.index ?? 0) < index) low = middle + 1;
      else high = middle;
    }
    return this.#advances[low]?.step ?? null;
  }
}
