import { type Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from './whole-number.ts';

/** `quorate lab experiment`: the evaluation, one command an experiment. */
export function addExperimentCommand(lab: Command): void {
  lab
    .command('experiment')
    .description('run an experiment on real server processes, and draw its plots')
    .argument('[names...]', 'which; "all" for every one')
    .option('--list', 'print the experiments, or with a name its cells, and do nothing')
    .option('--quick', 'about a minute: few observations of few settings')
    .option('--out <folder>', 'where data, plots and the report go', 'quorate-evaluation')
    .option('--seed <n>', 'what chance begins with', wholeNumber, 1)
    .option('--cells <text>', 'only cells whose name contains this')
    .option('--ports <from-to>', 'use only these ports; else the system chooses', portRange)
    .option('--fresh', 'throw away what an earlier run left of these experiments')
    .option('--report-only', 'run nothing; draw and write the report again from the data there')
    .addHelpText(
      'after',
      `
What has been measured is kept, cell by cell: an experiment that was interrupted (Ctrl-C) goes on where it stood when the same command is
given again. Servers run on this machine's loopback address and leave nothing behind. For figures worth quoting let nothing else run.

Exit codes: 0 done, 1 a cell failed, 2 wrong usage, 130 interrupted.

Examples:
  $ quorate lab experiment --list
  $ quorate lab experiment elections --quick
  $ quorate lab experiment all --out /var/tmp/evaluation`,
    )
    .action(async (names: readonly string[], flags: ExperimentFlags) => {
      const { runExperiments } = await import('../commands/experiment.ts');
      await runExperiments(names, flags);
    });
}

export interface ExperimentFlags {
  readonly list?: true;
  readonly quick?: true;
  readonly out: string;
  readonly seed: number;
  readonly cells?: string;
  readonly ports?: { readonly from: number; readonly to: number };
  readonly fresh?: true;
  readonly reportOnly?: true;
}

function portRange(given: string): { readonly from: number; readonly to: number } {
  const [, from, to] = (/^(\d{1,5})-(\d{1,5})$/.exec(given) ?? []).map(Number);
  if (from !== undefined && to !== undefined && from >= 1 && from <= to && to <= 65_535) return { from, to };
  throw new InvalidArgumentError('Expected two ports, as in 24000-24100.');
}
