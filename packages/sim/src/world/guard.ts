/** What happens to one server: only while that life of it lasts, and while its process stands still not before it goes on. */
export class LifeGuard {
  #isOver = false;
  /** While the process stands still: what waits for it. */
  #held: (() => void)[] | null = null;

  /** What happens, happens now: `run` would only call. For those who can do without a closure then. */
  get isAwake(): boolean {
    return this.#held === null && !this.#isOver;
  }

  get isAsleep(): boolean {
    return this.#held !== null;
  }

  run(work: () => void): void {
    if (this.#isOver) return;
    if (this.#held === null) work();
    else this.#held.push(() => this.run(work));
  }

  sleep(): void {
    this.#held ??= [];
  }

  /** Returns what came meanwhile, in the order in which it came. */
  wake(): readonly (() => void)[] {
    const held = this.#held ?? [];
    this.#held = null;
    return held;
  }

  /** That life is over: nothing reaches it any more. */
  end(): void {
    this.#isOver = true;
  }
}
