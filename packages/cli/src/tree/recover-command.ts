import type { Command } from 'commander';
import type { RecoverFlags } from '../commands/recover.ts';

/** `quorate recover`: the last resort. */
export function addRecoverCommand(program: Command): void {
  program
    .command('recover')
    .description('make a new cluster of what one server has, when the majority is lost for good')
    .requiredOption('--force-new-cluster', 'as its only member, with a new cluster id')
    .requiredOption('--data-dir <dir>', 'the data directory of that server, which must be stopped')
    .option('--yes', 'do it; without this, only say what would be done and what may be lost')
    .addHelpText(
      'after',
      `
As long as a majority of the voters can still be started, start it: nothing is lost then. A member whose disk alone is lost is
replaced by quorate serve --join.

Example:
  $ quorate recover --force-new-cluster --data-dir a.quorate          says what may be lost
  $ quorate recover --force-new-cluster --data-dir a.quorate --yes    does it`,
    )
    .action(async (flags: RecoverFlags) => {
      const { runRecover } = await import('../commands/recover.ts');
      await runRecover(flags);
    });
}
