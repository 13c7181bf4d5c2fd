import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** What is kept of the log of a server whose cell failed: its end. */
export const MAX_KEPT_LOG_BYTES = 4 << 20;

/** The end of a log, at most `most` bytes; null if there is no such file. */
export function endOfLog(file: string, most: number = MAX_KEPT_LOG_BYTES): string | null {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  try {
    const { size } = fstatSync(descriptor);
    const bytes = Buffer.alloc(Math.min(size, most));
    const read = readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    return bytes.subarray(0, read).toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}
