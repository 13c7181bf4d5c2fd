import { type Command, Option } from 'commander';
import { serverFlags } from '@quorate/server/flags';

/** `quorate serve`: the server's own table of settings, as flags. */
export function addServeCommand(program: Command): void {
  const serve = program
    .command('serve')
    .description('run one server')
    .addHelpText(
      'after',
      `
Every flag may also stand in the environment (QUORATE_DATA_DIR for --data-dir) or in the file that --config-file names.
SIGTERM or Ctrl-C: finishes what is in flight and leaves within two seconds.

Examples:
  $ quorate serve
  $ quorate serve --name a --data-dir /var/lib/quorate \\
      --listen-client-urls http://10.0.0.1:2379 --listen-peer-urls http://10.0.0.1:2380 \\
      --initial-cluster a=http://10.0.0.1:2380,b=http://10.0.0.2:2380,c=http://10.0.0.3:2380`,
    );
  for (const flag of serverFlags) {
    serve.addOption(new Option(`--${flag.name}${placeholder(flag.value)}`, describe(flag)));
  }
  serve.addOption(new Option('--stop-with-parent', 'leave when standard input ends').hideHelp());
  serve.action(async (given: Readonly<Record<string, string | boolean>>) => {
    const { runServe } = await import('../commands/serve.ts');
    await runServe(given);
  });
}

/** A yes-or-no flag may stand alone, as etcd's may. */
function placeholder(value: string | null): string {
  if (value === null) return '';
  return value === 'BOOL' ? ' [BOOL]' : ` <${value}>`;
}

function describe(flag: (typeof serverFlags)[number]): string {
  return flag.default === null || flag.default === '' || flag.value === null
    ? flag.help
    : `${flag.help} (default: ${flag.default})`;
}
