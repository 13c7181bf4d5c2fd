import { resolve } from 'node:path';
import { SkeletonError, writeSkeleton } from '@quorate/lab';
import type { LabInitFlags } from '../tree/lab-command.ts';
import { UsageError } from '../usage-error.ts';
import { print } from './session.ts';

export function initLab(folder: string, { style }: LabInitFlags): void {
  try {
    const names = writeSkeleton(resolve(folder), style);
    print(`Wrote ${names.join(', ')} to ${folder}. Read raft.js, fill its blanks, and run the first part:`);
    print(`  npx quorate lab run --impl ${folder} --part 4A`);
  } catch (error) {
    if (error instanceof SkeletonError) throw new UsageError(error.message);
    throw error;
  }
}
