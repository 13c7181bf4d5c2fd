/**
 * Whole clusters under loss, duplication, reordering, crashes that lose what was not durable, slow disks, compaction: every
 * invariant after every step, then agreement once the faults end. A failure prints the seed and the smallest plan.
 *
 * `QUORATE_RUNS=20000` runs more of them, `QUORATE_SEED=…` repeats a failure, `QUORATE_PLAN=file` runs one plan (the printed
 * counterexample, as JSON) and writes down all that happens beside it, in `file.trace`.
 */
import fc from 'fast-check';
import { readFileSync, writeFileSync } from 'node:fs';
import { env } from 'node:process';
import { describe, expect, test } from 'vitest';
import { actionKinds, type Plan, plans } from './support/chaos/plan.ts';
import { ChaosRun } from './support/chaos/run.ts';
import { Trace } from './support/script/trace.ts';

const runs = Number(env['QUORATE_RUNS'] ?? 300);
const parameters: fc.Parameters<unknown> = {
  numRuns: runs,
  ...(env['QUORATE_SEED'] === undefined ? {} : { seed: Number(env['QUORATE_SEED']) }),
};
const timeout = 60_000 + runs * 100;

const planFile = env['QUORATE_PLAN'];

describe.runIf(planFile !== undefined)('one plan', () => {
  test('keeps every invariant', () => {
    const plan = JSON.parse(readFileSync(planFile ?? '', 'utf8')) as Plan | [Plan];
    const trace = new Trace();
    const run = new ChaosRun(Array.isArray(plan) ? plan[0] : plan, [trace]);
    try {
      run.misbehave();
      trace.say('--- the faults end');
      run.heal();
    } finally {
      writeFileSync(`${planFile}.trace`, `${trace.take().join('\n')}\n`);
    }
  });
});

describe.skipIf(planFile !== undefined)('random clusters', () => {
  test(
    'keep every invariant and agree once the faults end',
    () => {
      const counts = new Map<string, number>();
      fc.assert(
        fc.property(plans(400), (plan) => {
          const run = new ChaosRun(plan);
          run.misbehave();
          run.heal();
          for (const [kind, count] of run.done) {
            counts.set(kind, (counts.get(kind) ?? 0) + count);
          }
        }),
        parameters,
      );
      // A run in which something never happens proves nothing about it.
      expect(actionKinds.filter((kind) => !counts.has(kind))).toEqual([]);
    },
    timeout,
  );
});
