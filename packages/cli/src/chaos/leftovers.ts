/** What a run that was killed left behind: servers, namespaces, mounts, directories. The next run clears it away. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { namespaceOwners, removeNamespaces } from './namespaces.ts';
import { unmountBelow } from './small-disks.ts';

const DIRECTORY_PREFIX = 'quorate-chaos-';

/** The directory of a run names its process, so that others can tell whether it still goes on. */
export function directoryPrefix(pid: number): string {
  return join(tmpdir(), `${DIRECTORY_PREFIX}${pid}-`);
}

/** Clears away what belongs to processes that are gone. Returns what it did, in sentences. */
export function removeLeftovers(): readonly string[] {
  const done: string[] = [];
  for (const { directory, pid } of runDirectories()) {
    if (isAlive(pid)) continue;
    for (const server of processesNaming(directory)) {
      process.kill(server, 'SIGKILL');
      done.push(`ended server ${server}, left by a run that is gone`);
    }
    unmountBelow(directory);
    rmSync(directory, { recursive: true, force: true });
    done.push(`removed ${directory}, left by a run that is gone`);
  }
  for (const pid of namespaceOwners()) {
    if (isAlive(pid)) continue;
    removeNamespaces(pid);
    done.push(`removed the network namespaces of a run that is gone (process ${pid})`);
  }
  return done;
}

function runDirectories(): readonly { readonly directory: string; readonly pid: number }[] {
  return readdirSync(tmpdir()).flatMap((name) => {
    const match = new RegExp(`^${DIRECTORY_PREFIX}([0-9]+)-`).exec(name);
    return match === null ? [] : [{ directory: join(tmpdir(), name), pid: Number(match[1]) }];
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Servers of that run that live on: a stopped process does not notice that its parent is gone. */
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
    return command.includes('\0serve\0') ? command : '';
  } catch {
    // It has just ended.
    return '';
  }
}
