import {
  duration,
  evaluate,
  EvaluationError,
  type Experiment,
  experiments,
  hostNames,
  type HostsOptions,
  type Screen,
  writeReport,
} from '@quorate/evaluation';
import { quorateVersion } from '@quorate/server';
import { QUORATE_ENTRY } from '../programs.ts';
import type { ExperimentFlags } from '../tree/experiment-command.ts';
import { ExitCode, UsageError } from '../usage-error.ts';
import { print } from './session.ts';

/** Exit code behind Ctrl-C. */
const INTERRUPTED = 130;
/** What is wrong with hosts, and not with how they are named. */
const HOSTS_FAIL: ReadonlySet<string> = new Set(['HostUnreachable', 'HostUnfit', 'HostsApart', 'HostLost']);

export async function runExperiments(names: readonly string[], flags: ExperimentFlags): Promise<void> {
  const chosen = chosenExperiments(names, flags);
  if (flags.list === true) return list(names, chosen, flags);
  try {
    if (flags.reportOnly !== true) await run(chosen, flags);
    const report = await writeReport(flags.out, experiments);
    if (report === null) throw new UsageError(`There are no results below ${flags.out}. Run an experiment first.`);
    print(`report: ${report}`);
  } catch (error) {
    // All but these are found before anything is started, or say what to do about a directory.
    if (error instanceof EvaluationError && !HOSTS_FAIL.has(error.code)) throw new UsageError(error.message);
    throw error;
  }
}

function chosenExperiments(names: readonly string[], flags: ExperimentFlags): readonly Experiment[] {
  if (names.includes('all')) return experiments;
  const chosen = names.map((name) => {
    const found = experiments.find((each) => each.name === name);
    if (found !== undefined) return found;
    const known = experiments.map((each) => each.name).join(', ');
    throw new UsageError(`There is no experiment "${name}". There are ${known}; "all" runs every one.`);
  });
  if (chosen.length > 0 || flags.reportOnly === true) return chosen;
  if (flags.list === true) return experiments;
  throw new UsageError('Name an experiment, or "all". --list prints what there is.');
}

function list(names: readonly string[], chosen: readonly Experiment[], flags: ExperimentFlags): void {
  let total = 0;
  for (const experiment of chosen) {
    const cells = experiment.cells(flags.quick === true ? 'quick' : 'full');
    const seconds = cells.reduce((sum, cell) => sum + cell.seconds, 0);
    total += seconds;
    print(`${experiment.name.padEnd(12)} ${experiment.question}`);
    print(`${''.padEnd(12)} ${cells.length} cells, about ${duration(seconds)}`);
    if (names.length > 0) for (const { key } of cells) print(`${''.padEnd(12)}   ${key}`);
  }
  if (chosen.length > 1) print(`all together: about ${duration(total)} on a quiet machine`);
}

async function run(chosen: readonly Experiment[], flags: ExperimentFlags): Promise<void> {
  const ending = new AbortController();
  const screen = terminalScreen();
  const onSignal = (signal: NodeJS.Signals): void => {
    // Once more changes nothing: the servers must go first, and they do so in moments.
    if (!ending.signal.aborted) screen.say(`${signal}: ending; the same command goes on from here`);
    ending.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  try {
    const { failures, interrupted } = await evaluate({
      experiments: chosen,
      scale: flags.quick === true ? 'quick' : 'full',
      out: flags.out,
      seed: flags.seed,
      cells: flags.cells ?? null,
      fresh: flags.fresh === true,
      ports: flags.ports ?? null,
      hosts: hostsOf(flags),
      entry: QUORATE_ENTRY,
      version: quorateVersion,
      screen,
      signal: ending.signal,
    });
    if (failures.length > 0) process.exitCode = ExitCode.failed;
    if (interrupted) process.exitCode = INTERRUPTED;
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

function hostsOf({ hosts, sshConfig, hostsNode, hostsDir }: ExperimentFlags): HostsOptions | null {
  if (hosts === undefined) return null;
  return { names: hostNames(hosts), sshConfig: sshConfig ?? null, node: hostsNode, directory: hostsDir };
}

/** On a terminal one line that changes; elsewhere every line stays. */
function terminalScreen(): Screen {
  const { stdout } = process;
  if (!stdout.isTTY) return { line: print, say: print };
  return {
    line: (text) => void stdout.write(`\r\x1b[K${text}`),
    say: (text) => void stdout.write(`\r\x1b[K${text}\n`),
  };
}
