import type { KvEnvironment } from '@quorate/kv';
import type { Environment } from '@quorate/runtime';

/** The service's cut of the environment. */
export function kvEnvironment({ clock, timers, random }: Environment): KvEnvironment {
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
