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
    .option('--ports <from-to>', 'use only these ports; else any that are free', portRange)
    .option('--hosts <list>', 'run servers on these hosts over ssh: [user@]host[:port][=address], separated by commas')
    .option('--ssh-config <file>', "configuration file for ssh, instead of the user's own")
    .option('--hosts-node <command>', 'how Node.js is called on the hosts', 'node')
    .option('--hosts-dir <folder>', 'where on the hosts the build and the data stand while it runs', '/var/tmp')
    .option('--fresh', 'throw away what an earlier run left of these experiments')
    .option('--report-only', 'run nothing; draw and write the report again from the data there')
    .addHelpText(
      'after',
      `
What has been measured is kept, cell by cell: an experiment that was interrupted (Ctrl-C) goes on where it stood when the same command is
given again. Servers run on this machine's loopback address, or with --hosts on other machines, dealt out in turn, and leave nothing
behind. For figures worth quoting let nothing else run.

Exit codes: 0 done, 1 a cell or a host failed, 2 wrong usage, 130 interrupted.

Examples:
  $ quorate lab experiment --list
  $ quorate lab experiment elections --quick
  $ quorate lab experiment all --out /var/tmp/evaluation
  $ quorate lab experiment scale --hosts a,b,root@10.0.0.7:2222`,
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
  readonly hosts?: string;
  readonly sshConfig?: string;
  readonly hostsNode: string;
  readonly hostsDir: string;
  readonly fresh?: true;
  readonly reportOnly?: true;
}

function portRange(given: string): { readonly from: number; readonly to: number } {
  const [, from, to] = (/^(\d{1,5})-(\d{1,5})$/.exec(given) ?? []).map(Number);
  if (from !== undefined && to !== undefined && from >= 1 && from <= to && to <= 65_535) return { from, to };
  throw new InvalidArgumentError('Expected two ports, as in 24000-24100.');
}
