import type { Command } from 'commander';
import type { ClientFlags } from '../commands/session.ts';
import { withClientFlags } from './client-flags.ts';
import type { DeleteFlags, GetFlags, PutFlags } from '../commands/requests.ts';

/** put, get, del, txn, status: keys and values. */
export function addClientCommands(program: Command): void {
  addPut(program);
  addGet(program);
  addDelete(program);
  addTxn(program);
  addStatus(program);
  addExplain(program);
}

function addPut(program: Command): void {
  const put = program
    .command('put')
    .description('write a value under a key')
    .argument('<key>', 'the key')
    .argument('[value]', 'the value; standard input to its end if left out')
    .option('--prev-kv', 'print the key and value that were there before')
    .option('--ignore-value', 'keep the present value (to change the lease alone)')
    .option('--ignore-lease', 'keep the present lease')
    .option('--lease <id>', 'attach to this lease, in hexadecimal')
    .addHelpText(
      'after',
      '\nExamples:\n  $ quorate put hello world\n  $ quorate put config < config.json\n  $ quorate put --prev-kv counter 8',
    );
  withClientFlags(put).action(async (key: string, value: string | undefined, flags: PutFlags & ClientFlags) => {
    const { runPut } = await import('../commands/key-value.ts');
    await runPut(key, value, flags);
  });
}

function addGet(program: Command): void {
  const get = program
    .command('get')
    .description('read a key, or a range of keys')
    .argument('<key>', 'the key, or where the range begins')
    .argument('[range_end]', 'where the range ends; this key itself is left out')
    .option('--prefix', 'every key that begins with <key>')
    .option('--from-key', 'every key from <key> on')
    .option('--limit <n>', 'at most so many keys; 0 for all')
    .option('--rev <revision>', 'as the store was at this revision')
    .option('--order <order>', 'ASCEND or DESCEND')
    .option('--sort-by <field>', 'CREATE, KEY, MODIFY, VALUE or VERSION')
    .option('--keys-only', 'leave the values out')
    .option('--count-only', 'print how many keys there are')
    .option('--print-value-only', 'leave the keys out')
    .option('--consistency <level>', 'l: linearizable; s: serializable, from one server that may be behind', 'l')
    .addHelpText(
      'after',
      '\nExamples:\n  $ quorate get hello\n  $ quorate get --prefix users/ --sort-by MODIFY --order DESCEND --limit 5\n  $ quorate get a z --rev 17 -w json\n  $ quorate get "" --prefix --count-only',
    );
  withClientFlags(get).action(async (key: string, end: string | undefined, flags: GetFlags & ClientFlags) => {
    const { runGet } = await import('../commands/key-value.ts');
    await runGet(end === undefined ? [key] : [key, end], flags);
  });
}

function addDelete(program: Command): void {
  const del = program
    .command('del')
    .description('delete a key, or a range of keys')
    .argument('<key>', 'the key, or where the range begins')
    .argument('[range_end]', 'where the range ends; this key itself is left alone')
    .option('--prefix', 'every key that begins with <key>')
    .option('--from-key', 'every key from <key> on')
    .option('--prev-kv', 'print the keys and values that were deleted')
    .addHelpText('after', '\nExamples:\n  $ quorate del hello\n  $ quorate del --prefix sessions/ --prev-kv');
  withClientFlags(del).action(async (key: string, end: string | undefined, flags: DeleteFlags & ClientFlags) => {
    const { runDelete } = await import('../commands/key-value.ts');
    await runDelete(end === undefined ? [key] : [key, end], flags);
  });
}

function addTxn(program: Command): void {
  const txn = program
    .command('txn')
    .description('a transaction, read from standard input')
    .option('-i, --interactive', 'say what is expected next')
    .addHelpText(
      'after',
      `
Three paragraphs, each ended by an empty line: comparisons, requests if all of them hold, requests otherwise. Comparisons are
version, create, mod, value or lease of a key with =, !=, < or >; requests are put, get and del with their flags.

Example:
  $ quorate txn <<EOF
  mod("hello") > "0"

  put hello again

  put hello world

  EOF`,
    );
  withClientFlags(txn).action(async (flags: ClientFlags & { readonly interactive?: boolean }) => {
    const { runTxn } = await import('../commands/key-value.ts');
    await runTxn(flags);
  });
}

function addStatus(program: Command): void {
  const status = program
    .command('status')
    .description('what every endpoint says of itself')
    .addHelpText('after', '\nExample:\n  $ quorate status --endpoints 127.0.0.1:2379,127.0.0.1:22379 -w table');
  withClientFlags(status).action(async (flags: ClientFlags) => {
    const { runStatus } = await import('../commands/cluster.ts');
    await runStatus(flags);
  });
}

function addExplain(program: Command): void {
  const explain = program
    .command('explain')
    .description('why there is no leader, why an entry is not committed, why a read waits')
    .addHelpText('after', '\nExample:\n  $ quorate explain --endpoints 10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379');
  withClientFlags(explain).action(async (flags: ClientFlags) => {
    const { runExplain } = await import('../commands/explain.ts');
    await runExplain(flags);
  });
}
