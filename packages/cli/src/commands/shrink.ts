import { rmSync } from 'node:fs';
import {
  decodeTrace,
  endingOf,
  endsAlike,
  type Ending,
  type Plan,
  type PlanTrace,
  readPlan,
  runPlan,
  runSeed,
  shrinkPlan,
  standardWatchers,
} from '@quorate/sim';
import { readLines } from '@quorate/sim/node';
import type { ShrinkFlags } from '../tree/sim-command.ts';
import { UsageError } from '../usage-error.ts';
import { savePlan } from './plans.ts';
import { print } from './session.ts';

/** Shrinks a failed run; exit code 1 if it does not fail. */
export function runShrink(what: string, flags: ShrinkFlags): void {
  const { plan, ending } = failedRun(what, flags);
  if (ending.invariant === '' || !endsAlike(endingOf(runPlan(plan, standardWatchers)), ending)) {
    print(
      ending.invariant === '' ? 'Nothing breaks in this run.' : `${ending.invariant} does not break in this build.`,
    );
    process.exitCode = 1;
    return;
  }
  print(`${ending.invariant} breaks: ${describe(plan)}`);
  const breaks = (smaller: Plan): boolean => endsAlike(endingOf(runPlan(smaller, standardWatchers)), ending);
  const shrunk = shrinkPlan(plan, breaks, flags.runs);
  const smallest = endingOf(runPlan(shrunk.plan, standardWatchers));
  print(`After ${shrunk.runs} runs${shrunk.isMinimal ? '' : ', and it could go on'}: ${describe(shrunk.plan)}`);
  printPlan(shrunk.plan, smallest);
  const path = flags.output ?? (isSeed(what) ? `seed-${what}.shrunk.json` : what.replace(/(\.json)?$/, '.shrunk.json'));
  if (flags.output === undefined) rmSync(path, { force: true });
  savePlan(path, { plan: shrunk.plan, ending: smallest }, 'quorate sim shrink');
  print(`Written to ${path}. Again: quorate sim replay ${path}`);
}

function failedRun(what: string, flags: ShrinkFlags): PlanTrace {
  if (!isSeed(what)) {
    const { header, records } = decodeTrace(readLines(what));
    return readPlan(header, records);
  }
  const seed = Number(what);
  if (!Number.isSafeInteger(seed)) throw new UsageError(`${what} is too large for a seed.`);
  const limits = {
    ...(flags.servers === undefined ? {} : { servers: flags.servers }),
    ...(flags.seconds === undefined ? {} : { faultSeconds: flags.seconds }),
  };
  const result = runSeed(seed, limits, standardWatchers);
  const { options, actions } = result;
  return { plan: { seed, options, actions }, ending: endingOf(result) };
}

function isSeed(what: string): boolean {
  return /^\d+$/.test(what);
}

function describe({ options, actions }: Plan): string {
  const { servers, clients, faultMicros } = options;
  return `${actions.length} actions, ${clients} clients, ${servers} servers, ${faultMicros / 1_000_000} s of faults.`;
}

function printPlan({ actions }: Plan, { facts }: Ending): void {
  for (const { at, step: _, kind, ...rest } of actions) {
    const details = Object.entries(rest).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    print(`  ${(at / 1_000_000).toFixed(6).padStart(11)} s  ${kind} ${details.join(' ')}`.trimEnd());
  }
  for (const fact of facts) print(`  ${fact}`);
}
