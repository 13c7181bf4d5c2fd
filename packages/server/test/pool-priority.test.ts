import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { describe, expect, it } from 'vitest';
import { yieldPool } from '../src/pool-priority.ts';

describe.runIf(process.platform === 'linux')('the thread pool', () => {
  it('gets the lowest priority, all of it, and nothing else does', async () => {
    const size = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);
    expect(await yieldPool()).toBe(size);
    const priorities = readdirSync('/proc/self/task').map((thread) => getPriority(Number(thread)));
    expect(priorities.filter((priority) => priority === 19)).toHaveLength(size);
    expect(getPriority(process.pid)).toBe(0);
    // Asked again it finds the same.
    expect(await yieldPool()).toBe(size);
  });
});
