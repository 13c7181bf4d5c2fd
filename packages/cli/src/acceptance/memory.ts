import { readFileSync } from 'node:fs';
import type { LocalServer } from '@quorate/processes';

/** Resident memory of a running server in MiB, as Linux counts it; null elsewhere. */
export function residentMiB({ process }: LocalServer): number | null {
  if (process.pid === null) return null;
  let status: string;
  try {
    status = readFileSync(`/proc/${process.pid}/status`, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) / 1024;
}
