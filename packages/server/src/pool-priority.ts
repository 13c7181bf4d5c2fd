/** Long computations belong on libuv's thread pool, and must not take the processor from the event loop and the log. */
import { readlink } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';

/** libuv's own default, unless UV_THREADPOOL_SIZE says otherwise. */
const defaultPoolSize = 4;
/** How often the threads are asked for before the rest are left as they are. */
const maxRounds = 100;

/**
 * Gives every thread of this process's libuv pool the lowest priority, so that what runs there (password hashing, the system's
 * name look-ups) takes only what the service leaves. On Linux, where threads have priorities of their own; elsewhere it does
 * nothing. Returns how many threads were found: less than the pool has, if some never had their turn.
 */
export async function yieldPool(): Promise<number> {
  const size = poolSize();
  const lowered = new Set<number>();
  for (let round = 0; round < maxRounds && lowered.size < size; round++) {
    // Asked all at once, so that idle threads wake up to answer. Whichever answers names itself.
    const names = await Promise.all(Array.from({ length: 2 * size }, async () => await ownThread()));
    for (const thread of names) {
      if (thread === null) return lowered.size;
      if (!lowered.has(thread) && lower(thread)) lowered.add(thread);
    }
  }
  return lowered.size;
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

function lower(thread: number): boolean {
  try {
    setPriority(thread, constants.priority.PRIORITY_LOW);
    return true;
  } catch {
    // Not allowed here: the pool keeps its priority.
    return false;
  }
}
