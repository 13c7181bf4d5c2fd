import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Outcome } from '@quorate/lab';
import type { LabRunFlags } from '../tree/lab-command.ts';
import { UsageError } from '../usage-error.ts';

/** Writes the page that shows why a history is not linearizable, and returns where. Null: there is none to be written. */
export function savePage({ test, seed, failure }: Outcome, { pageDir }: LabRunFlags): string | null {
  const page = failure?.page ?? null;
  if (page === null) return null;
  const directory = pageDir ?? join(tmpdir(), 'quorate-lab');
  const file = join(directory, `${test}-seed-${seed}.html`);
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(file, page);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`The page of a failure cannot be written (${reason}): choose another folder with --page-dir.`);
  }
  return file;
}
