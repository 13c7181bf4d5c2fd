import type { Command } from 'commander';

/** `quorate trace`: what flight recorders wrote. */
export function addTraceCommand(program: Command): void {
  const trace = program.command('trace').description('work with the recordings of servers');
  trace
    .command('export')
    .description('make one JSON trace of the recordings of one server, or of several of one cluster')
    .argument(
      '<data-dir...>',
      'data directories of servers that were started with --flight-recorder, or copies of their folder flight',
    )
    .option('-o, --output <file>', 'where to write; standard output if not given. A file that exists is left alone')
    .addHelpText(
      'after',
      `
The records of several servers are put in one order: each server's own, and between servers that of their wall clocks, corrected where
a message would arrive before it was sent. The servers may run meanwhile.

Examples:
  $ quorate trace export a.quorate b.quorate c.quorate -o incident.json
  $ quorate sim replay incident.json`,
    )
    .action(async (directories: readonly string[], flags: { readonly output?: string }) => {
      const { runTraceExport } = await import('../commands/trace.ts');
      runTraceExport(directories, flags.output ?? null);
    });
}
