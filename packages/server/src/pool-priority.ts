/** Long computations belong on libuv's thread pool, and must not take the processor from the event loop and the log. */
import { readlink } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { setTimeout } from 'node:timers/promises';

/** libuv's own default, unless UV_THREADPOOL_SIZE says otherwise. */
const defaultPoolSize = 4;
/** How long the threads are asked for before the rest are left as they are. Milliseconds. */
const patience = 2_000;
/** Where no new one answered: other threads, of this process or others, may need the processor first. Milliseconds. */
const pause = 2;

/**
 * Gives every thread of this process's libuv pool the lowest priority, so that what runs there (password hashing, the system's
 * name look-ups) takes only what the service leaves. On Linux, where threads have priorities of their own; elsewhere it does
 * nothing. Returns how many threads were found: less than the pool has, if some never had their turn.
 */
export async function yieldPool(): Promise<number> {
  const size = poolSize();
  const found = new Set<number>();
  const begun = performance.now();
  while (found.size < size && performance.now() - begun < patience) {
    const before = found.size;
    // Asked all at once, so that idle threads wake up to answer. Whichever answers names itself.
    const names = await Promise.all(Array.from({ length: 2 * size }, async () => await ownThread()));
    for (const thread of names) {
      if (thread === null) return found.size;
      if (!found.has(thread)) lower(thread);
      found.add(thread);
    }
    if (found.size === before) await setTimeout(pause);
  }
  return found.size;
}

function poolSize(): number {
  const size = Number(process.env['UV_THREADPOOL_SIZE']);
  return Number.isInteger(size) && size > 0 ? size : defaultPoolSize;
}

/** The number of the pool's thread that carried this very call out; null where the system does not tell. */
async function ownThread(): Promise<number | null> {
  try {
    const link = await readlink('/proc/thread-self');
    const number = Number(link.split('/').at(-1));
    return Number.isInteger(number) ? number : null;
  } catch {
    return null;
  }
}

function lower(thread: number): void {
  try {
    setPriority(thread, constants.priority.PRIORITY_LOW);
  } catch {
    // Not allowed here: the pool keeps its priority.
  }
}
