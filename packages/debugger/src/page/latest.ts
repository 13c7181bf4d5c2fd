/** Work whose result is out of date as soon as it is asked for again: one at a time, and the last one is always done. */
export class Latest {
  readonly #work: () => Promise<void>;
  #isBusy = false;
  #isWanted = false;

  /** `work` must not reject. */
  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  again(): void {
    this.#isWanted = true;
    if (!this.#isBusy) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isBusy = true;
    while (this.#isWanted) {
      this.#isWanted = false;
      await this.#work();
    }
    this.#isBusy = false;
  }
}
