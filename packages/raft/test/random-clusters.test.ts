/**
 * Whole clusters under loss, duplication, reordering, crashes that lose what was not durable, slow disks, compaction: every
 * invariant after every step, then agreement once the faults end. A failure prints the seed and the smallest plan.
 *
 * `QUORATE_RUNS=20000` runs more of them, `QUORATE_SEED=…` and `QUORATE_PATH=…` repeat a failure, `QUORATE_SHRINK=0` leaves it as
 * large as it is, `QUORATE_PLAN=file` runs one plan and writes down all that happens, in `file.trace`.
 */
import * as fc from 'fast-check';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process, { env } from 'node:process';
import { describe, expect, test } from 'vitest';
import { assertLong } from '../../../test-support/long-property.ts';
import { type ActionKind, actionKinds, type Plan, plans } from './support/chaos/plan.ts';
import { ChaosRun } from './support/chaos/run.ts';
import { Sightings, type Situation, situations } from './support/chaos/sightings.ts';
import { Trace } from './support/script/trace.ts';

const planFile = env['QUORATE_PLAN'];
const runs = Number(env['QUORATE_RUNS'] ?? 500);
const maxActions = Number(env['QUORATE_ACTIONS'] ?? 1000);

if (planFile === undefined) {
  describe('random clusters', () => {
    test(
      'keep every invariant and agree once the faults end',
      () => {
        check(runs, {});
      },
      60_000 + runs * 100,
    );

    test('get into every hard situation', { timeout: 120_000 }, () => {
      const { done, seen } = check(1000, { seed: 20_140_614 });
      expect(actionKinds.filter((kind) => !done.has(kind))).toEqual([]);
      expect(situations.filter((situation) => !seen.has(situation))).toEqual([]);
    });
  });
} else {
  test('one plan keeps every invariant', () => {
    runPlan(planFile);
  });
}

interface Report {
  readonly done: Map<ActionKind, number>;
  readonly seen: Map<Situation, number>;
}

function check(numRuns: number, parameters: { readonly seed?: number }): Report {
  const report: Report = { done: new Map(), seen: new Map() };
  const property = fc.property(plans(maxActions), (plan) => {
    const run: ChaosRun = new ChaosRun(plan, [
      new Sightings(
        report.seen,
        () => run.ghosts,
        () => run.cluster.servers.values(),
      ),
    ]);
    run.start();
    run.misbehave();
    run.heal();
    for (const [kind, count] of run.done) {
      report.done.set(kind, (report.done.get(kind) ?? 0) + count);
    }
  });
  assertLong(property, { numRuns, ...parameters, keep: keepPlan });
  if (env['QUORATE_REPORT'] === '1') {
    process.stdout.write(`${JSON.stringify([...report.done, ...report.seen])}\n`);
  }
  return report;
}

function keepPlan(counterexample: readonly [Plan], seed: number): string {
  const file = join(tmpdir(), `quorate-plan-${seed}.json`);
  writeFileSync(file, JSON.stringify(counterexample));
  return `The plan alone: QUORATE_PLAN=${file} npx vitest run packages/raft/test/random-clusters.test.ts`;
}

function runPlan(file: string): void {
  const plan = JSON.parse(readFileSync(file, 'utf8')) as Plan | [Plan];
  const trace = new Trace();
  const run = new ChaosRun(Array.isArray(plan) ? plan[0] : plan, [trace]);
  try {
    run.start();
    run.misbehave();
    trace.say('--- the faults end');
    run.heal();
  } finally {
    writeFileSync(`${file}.trace`, `${trace.take().join('\n')}\n`);
  }
}
