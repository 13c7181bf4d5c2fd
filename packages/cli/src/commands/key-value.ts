import { text as readAll } from 'node:stream/consumers';
import { showDelete, showGet, showPut, showTxn } from '../output/kv-output.ts';
import { type DeleteFlags, deleteCall, type GetFlags, getCall, type PutFlags, putCall } from './requests.ts';
import { type ClientFlags, outputOptions, print, withClient } from './session.ts';
import { readTxnInteractively } from './txn-prompt.ts';
import { parseTxn } from './txn-syntax.ts';

export async function runPut(key: string, value: string | undefined, flags: PutFlags & ClientFlags): Promise<void> {
  const given = value ?? (flags.ignoreValue === true ? undefined : await readAll(process.stdin));
  const call = putCall(given === undefined ? [key] : [key, given], flags);
  await withClient(flags, async (client) => {
    print(showPut(await client.put(call.key, call.value, call.options), outputOptions(flags)));
  });
}

export async function runGet(
  positional: readonly string[],
  flags: GetFlags & ClientFlags & { readonly printValueOnly?: boolean },
): Promise<void> {
  const call = getCall(positional, flags);
  await withClient(flags, async (client) => {
    print(showGet(await client.get(call.key, call.options), outputOptions(flags)));
  });
}

export async function runDelete(positional: readonly string[], flags: DeleteFlags & ClientFlags): Promise<void> {
  const call = deleteCall(positional, flags);
  await withClient(flags, async (client) => {
    print(showDelete(await client.delete(call.key, call.options), outputOptions(flags)));
  });
}

export async function runTxn(flags: ClientFlags & { readonly interactive?: boolean }): Promise<void> {
  const txn = parseTxn(flags.interactive === true ? await readTxnInteractively() : await readAll(process.stdin));
  await withClient(flags, async (client) => {
    print(showTxn(await client.txn(txn), outputOptions(flags)));
  });
}
