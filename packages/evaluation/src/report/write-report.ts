import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Experiment } from '../experiment.ts';
import { page } from './page.ts';
import { type Results, writeResults } from './write-results.ts';

/** Draws everything that has been measured below `out` and writes the one page about it. Returns its path; null if there is nothing. */
export async function writeReport(out: string, experiments: readonly Experiment[]): Promise<string | null> {
  const all: Results[] = [];
  for (const experiment of experiments) {
    const results = await writeResults(out, experiment);
    if (results !== null) all.push(results);
  }
  if (all.length === 0) return null;
  const path = join(out, 'index.html');
  writeFileSync(path, page(all));
  return resolve(path);
}
