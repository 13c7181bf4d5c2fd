import {
  doorSuite,
  type DoorTest,
  failureLines,
  type Outcome,
  passedLine,
  runDoorTest,
  titleLine,
  totalLines,
} from '@quorate/lab';
import type { LabRunFlags } from '../tree/lab-command.ts';
import { UsageError } from '../usage-error.ts';
import { savePage } from './lab-page.ts';
import { print } from './session.ts';

/** Runs key-value scenarios on processes: `command` is started once for each server. */
export async function runLabDoor(command: string, flags: LabRunFlags): Promise<void> {
  const tests = chosenTests(flags);
  if (flags.list === true) {
    for (const { name, title } of tests) print(`${'door'.padEnd(10)} ${name.padEnd(28)} ${title}`);
    return;
  }
  const ending = new AbortController();
  const onInterrupt = (): void => ending.abort();
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  const before = process.cpuUsage();
  const began = performance.now();
  const sum = { elapsed: 0, ran: 0, failed: 0 };
  try {
    for (let run = 0; run < flags.runs; run++) {
      for (const test of tests) {
        if (ending.signal.aborted) break;
        print(titleLine({ part: 'door', title: test.title }));
        const output = flags.verbose === true ? process.stderr : null;
        const outcome = await runDoorTest(test, { command, seed: flags.seed + run, output, signal: ending.signal });
        sum.ran += 1;
        sum.elapsed += outcome.elapsed;
        if (outcome.failure !== null) sum.failed += 1;
        report(outcome, command, flags);
      }
    }
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onInterrupt);
  }
  const { user, system } = process.cpuUsage(before);
  const [pass, ...totals] = totalLines(
    sum.elapsed,
    { user: user / 1000, system: system / 1000 },
    performance.now() - began,
  );
  print(sum.failed === 0 ? (pass ?? '') : `FAIL: ${sum.failed} of ${sum.ran} tests`);
  for (const line of totals) print(sum.failed === 0 ? line : line.replace(/^ok /, 'FAIL'));
  if (ending.signal.aborted) process.exitCode = 130;
  else if (sum.failed > 0) process.exitCode = 1;
}

function chosenTests(flags: LabRunFlags): readonly DoorTest[] {
  const { test: names } = flags;
  for (const name of ['impl', 'part', 'race', 'realTime', 'processes', 'grade', 'compare'] as const) {
    if (flags[name] === undefined) continue;
    throw new UsageError(
      `--exec runs processes in real time, one test after the other: --${spelt(name)} does not go with it.`,
    );
  }
  const unknown = names?.find((name) => !doorSuite.some((each) => each.name === name));
  if (unknown !== undefined) {
    throw new UsageError(
      `There is no test '${unknown}' for --exec. quorate lab run --exec COMMAND --list prints them all.`,
    );
  }
  return doorSuite.filter(({ name }) => names === undefined || names.includes(name));
}

function spelt(flag: string): string {
  return flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** In place of what opens the debugger. */
const notReplayed =
  'Processes in real time cannot be run again as they were, nor shown in the debugger: the seed decides what is cut and killed and when. --verbose prints what the servers log.';

function report(outcome: Outcome, command: string, flags: LabRunFlags): void {
  if (outcome.failure === null) {
    print(passedLine(outcome));
    return;
  }
  const again = `quorate lab run --exec '${command}' --test ${outcome.test} --seed ${outcome.seed} --verbose`;
  for (const line of failureLines(outcome, again, savePage(outcome, flags))) print(line);
  print(notReplayed);
}
