import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Outcome, runJobs, type Subject } from '@quorate/lab';
import { quorateVersion } from '@quorate/server';
import { encodeTrace, seenTrace } from '@quorate/sim';
import { writeLines } from '@quorate/sim/node';
import type { LabRunFlags } from '../tree/lab-command.ts';
import { labFolder } from './lab-page.ts';
import { print } from './session.ts';

/** So many failures are run again. */
const MAX_TRACED = 5;

/**
 * Runs what failed a second time and writes down all that can be seen of it: in virtual time a seed makes the same run. Prints for each the
 * command that opens it.
 */
export async function traceFailures(
  outcomes: readonly Outcome[],
  subject: Subject,
  flags: LabRunFlags,
  signal: AbortSignal,
): Promise<void> {
  // A search has told every step already.
  const failed = outcomes.filter(({ failure, search }) => failure !== null && search === null).slice(0, MAX_TRACED);
  if (failed.length === 0) return;
  if (flags.realTime === true || flags.race === true) {
    print('To look at a failure step by step, run it in virtual time: without --real-time and --race.');
    return;
  }
  const jobs = failed.map(({ test, seed }) => ({ test, seed, isRealTime: false, isRace: false, isRecorded: true }));
  await runJobs(jobs, {
    subject,
    processes: 1,
    output: null,
    signal,
    onOutcome: (again) =>
      report(
        failed.find(({ test, seed }) => test === again.test && seed === again.seed),
        again,
        flags,
      ),
  });
}

function report(first: Outcome | undefined, again: Outcome, flags: LabRunFlags): void {
  const { test, seed, recording } = again;
  if (recording === null || recording === undefined) {
    print(`${test}, seed ${seed}: nothing could be written down of it, ${again.failure?.message ?? 'and it ended'}`);
    return;
  }
  const path = join(labFolder(flags), `lab-${test}-seed-${seed}.json`);
  const { header, records } = seenTrace(recording, quorateVersion, 'quorate lab run');
  rmSync(path, { force: true });
  writeLines(path, encodeTrace(header, records));
  print(`${test}, seed ${seed}, step by step in a browser: quorate debug ${path}`);
  if (first?.failure?.message === again.failure?.message) return;
  print(
    `  It went another way when it was run again (${again.failure?.message ?? 'it passed'}): the code does something that no seed decides.`,
  );
}
