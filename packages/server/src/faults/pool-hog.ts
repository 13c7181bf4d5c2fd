/** Keeps every thread of libuv's pool busy, as a burst of password hashing or a dead name server does. */
import { execFile } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import { close, closeSync, open, openSync, unlink } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `hashing` also takes all the CPU there is; `waiting` blocks the threads and nothing else. */
export const poolHogs = ['hashing', 'waiting'] as const;
export type PoolHog = (typeof poolHogs)[number];

/** Jobs queued at once: twice what libuv's default of four threads can take. */
const jobs = 8;
/** About 10 ms of work. */
const hashRounds = 20_000;

let pipesMade = 0;

/** For `ms` milliseconds. `failed` hears if it cannot be done on this system. */
export function hogPool(how: PoolHog, ms: number, failed: (reason: string) => void): void {
  if (how === 'hashing') hash(ms);
  else wait(ms, failed);
}

function hash(ms: number): void {
  let over = false;
  setTimeout(() => {
    over = true;
  }, ms);
  const again = (): void => {
    if (!over) pbkdf2('password', 'salt', hashRounds, 64, 'sha512', again);
  };
  for (let job = 0; job < jobs; job++) again();
}

/** Opening a named pipe to read waits, on a thread of the pool, until somebody opens it to write. */
function wait(ms: number, failed: (reason: string) => void): void {
  pipesMade += 1;
  const pipe = join(tmpdir(), `quorate-pool-${process.pid}-${pipesMade}`);
  execFile('mkfifo', [pipe], (error) => {
    if (error !== null) return failed(`mkfifo: ${error.message}`);
    for (let job = 0; job < jobs; job++) {
      open(pipe, 'r', (refused, descriptor) => {
        if (refused === null) close(descriptor, () => undefined);
        else failed(refused.message);
      });
    }
    setTimeout(() => release(pipe), ms);
  });
}

/** Opening for both reading and writing never waits; it lets every reader in, also those that are still queued. */
function release(pipe: string): void {
  const writer = openSync(pipe, 'r+');
  unlink(pipe, () => closeSync(writer));
}
