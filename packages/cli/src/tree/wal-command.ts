import type { Command } from 'commander';

/** `quorate wal`: looking into the log of a server that is not running. */
export function addWalCommand(program: Command): void {
  const wal = program.command('wal').description('look into the write-ahead log of a server that is stopped');
  wal
    .command('dump')
    .description('print every record: segment, offset, kind, index, term, length, seal')
    .argument('<data-dir>', 'the data directory of the server')
    .addHelpText('after', '\nExample:\n  $ quorate wal dump default.quorate | tail')
    .action(async (directory: string) => {
      const { runWalDump } = await import('../commands/wal.ts');
      await runWalDump(directory);
    });
  wal
    .command('repair')
    .description('drop a damaged end of the log: the word of a person, where only a person can decide')
    .argument('<data-dir>', 'the data directory of the server')
    .requiredOption('--drop-tail', 'drop everything from the damage on')
    .option('--yes', 'do it; without this, only say what would be dropped')
    .addHelpText(
      'after',
      `
What is dropped may have been acknowledged. If the other servers are well, it is safer to remove this server's data and let it
join anew.

Example:
  $ quorate wal repair --drop-tail default.quorate          says what would go
  $ quorate wal repair --drop-tail --yes default.quorate    does it`,
    )
    .action(async (directory: string, flags: { readonly yes?: boolean }) => {
      const { runWalRepair } = await import('../commands/wal.ts');
      await runWalRepair(directory, flags.yes === true);
    });
}
