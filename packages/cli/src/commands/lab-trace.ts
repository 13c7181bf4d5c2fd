import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Outcome, runJobs, type Subject } from '@quorate/lab';
import { quorateVersion } from '@quorate/server';
import { encodeTrace, seenTrace } from '@quorate/sim';
import { writeLines } from '@quorate/sim/node';
import type { LabRunFlags } from '../tree/lab-command.ts';
import { labFolder } from './lab-page.ts';
import { print } from './session.ts';

/** So many failures are written down. */
const MAX_TRACED = 5;

/**
 * Writes down all that can be seen of what failed, and prints for each the command that opens it. A search has its way already; what was run
 * is run a second time, for in virtual time a seed makes the same run, in every order in which races are looked for.
 */
export async function traceFailures(
  outcomes: readonly Outcome[],
  subject: Subject,
  flags: LabRunFlags,
  signal: AbortSignal,
): Promise<void> {
  const failed = outcomes.filter(({ failure }) => failure !== null).slice(0, MAX_TRACED);
  const [searched, ran] = [failed.filter(isSearched), failed.filter((outcome) => !isSearched(outcome))];
  for (const outcome of searched) report(outcome, outcome, flags);
  if (ran.length === 0) return;
  if (flags.realTime === true) {
    for (const { test, seed } of ran) print(whyNotTraced(test, seed, flags));
    return;
  }
  const isRace = flags.race === true;
  const jobs = ran.map(({ test, seed }) => ({ test, seed, isRealTime: false, isRace, isRecorded: true }));
  await runJobs(jobs, {
    subject,
    processes: 1,
    output: null,
    signal,
    onOutcome: (again) =>
      report(
        ran.find(({ test, seed }) => test === again.test && seed === again.seed),
        again,
        flags,
      ),
  });
}

function isSearched({ search }: Outcome): boolean {
  return search !== null;
}

function whyNotTraced(test: string, seed: number, { impl }: LabRunFlags): string {
  const subject = impl === undefined ? '' : ` --impl ${impl}`;
  return (
    `${test}, seed ${seed}: real time cannot be run again as it was. In virtual time the same seed makes one run every time; ` +
    `if it fails there too, it opens in a browser: quorate lab run${subject} --test ${test} --seed ${seed}`
  );
}

function report(first: Outcome | undefined, again: Outcome, flags: LabRunFlags): void {
  const { test, seed, recording } = again;
  if (recording === null || recording === undefined) {
    print(`${test}, seed ${seed}: nothing could be written down of it, ${again.failure?.message ?? 'and it ended'}`);
    return;
  }
  const race = flags.race === true ? '-race' : '';
  const path = join(labFolder(flags), `lab-${test}-seed-${seed}${race}.json`);
  const { header, records } = seenTrace(recording, quorateVersion, 'quorate lab run');
  rmSync(path, { force: true });
  writeLines(path, encodeTrace(header, records));
  print(`${test}, seed ${seed}, step by step in a browser: quorate debug ${path}`);
  if (first?.failure?.message === again.failure?.message) return;
  print(
    `  It went another way when it was run again (${again.failure?.message ?? 'it passed'}): the code does something that no seed decides.`,
  );
}
