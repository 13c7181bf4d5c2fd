import type { KvEnvironment } from '../consensus.ts';

/** What the service needs of its host's environment. */
export interface HostEnvironment<Handle> {
  readonly clock: { now(): number };
  readonly timers: {
    set(delay: number, callback: () => void): Handle;
    clear(handle: Handle): void;
    afterPoll(callback: () => void): void;
  };
  readonly random: { uint32(): number };
}

/** The service's cut of its host's environment. */
export function serviceEnvironment<Handle>({ clock, timers, random }: HostEnvironment<Handle>): KvEnvironment {
  return {
    now: () => clock.now(),
    random: () => random.uint32(),
    setTimer(delay, callback) {
      const handle = timers.set(delay, callback);
      return () => timers.clear(handle);
    },
    yield: (callback) => timers.afterPoll(callback),
  };
}
