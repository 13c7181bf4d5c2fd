import type { Command } from 'commander';

/** `quorate sim`: the simulator. */
export function addSimCommand(program: Command): void {
  const sim = program.command('sim').description('run the simulator, and what it or a flight recorder wrote down');
  sim
    .command('replay')
    .description('run a trace again, and say whether it goes as it went')
    .argument('<file-or-dir...>', 'a trace, or data directories with recordings')
    .addHelpText(
      'after',
      `
A recording: every server's core runs from its checkpoint through its inputs. All that it says must be what was recorded, and where the
recording holds another checkpoint it must arrive at that state. Exit code 1, and the input, if this build goes another way.

Examples:
  $ quorate sim replay incident.json
  $ quorate sim replay a.quorate b.quorate`,
    )
    .action(async (paths: readonly string[]) => {
      const { runReplay } = await import('../commands/replay.ts');
      runReplay(paths);
    });
}
