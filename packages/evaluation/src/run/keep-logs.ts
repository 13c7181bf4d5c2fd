import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Copies the servers' logs of a cell that failed; returns where, or null if there are none. */
export function keepLogs(data: string, to: string): string | null {
  const logs = existsSync(data)
    ? readdirSync(data, { recursive: true, encoding: 'utf8' }).filter((name) =>
        /^cluster-[^/]+\/[^/]+\.log$/.test(name),
      )
    : [];
  if (logs.length === 0) return null;
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const name of logs) cpSync(join(data, name), join(to, name.replace('/', '-')));
  return to;
}
