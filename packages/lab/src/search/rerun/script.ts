/** Which way to take at each of the first steps of a run, so that the runs together take all of them: depth first, the last step turning first. */
export class Script {
  readonly #length: number;
  /** The way taken at each step, and how many there were. */
  #choices: { at: number; of: number }[] = [];
  #step = 0;
  #isOver = false;

  /** `length`: the steps of which all ways are taken. */
  constructor(length: number) {
    this.#length = length;
  }

  /** Whether the next step is one of those. */
  get isSystematic(): boolean {
    return !this.#isOver && this.#step < this.#length;
  }

  /** A run begins. */
  begin(): void {
    this.#step = 0;
  }

  /** The way to take of so many; null where chance decides. */
  choose(ways: number): number | null {
    if (!this.isSystematic) return null;
    const choice = this.#choices[this.#step] ?? { at: 0, of: ways };
    this.#choices[this.#step] = choice;
    this.#step += 1;
    return Math.min(choice.at, ways - 1);
  }

  /** The run is over: the last step that has another way takes that next. */
  next(): void {
    for (let last = this.#choices.pop(); last !== undefined; last = this.#choices.pop()) {
      if (last.at + 1 >= last.of) continue;
      this.#choices.push({ at: last.at + 1, of: last.of });
      return;
    }
    this.#isOver = true;
  }
}
