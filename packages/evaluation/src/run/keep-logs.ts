import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Harness } from '../harness/harness.ts';

/** Keeps the ends of the servers' logs of a cell that failed; returns where, or null if there are none. */
export async function keepLogs(harness: Harness, to: string): Promise<string | null> {
  const logs = await harness.logs();
  if (logs.length === 0) return null;
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const { name, text } of logs) writeFileSync(join(to, name), text);
  return to;
}
