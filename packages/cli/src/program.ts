/**
 * The tree of commands and flags. Nothing but commander is loaded here; each command's work is imported when it is called,
 * so that `quorate put` does not load a server.
 */
import { readFileSync } from 'node:fs';
import { Command, type CommanderError } from 'commander';
import { addCheckCommand } from './tree/check-command.ts';
import { addClientCommands } from './tree/client-commands.ts';
import { addDebugCommand } from './tree/debug-command.ts';
import { addDevCommand } from './tree/dev-command.ts';
import { addLabCommand } from './tree/lab-command.ts';
import { addMemberCommands } from './tree/member-commands.ts';
import { addRecoverCommand } from './tree/recover-command.ts';
import { addServeCommand } from './tree/serve-command.ts';
import { addSimCommand } from './tree/sim-command.ts';
import { addTraceCommand } from './tree/trace-command.ts';
import { addWalCommand } from './tree/wal-command.ts';

const EXAMPLES = `
Examples:
  $ quorate dev                                        five servers here, to play with
  $ quorate serve --data-dir /var/lib/quorate          one server
  $ quorate put hello world && quorate get hello
  $ quorate get --prefix users/ --limit 10 -w json
  $ quorate serve --join 10.0.0.1:2379                 one more server for a cluster that runs
  $ quorate status --endpoints 127.0.0.1:2379 -w table

Exit codes: 0 done, 1 failed, 2 wrong usage, 4 a write was sent and its outcome is not known.`;

export function buildProgram(): Command {
  const version = packageVersion();
  const program = new Command('quorate')
    .description('Raft for TypeScript: a replicated key-value store that speaks the etcd v3 API.')
    .version(version, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .showHelpAfterError('(add --help for what there is)')
    .enablePositionalOptions()
    .exitOverride((error: CommanderError) => {
      throw error;
    })
    .addHelpText('after', EXAMPLES);
  addDevCommand(program);
  addServeCommand(program);
  addClientCommands(program);
  addMemberCommands(program);
  addWalCommand(program);
  addRecoverCommand(program);
  addTraceCommand(program);
  addSimCommand(program);
  addCheckCommand(program);
  addLabCommand(program);
  addDebugCommand(program);
  program
    .command('version')
    .description('print the version of this command')
    .action(() => void process.stdout.write(`quorate ${version}\n`));
  inheritSettings(program);
  return program;
}

/** Sub-commands do not take over how errors leave: give it to each. */
function inheritSettings(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inheritSettings(child);
  }
}

function packageVersion(): string {
  const file = new URL('../package.json', import.meta.url);
  const content = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string };
  return content.version;
}
