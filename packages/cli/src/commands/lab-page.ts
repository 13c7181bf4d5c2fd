import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Outcome } from '@quorate/lab';
import type { LabRunFlags } from '../tree/lab-command.ts';
import { UsageError } from '../usage-error.ts';

/** Writes the page that shows why a history is not linearizable, and returns where. Null: there is none to be written. */
export function savePage({ test, seed, failure }: Outcome, { pageDir }: LabRunFlags): string | null {
  const page = failure?.page ?? null;
  if (page === null) return null;
  const file = join(labFolder({ pageDir }), `${test}-seed-${seed}.html`);
  writeFileSync(file, page);
  return file;
}

/** Where what is to be read of a failure is written; it is made if it is not there. */
export function labFolder({ pageDir }: { readonly pageDir?: string | undefined }): string {
  const directory = pageDir ?? join(tmpdir(), 'quorate-lab');
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`What failed cannot be written down (${reason}): choose another folder with --page-dir.`);
  }
  return directory;
}
