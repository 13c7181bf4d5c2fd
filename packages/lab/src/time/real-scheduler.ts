import { OverdueError, type Scheduler } from './scheduler.ts';

/** Taken before anything of a test runs: the globals may be replaced by then (sandbox). */
const { setTimeout: setTimer, clearTimeout: clearTimer, setImmediate: setSoon, clearImmediate: clearSoon } = globalThis;
const realNow = performance.now.bind(performance);

/** Real time: for figures that compare with those of others. */
export class RealScheduler implements Scheduler {
  readonly #began = realNow();
  readonly order: readonly string[] = [];
  readonly #onBeat: (() => void) | undefined;
  #reject: ((error: unknown) => void) | null = null;

  constructor(onBeat?: () => void) {
    this.#onBeat = onBeat;
  }

  get now(): number {
    return realNow() - this.#began;
  }

  /** What takes less than the clock of timers can tell apart happens at once. */
  after(milliseconds: number, run: () => void): () => void {
    const guarded = (): void => {
      this.#onBeat?.();
      try {
        run();
      } catch (error) {
        this.fail(error);
      }
    };
    if (milliseconds < 0.5) {
      const soon = setSoon(guarded);
      return () => clearSoon(soon);
    }
    const timer = setTimer(guarded, milliseconds);
    return () => clearTimer(timer);
  }

  afterQuietly(milliseconds: number, run: () => void): () => void {
    return this.after(milliseconds, run);
  }

  quietly(milliseconds: number, run: () => void): void {
    this.after(milliseconds, run);
  }

  wakes(): void {
    // Whoever can go on does so behind each event.
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(milliseconds, resolve);
    });
  }

  fail(error: unknown): void {
    this.#reject?.(error);
  }

  run<Result>(main: () => Promise<Result>, limit = Number.POSITIVE_INFINITY): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.#reject = reject;
      const cancel =
        limit === Number.POSITIVE_INFINITY ? null : this.after(limit, () => reject(new OverdueError(limit)));
      main()
        .then(resolve, reject)
        .finally(() => cancel?.());
    });
  }
}
