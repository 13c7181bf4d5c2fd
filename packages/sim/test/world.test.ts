import { blindWatcher, runSeed, type WatcherFactory } from '@quorate/sim';
import { describe, expect, test } from 'vitest';

const nobody: WatcherFactory = () => [];

describe('a run', () => {
  test('is a function of its seed', () => {
    const first = runSeed(11, { faultSeconds: 10 }, nobody);
    const second = runSeed(11, { faultSeconds: 10 }, nobody);
    expect(second.stateHash).toBe(first.stateHash);
    expect(second.steps).toBe(first.steps);
    expect(second.actions).toEqual(first.actions);
    expect(runSeed(12, { faultSeconds: 10 }, nobody).stateHash).not.toBe(first.stateHash);
  });

  test('does not depend on who watches', () => {
    const watched: WatcherFactory = () => [blindWatcher];
    const alone = runSeed(13, { faultSeconds: 5 }, nobody).stateHash;
    expect(runSeed(13, { faultSeconds: 5 }, watched).stateHash).toBe(alone);
  });
});
