import { type Command, Option } from 'commander';

/** The flags of every command that talks to a cluster. */
export function withClientFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--endpoints <list>', 'servers to talk to, host:port separated by commas')
        .default('127.0.0.1:2379')
        .env('QUORATE_ENDPOINTS'),
    )
    .addOption(
      new Option('-w, --write-out <format>', 'how to print')
        .choices(['simple', 'json', 'table', 'fields'])
        .default('simple'),
    )
    .option('--hex', 'print keys and values in hexadecimal')
    .option('--command-timeout <duration>', 'give up after this long, e.g. 500ms, 5s, 1m', '5s');
}
