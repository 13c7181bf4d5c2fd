/** When things happen in a test: in virtual time, as fast as they can be computed, or in real time. */

export interface Scheduler {
  /** Milliseconds since the beginning; with fractions. */
  readonly now: number;
  /** Runs it after so long; returns what cancels that. `label` is what a report calls it. */
  after(milliseconds: number, run: () => void, label?: string): () => void;
  /** As `after`, for what wakes nobody who waits for a promise: it costs less. */
  afterQuietly(milliseconds: number, run: () => void): () => void;
  /** The same for what is never cancelled. Should it wake somebody after all, it says so by `wakes`. */
  quietly(milliseconds: number, run: () => void, label?: string): void;
  /** Somebody who waits for a promise can go on, and does so before anything else happens. */
  wakes(): void;
  sleep(milliseconds: number): Promise<void>;
  /**
   * Lets time pass until what `main` began is over, and returns what came of it. Whatever throws meanwhile, in whoever's code, ends it.
   * @throws OverdueError when that is not over behind `limit` milliseconds, where one is given.
   */
  run<Result>(main: () => Promise<Result>, limit?: number): Promise<Result>;
  /** Ends `run` with this. */
  fail(error: unknown): void;
  /** The labels of what has happened, in order; empty unless races are looked for. */
  readonly order: readonly string[];
}

/** In virtual time nothing is left to happen, and the test still waits. */
export class StuckError extends Error {
  override readonly name = 'StuckError';
}

/** Time does not pass any more: somebody does things over and over that take none. */
export class BusyLoopError extends Error {
  override readonly name = 'BusyLoopError';
}

/** Time passes, and the test does not end. */
export class OverdueError extends Error {
  override readonly name = 'OverdueError';

  constructor(limit: number) {
    super(
      `The test has not ended after ${limit / 1000} seconds: something is awaited that never comes, an answer perhaps.`,
    );
  }
}
