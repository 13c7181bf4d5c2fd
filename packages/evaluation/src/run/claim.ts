/** One run at a time writes to a directory of results: two would write into each other's files. */
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isAlive } from '@quorate/processes';
import { EvaluationError } from '../errors.ts';

/** Holds the number of the process that writes. */
const FILE = 'running';

/**
 * Takes the directory for this process; what it returns gives it back. One whose process is gone is taken over.
 * @throws EvaluationError `OutInUse` while another run writes there
 */
export function claim(out: string): () => void {
  const file = join(out, FILE);
  if (!take(file)) {
    const owner = Number(readFileSync(file, 'utf8'));
    if (Number.isInteger(owner) && owner > 0 && isAlive(owner)) throw inUse(out, file, owner);
    rmSync(file, { force: true });
    if (!take(file)) throw inUse(out, file, Number(readFileSync(file, 'utf8')));
  }
  return () => rmSync(file, { force: true });
}

/** Linked into its place, so that it never stands there without its content. */
function take(file: string): boolean {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

function inUse(out: string, file: string, owner: number): EvaluationError {
  return new EvaluationError(
    'OutInUse',
    `Process ${owner} is writing results to ${resolve(out)}. Wait until it has ended, or give another directory with --out. ` +
      `If that process is something else, remove ${file}.`,
  );
}
