import { type Client, connect } from '@quorate/client';
import type { OutputFormat, OutputOptions } from '../output/kv-output.ts';
import { UsageError } from '../usage-error.ts';
import { parseDuration } from './duration.ts';

/** The flags of every command that talks to a cluster. */
export interface ClientFlags {
  readonly endpoints: string;
  readonly writeOut: OutputFormat;
  readonly hex?: boolean;
  readonly commandTimeout: string;
}

/** Connects, works, closes. --command-timeout bounds connecting and each call. */
export async function withClient(flags: ClientFlags, work: (client: Client) => Promise<void>): Promise<void> {
  const client = await connect(endpointsOf(flags), {
    timeout: parseDuration('--command-timeout', flags.commandTimeout),
  });
  try {
    await work(client);
  } finally {
    await client.close();
  }
}

export function endpointsOf(flags: ClientFlags): readonly string[] {
  const endpoints = flags.endpoints
    .split(',')
    .map((endpoint) => endpoint.trim())
    .filter((endpoint) => endpoint !== '');
  if (endpoints.length === 0) throw new UsageError('--endpoints is empty; give at least one host:port.');
  return endpoints;
}

export function outputOptions(
  flags: ClientFlags & { readonly printValueOnly?: boolean; readonly keysOnly?: boolean; readonly countOnly?: boolean },
): OutputOptions {
  return {
    format: flags.writeOut,
    bytes: flags.hex === true ? 'hex' : 'text',
    valuesOnly: flags.printValueOnly === true,
    keysOnly: flags.keysOnly === true,
    countOnly: flags.countOnly === true,
  };
}

/** Nothing found is no line at all, as etcdctl has it. */
export function print(text: string): void {
  if (text !== '') process.stdout.write(`${text}\n`);
}
