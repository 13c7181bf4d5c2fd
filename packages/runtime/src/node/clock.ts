import type { Clock } from '../environment.ts';

/** The process's monotonic clock. */
export const nodeClock: Clock = {
  now: () => Math.floor(performance.now() * 1000),
  wallTime: () => Date.now(),
};
