/**
 * Random tests whose single run is long: a life of a log, a cluster under faults. To shrink such a failure takes minutes, and
 * whoever waits must not wait for the seed; so it is printed the moment it is known, and shrinking has an end.
 *
 * `QUORATE_SEED=…` and `QUORATE_PATH=…` repeat a failure, `QUORATE_SHRINK=0` leaves it as large as it is.
 */
import * as fc from 'fast-check';
import { writeSync } from 'node:fs';
import { relative } from 'node:path';
import { cwd, env } from 'node:process';
import { expect } from 'vitest';

/** Milliseconds after which the smallest failure so far must do. */
const shrinkLimit = 60_000;

interface LongParameters<Ts> {
  readonly numRuns: number;
  /** Fixed for ever; `QUORATE_SEED` does not change it. */
  readonly seed?: number;
  readonly shrinkLimit?: number;
  /** Where the first news goes. Default: standard error, past whatever collects the output of tests. */
  readonly say?: (line: string) => void;
  /** Keeps the counterexample, the first and the smallest, and says how to run it alone. */
  readonly keep?: (counterexample: Ts, seed: number) => string;
}

/** Like `fc.assert`, of a property without promises. Throws what the smallest failure threw, as its cause. */
export function assertLong<Ts>(property: fc.IProperty<Ts>, parameters: LongParameters<Ts>): void {
  const { numRuns, seed = fromEnvironment('QUORATE_SEED'), keep } = parameters;
  const path = parameters.seed === undefined ? env['QUORATE_PATH'] : undefined;
  const given = { numRuns, ...(seed === undefined ? {} : { seed }), ...(path === undefined ? {} : { path }) };
  const first = fc.check(property, { ...given, endOnFailure: true });
  if (!first.failed) return;
  if (first.counterexamplePath === null) throw new Error(fc.defaultReportMessage(first));
  const kept = keep === undefined ? '' : `\n${keep(first.counterexample, first.seed)}`;
  const say = parameters.say ?? ((line: string) => void writeSync(2, `${line}\n`));
  say(`${howToRepeat(first)}${kept}`);
  if (env['QUORATE_SHRINK'] === '0') throw failure(first, kept);
  const smallest = fc.check(property, {
    numRuns: 1,
    seed: first.seed,
    path: first.counterexamplePath,
    interruptAfterTimeLimit: parameters.shrinkLimit ?? shrinkLimit,
  });
  if (smallest.counterexamplePath === null) {
    // A property that passes when it is asked again depends on something else than its input: that is a finding too.
    throw failure(first, smallest.interrupted ? kept : '\nThe same input passed when it was tried again.');
  }
  throw failure(smallest, keep === undefined ? '' : `\n${keep(smallest.counterexample, smallest.seed)}`);
}

function fromEnvironment(name: string): number | undefined {
  const text = env[name];
  return text === undefined ? undefined : Number(text);
}

function howToRepeat({ seed, counterexamplePath, numRuns }: Failure): string {
  const { testPath, currentTestName = '' } = expect.getState();
  const file = testPath === undefined ? '' : ` ${relative(cwd(), testPath)}`;
  const name = currentTestName.replace(/^.* > /, '');
  return (
    `Failed in run ${numRuns}, seed ${seed}: ${name}\n` +
    `QUORATE_SEED=${seed} QUORATE_PATH=${counterexamplePath} npx vitest run${file} -t ${JSON.stringify(name)}`
  );
}

interface Failure {
  readonly seed: number;
  readonly counterexamplePath: string;
  readonly numRuns: number;
  readonly numShrinks: number;
  readonly interrupted: boolean;
  readonly counterexample: unknown;
  readonly errorInstance: unknown;
}

function failure(found: Failure, rest: string): Error {
  const { errorInstance, numShrinks, interrupted, counterexample } = found;
  const size = interrupted ? 'not the smallest, time was up' : `shrunk ${numShrinks} times`;
  return new Error(
    `${String(errorInstance)}\n${howToRepeat(found)}${rest}\nCounterexample (${size}): ${fc.stringify(counterexample)}`,
    { cause: errorInstance },
  );
}
