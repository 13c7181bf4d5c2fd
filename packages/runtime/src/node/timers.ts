import type { TimerHandle, Timers } from '../environment.ts';

/** setTimeout takes at most 2^31 - 1 ms; a longer delay is waited for in pieces. */
const maxDelayMs = 0x7fffffff;

/**
 * Timers of the event loop. `afterPoll` is setImmediate: from wherever it is called, one poll phase lies between, so what had
 * arrived on sockets and from threads is delivered first.
 */
export const nodeTimers: Timers = {
  set(delay, callback) {
    const timer = new NodeTimer(callback);
    timer.wait(Math.ceil(delay / 1000));
    return timer;
  },
  clear(handle: TimerHandle) {
    if (handle instanceof NodeTimer) handle.stop();
  },
  afterPoll(callback) {
    setImmediate(callback);
  },
};

class NodeTimer {
  readonly #callback: () => void;
  #timeout: NodeJS.Timeout | null = null;

  constructor(callback: () => void) {
    this.#callback = callback;
  }

  wait(milliseconds: number): void {
    const piece = Math.min(milliseconds, maxDelayMs);
    this.#timeout = setTimeout(() => {
      if (milliseconds > piece) this.wait(milliseconds - piece);
      else this.#callback();
    }, piece);
  }

  stop(): void {
    if (this.#timeout !== null) clearTimeout(this.#timeout);
    this.#timeout = null;
  }
}
