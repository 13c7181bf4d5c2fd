import type { Command } from 'commander';
import type { DevFlags } from '../dev/dev.ts';

/** `quorate dev`: a whole cluster on this machine, with buttons to hurt it. */
export function addDevCommand(program: Command): void {
  program
    .command('dev')
    .description('run a cluster on this machine under a steady load, and hurt it with keys')
    .option('--servers <n>', 'how many servers (default: 5, or as many as the data has)')
    .option('--rate <n>', 'writes a second', '200')
    .option('--data-dir <dir>', 'where the data lies', '.data/dev')
    .option('--fresh', 'throw the data of an earlier start away')
    .addHelpText(
      'after',
      `
A second start goes on with the data of the first. Keys: k kills the leader with -9, r restarts what is down, p cuts the
leader off or heals, s slows a server, q quits. Without a terminal it prints a line a second.

Examples:
  $ quorate dev
  $ quorate dev --servers 3 --rate 1000 --data-dir /tmp/play --fresh`,
    )
    .action(async (flags: DevFlags) => {
      const { runDev } = await import('../dev/dev.ts');
      await runDev(flags);
    });
}
