import type { Command } from 'commander';

/** `quorate debug`: watch a running server, or hurt one that was started for it. */
export function addDebugCommand(program: Command): void {
  const debug = program.command('debug').description('watch a running server closely, or make it stutter');
  debug
    .command('sleep')
    .description('block the event loop of a server (needs --enable-fault-injection there)')
    .argument('<server>', 'host:port of its client address')
    .argument('<ms>', 'for how many milliseconds')
    .addHelpText('after', '\nExample:\n  $ quorate debug sleep 127.0.0.1:2379 1500')
    .action(async (server: string, ms: string) => {
      const { runDebugSleep } = await import('../commands/debug.ts');
      await runDebugSleep(server, ms);
    });
  debug
    .command('topics')
    .description('show or set what a server prints as it happens')
    .argument('<server>', 'host:port of its client address')
    .argument('[topics]', 'votes,heartbeats,connections,reads,writes,state; or none')
    .addHelpText(
      'after',
      '\nExamples:\n  $ quorate debug topics 127.0.0.1:2379\n  $ quorate debug topics 127.0.0.1:2379 votes,state\n  $ quorate debug topics 127.0.0.1:2379 none',
    )
    .action(async (server: string, topics: string | undefined) => {
      const { runDebugTopics } = await import('../commands/debug.ts');
      await runDebugTopics(server, topics);
    });
}
