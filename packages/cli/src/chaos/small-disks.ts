/** A small file system in memory for each server's data, which one file can fill (root, Linux). */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClusterLayout, type LayoutMember, memberDirectory } from '@quorate/processes';

/** Room for the log's reserve and what a run of some minutes writes. */
const DISK_MIB = 512;
const BALLAST = 'ballast';
/** Below the mount, for a server refuses a directory that holds something else. */
export const DATA_NAME = 'data';
const CHUNK = new Uint8Array(1 << 20);

export class SmallDisks {
  readonly #mounted: string[] = [];

  mount(directory: string, { members }: ClusterLayout): void {
    for (const member of members) {
      const path = memberDirectory(directory, member);
      mkdirSync(path, { recursive: true, mode: 0o700 });
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m,mode=0700`, 'quorate-chaos', path]);
      this.#mounted.push(path);
    }
  }

  /** Where a server keeps its data. */
  static dataDirectory(directory: string, member: LayoutMember): string {
    return join(memberDirectory(directory, member), DATA_NAME);
  }

  /** Takes all the room but `leaveBytes`. */
  static async fill(directory: string, member: LayoutMember, leaveBytes: number): Promise<void> {
    const path = memberDirectory(directory, member);
    const file = await open(join(path, BALLAST), 'a');
    try {
      for (let free = freeBytes(path); free > leaveBytes; free = freeBytes(path)) {
        await file.write(CHUNK, 0, Math.min(CHUNK.length, free - leaveBytes));
      }
    } catch (error) {
      // The server took the last bytes at the same time: full is what was wanted.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    } finally {
      await file.close();
    }
  }

  static free(directory: string, member: LayoutMember): void {
    rmSync(join(memberDirectory(directory, member), BALLAST), { force: true });
  }

  unmountAll(): void {
    for (const path of this.#mounted.splice(0)) unmount(path);
  }
}

/** Whether this process may mount: tried, not guessed. */
export function mayMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'quorate-chaos-trial-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'quorate-chaos', path], { stdio: 'ignore' });
    unmount(path);
    return true;
  } catch {
    // No root, or a system that does not let us: the run goes on without full disks.
    return false;
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

/** Unmounts whatever is mounted below `directory`. */
export function unmountBelow(directory: string): void {
  let mounts: string;
  try {
    mounts = readFileSync('/proc/mounts', 'utf8');
  } catch {
    // Not Linux: nothing was mounted.
    return;
  }
  for (const line of mounts.split('\n')) {
    const path = line.split(' ')[1];
    if (path !== undefined && path.startsWith(`${directory}/`)) unmount(path);
  }
}

function unmount(path: string): void {
  execFileSync('umount', [path], { stdio: 'pipe' });
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}
