/**
 * The temporary directory of a run that starts servers. Its name bears the number of the process that made it, so that the next run
 * finds what one that was killed left behind: directories, and servers that could not notice their parent's end.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `kind`: a word with dashes, as in `quorate-chaos-`. */
export function makeRunDirectory(kind: string, parent: string = tmpdir()): string {
  return mkdtempSync(join(parent, `${kind}${process.pid}-`));
}

/**
 * Clears away what runs of this kind left whose processes are gone. `before`: whatever else must go before a directory can. Returns what it
 * did, in sentences.
 */
export function removeAbandoned(
  kind: string,
  before: (directory: string) => void = () => undefined,
  parent: string = tmpdir(),
): readonly string[] {
  const done: string[] = [];
  for (const { directory, pid } of runDirectories(kind, parent)) {
    if (isAlive(pid)) continue;
    for (const server of processesNaming(directory)) {
      process.kill(server, 'SIGKILL');
      done.push(`ended server ${server}, left by a run that is gone`);
    }
    before(directory);
    rmSync(directory, { recursive: true, force: true });
    done.push(`removed ${directory}, left by a run that is gone`);
  }
  return done;
}

function runDirectories(kind: string, parent: string): readonly { readonly directory: string; readonly pid: number }[] {
  return readdirSync(parent).flatMap((name) => {
    const match = new RegExp(`^${kind}([0-9]+)-`).exec(name);
    return match === null ? [] : [{ directory: join(parent, name), pid: Number(match[1]) }];
  });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Servers of that run that live on: a stopped process does not notice that its parent is gone, and etcd never does. */
function processesNaming(directory: string): readonly number[] {
  let entries: string[];
  try {
    entries = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name));
  } catch {
    // Not Linux. Servers leave with their parent, unless they were stopped just then.
    return [];
  }
  return entries.map(Number).filter((pid) => pid !== process.pid && commandOf(pid).includes(`${directory}/`));
}

function commandOf(pid: number): string {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return command.includes('\0--data-dir\0') ? command : '';
  } catch {
    // It has just ended.
    return '';
  }
}
