import { type Command, InvalidArgumentError } from 'commander';
import type { DebugFlags } from '../commands/debug-page.ts';

/** `quorate debug`: the debugger's page; and to watch a running server, or hurt one that was started for it. */
export function addDebugCommand(program: Command): void {
  const debug = program
    .command('debug')
    .description('step a cluster forward, backward and down another branch, in the browser')
    .argument(
      '[what...]',
      'a trace (of quorate check, sim or lab), data directories with recordings, or a seed of quorate sim; a fresh cluster if not given',
    )
    .option('--port <n>', 'the port on 127.0.0.1; any that is free if not given', portNumber, 0)
    .option('--no-open', 'print the address, and open no browser')
    .addHelpText(
      'after',
      `
The page runs the cluster by itself: nothing is sent anywhere, and a link to a run holds all of it. Ctrl-C ends the command.

Examples:
  $ quorate debug                        a cluster to play with
  $ quorate debug run.trace.json         a run that was saved, or that a search found
  $ quorate debug 345                    the run that quorate sim makes of that seed
  $ quorate debug traces/seed-345.json   a seed that failed: its cluster, its clients, what it broke
  $ quorate debug lab-Backup-seed-1.json a test of the lab that failed
  $ quorate debug a.quorate b.quorate    what servers with --flight-recorder wrote down
  $ quorate debug --no-open --port 8080`,
    )
    .action(async (what: readonly string[], flags: DebugFlags) => {
      const { runDebugPage } = await import('../commands/debug-page.ts');
      await runDebugPage(what, flags);
    });
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

function portNumber(text: string): number {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value > 65_535) throw new InvalidArgumentError('Expected a port from 0 to 65535.');
  return value;
}
