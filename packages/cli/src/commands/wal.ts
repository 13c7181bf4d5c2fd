import { existsSync } from 'node:fs';
import { type Disk, dumpWal, planWalRepair, repairWalDropTail, type StorageError } from '@quorate/runtime';
import { openNodeDisk } from '@quorate/runtime/node';
import { print } from './session.ts';

/** What the storage reports, as an error that can be thrown. */
class WalError extends Error {
  override readonly name = 'WalError';
  readonly code: StorageError['code'];

  constructor({ code, message }: StorageError) {
    super(message);
    this.code = code;
  }
}

/** Prints the log; fails, after the last line that could be read, when there is damage in it. */
export async function runWalDump(directory: string): Promise<void> {
  await withDisk(directory, async (disk) => {
    const summary = await outcome<Parameters<Parameters<typeof dumpWal>[2]>[1]>((done) => dumpWal(disk, print, done));
    if (summary === null) return;
    const { segments, batches, entries, problems } = summary;
    print(`${segments} segments, ${batches} batches, ${entries} entries, ${problems} problems`);
    if (problems > 0) process.exitCode = 1;
  });
}

/** Says what would be dropped; drops it when `confirmed`. */
export async function runWalRepair(directory: string, confirmed: boolean): Promise<void> {
  await withDisk(directory, async (disk) => {
    const plan = await outcome<Parameters<Parameters<typeof planWalRepair>[1]>[1]>((done) => planWalRepair(disk, done));
    if (plan === null) {
      return print('There is nothing to repair: the log is sound, or has a torn end that the server mends by itself.');
    }
    print(plan.text);
    if (!confirmed) return print('Nothing was changed. Add --yes to do it.');
    await outcome<undefined>((done) => repairWalDropTail(disk, plan, (error) => done(error, undefined)));
    print('Done.');
  });
}

async function withDisk(directory: string, work: (disk: Disk) => Promise<void>): Promise<void> {
  // Opening creates what is missing, and a misspelt path must not become a directory.
  if (!existsSync(directory))
    throw new WalError({
      code: 'ForeignDirectory',
      message: `There is no directory ${directory}.`,
      path: directory,
      offset: null,
      index: null,
    });
  const disk = openNodeDisk(directory);
  try {
    await work(disk);
  } finally {
    await new Promise<void>((resolve) => disk.close(resolve));
  }
}

function outcome<Value>(start: (done: (error: StorageError | null, value: Value) => void) => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error === null) resolve(value);
      else reject(new WalError(error));
    });
  });
}
