import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Failure, neverSeen, type SeedReport, Totals } from '@quorate/sim';
import { runCampaign } from '@quorate/sim/node';
import type { SimFlags } from '../tree/sim-command.ts';
import { UsageError } from '../usage-error.ts';
import { runDebugPage } from './debug-page.ts';
import { savePlan } from './plans.ts';
import { print } from './session.ts';

const EXIT_CODES = { safety: 10, liveness: 11, crash: 12 } as const;
const PROGRESS_MS = 1_000;
/** Further failures are counted, not printed. */
const MAX_PRINTED = 5;

/** Runs a campaign: a line that moves while it runs, every failure with the command that makes it again, a summary. */
export async function runSim(flags: SimFlags): Promise<void> {
  const ending = new AbortController();
  const onInterrupt = (): void => {
    if (ending.signal.aborted) process.exit(130);
    ending.abort();
  };
  process.on('SIGINT', onInterrupt);
  const totals = new Totals();
  let trace: string | null = null;
  const failures: (Failure & { readonly seed: number })[] = [];
  const began = performance.now();
  const progress = setInterval(() => showProgress(totals, failures.length, flags.seeds, began), PROGRESS_MS);
  try {
    await runCampaign({
      firstSeed: flags.firstSeed,
      seeds: flags.seeds,
      threads: flags.threads ?? availableParallelism(),
      limits: {
        ...(flags.servers === undefined ? {} : { servers: flags.servers }),
        ...(flags.seconds === undefined ? {} : { faultSeconds: flags.seconds }),
      },
      signal: ending.signal,
      onReport: (report) => {
        totals.add(report);
        if (report.failure === null) return;
        failures.push({ ...report.failure, seed: report.seed });
        const isPrinted = failures.length <= MAX_PRINTED;
        // Whoever names no folder is spared a full disk: traces are kept of what is printed.
        const saved = isPrinted || flags.traceDir !== undefined ? saveFailure(report, flags) : null;
        trace ??= saved?.trace ?? null;
        if (isPrinted) printFailure(report, report.failure, saved, flags);
      },
    });
  } finally {
    clearInterval(progress);
    process.off('SIGINT', onInterrupt);
    clearProgress();
  }
  printSummary(totals, failures.length, (performance.now() - began) / 1000);
  const [worst] = failures.toSorted((a, b) => EXIT_CODES[a.kind] - EXIT_CODES[b.kind]);
  if (worst !== undefined) process.exitCode = EXIT_CODES[worst.kind];
  if (flags.open === true && trace !== null) await runDebugPage([trace], { port: 0, open: true });
}

interface Saved {
  readonly trace: string;
  /** The page about a history that is not linearizable; null for none. */
  readonly page: string | null;
}

/** A folder that is not there is made; a trace that is there is of an earlier build and makes way. */
function saveFailure({ seed, failed, explanation }: SeedReport, { traceDir }: SimFlags): Saved | null {
  if (failed === null) return null;
  const directory = traceDir ?? join(tmpdir(), 'quorate-sim');
  const trace = join(directory, `seed-${seed}.json`);
  const page = explanation === null ? null : join(directory, `seed-${seed}.html`);
  try {
    mkdirSync(directory, { recursive: true });
    rmSync(trace, { force: true });
    savePlan(trace, failed, 'quorate sim');
    if (page !== null && explanation !== null) writeFileSync(page, explanation);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `The trace of a failure cannot be written (${reason}): choose another folder with --trace-dir.`,
    );
  }
  return { trace, page };
}

function showProgress(totals: Totals, failures: number, seeds: number, began: number): void {
  if (!process.stderr.isTTY) return;
  const seconds = (performance.now() - began) / 1000;
  const left =
    totals.runs === 0 ? '' : `, about ${(((seeds - totals.runs) * seconds) / totals.runs).toFixed(0)} s left`;
  process.stderr.write(`\r\u001B[K${totals.runs} of ${seeds} seeds, ${failures} failed${left}`);
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001B[K');
}

function printFailure({ seed, servers }: SeedReport, failure: Failure, saved: Saved | null, flags: SimFlags): void {
  clearProgress();
  const what = { safety: 'broke', liveness: 'is stuck:', crash: 'threw' }[failure.kind];
  print(`seed ${seed} (${servers} servers) ${what} ${failure.invariant}`);
  print(`  ${failure.first}`);
  if (failure.second !== '') print(`  but ${failure.second}`);
  if (flags.verbose === true) for (const line of failure.lines) print(`    ${line}`);
  const limits = [
    ...(flags.servers === undefined ? [] : [`--servers ${flags.servers}`]),
    ...(flags.seconds === undefined ? [] : [`--seconds ${flags.seconds}`]),
  ];
  if (saved !== null && saved.page !== null) print(`  all operations: ${saved.page}`);
  if (saved !== null) print(`  step by step, in a browser: quorate debug ${saved.trace}`);
  print(`  again: quorate sim --seeds 1 --first-seed ${seed}${limits.map((limit) => ` ${limit}`).join('')} --verbose`);
}

function printSummary({ runs, twice, virtualMicros, steps, counts }: Totals, failures: number, seconds: number): void {
  const virtual = virtualMicros / 1_000_000;
  print(`${runs} runs, ${failures} failed; ${twice} run twice, to see that they go the same way`);
  print(
    `${virtual.toFixed(0)} virtual seconds in ${seconds.toFixed(1)} s: ${(virtual / seconds).toFixed(0)} a second, ` +
      `${(steps / seconds).toFixed(0)} steps a second`,
  );
  const names = [...counts.keys()].toSorted();
  const width = Math.max(...names.map((name) => name.length));
  for (const name of names) print(`  ${name.padEnd(width)}  ${counts.get(name)}`);
  const unseen = neverSeen(counts);
  if (unseen.length > 0) print(`never seen, so nothing was proved about it: ${unseen.join('; ')}`);
}
