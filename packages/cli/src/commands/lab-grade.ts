import { statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Grade } from '@quorate/lab';
import { UsageError } from '../usage-error.ts';

/** Before anything is run: whoever waits minutes for a grade should not learn then that it has no place. */
export function checkGradeFile(file: string): void {
  const folder = dirname(resolve(file));
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UsageError(`There is no folder ${folder} for the file of --grade. Make it first.`);
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new UsageError(`${file} is a folder. Name a file for --grade.`);
}

export function writeGrade(file: string, grade: Grade): void {
  writeFileSync(file, `${JSON.stringify(grade, null, 2)}\n`);
}
