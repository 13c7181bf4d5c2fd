/**
 * What is handed to a core, and what it hands out, belongs to others as well: the core may keep a message's entries, the runtime
 * sends what the core still holds, every watcher is shown the same object. So nobody changes any of it. Here all of it is frozen,
 * and whoever writes to it throws, which ends the run.
 */
import { blindWatcher, runSeed, standardWatchers, type WatcherFactory, type WorldWatcher } from '@quorate/sim';
import { describe, expect, test } from 'vitest';
import { deepFreeze } from '../../../test-support/deep-freeze.ts';

function freezer(): WorldWatcher & { frozen: number } {
  const freeze = (value: unknown): void => {
    deepFreeze(value);
    watcher.frozen++;
  };
  const watcher = {
    ...blindWatcher,
    frozen: 0,
    onStart: (_: string, { options, recovered }: Parameters<WorldWatcher['onStart']>[1]) => {
      freeze(options);
      freeze(recovered);
    },
    onInput: (_: string, input: unknown) => freeze(input),
    onOutput: (_: string, output: unknown) => freeze(output),
    onSend: (_: string, message: unknown) => freeze(message),
  };
  return watcher;
}

describe('inputs, outputs and messages', () => {
  test('are changed by nobody, whatever goes wrong around them', { timeout: 120_000 }, () => {
    let frozen = 0;
    for (let seed = 0; seed < 25; seed++) {
      const first = freezer();
      // First of all watchers, so that the others are held to it as well.
      const watch: WatcherFactory = (...made) => [first, ...standardWatchers(...made)];
      const { crash, violation } = runSeed(seed, { faultSeconds: 5 }, watch);
      expect(crash, `seed ${seed}`).toBeNull();
      expect(violation, `seed ${seed}`).toBeNull();
      frozen += first.frozen;
    }
    expect(frozen).toBeGreaterThan(50_000);
  });

  test('a watcher that changes one is found out', () => {
    const vandal: WorldWatcher = {
      ...blindWatcher,
      onSend: (_, message) => void Object.assign(message, { term: message.term + 1 }),
    };
    const watch: WatcherFactory = (...made) => [freezer(), vandal, ...standardWatchers(...made)];
    const { violation } = runSeed(1, { faultSeconds: 1 }, watch);
    expect(violation?.invariant).toBe('H6');
    expect(violation?.second).toMatch(/InternalError: .*Cannot assign to read only property 'term'/);
  });
});
