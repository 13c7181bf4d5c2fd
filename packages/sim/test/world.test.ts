import { type HistoryCheck, runSeed, type SeedChecks } from '@quorate/sim';
import { describe, expect, test } from 'vitest';

const nothing: SeedChecks = { watchers: () => [], history: () => undefined };

describe('a run', () => {
  test('is a function of its seed', () => {
    const first = runSeed(11, { faultSeconds: 10 }, nothing);
    const second = runSeed(11, { faultSeconds: 10 }, nothing);
    expect(second.stateHash).toBe(first.stateHash);
    expect(second.steps).toBe(first.steps);
    expect(second.actions).toEqual(first.actions);
    expect(runSeed(12, { faultSeconds: 10 }, nothing).stateHash).not.toBe(first.stateHash);
  });

  test('does not depend on who watches', () => {
    const watched: SeedChecks = {
      ...nothing,
      watchers: () => [
        {
          onStart: () => undefined,
          onInput: () => undefined,
          onOutput: () => undefined,
          onSend: () => undefined,
          onApply: () => undefined,
          onRestore: () => undefined,
          onCrash: () => undefined,
          onFatal: () => undefined,
          onDamage: () => undefined,
        },
      ],
    };
    const alone = runSeed(13, { faultSeconds: 5 }, nothing).stateHash;
    expect(runSeed(13, { faultSeconds: 5 }, watched).stateHash).toBe(alone);
  });

  test('hands the history to its check', () => {
    let calls = 0;
    const history: HistoryCheck = (operations) => {
      calls = operations.length;
    };
    runSeed(14, { faultSeconds: 5 }, { ...nothing, history });
    expect(calls).toBeGreaterThan(0);
  });
});

test('fifty clusters under all faults converge and answer', () => {
  const broken: string[] = [];
  for (let seed = 0; seed < 50; seed++) {
    const { violation, crash } = runSeed(seed, { faultSeconds: 15 }, nothing);
    if (violation !== null) broken.push(`seed ${seed}: ${violation.message}`);
    if (crash !== null) broken.push(`seed ${seed}: ${crash}`);
  }
  expect(broken).toEqual([]);
});
