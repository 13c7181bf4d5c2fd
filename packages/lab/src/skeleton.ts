/** Writes the skeleton of a Raft for somebody who is about to make one. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const styles = ['async', 'handlers'] as const;
export type Style = (typeof styles)[number];

/** The skeleton cannot be written there. The message says why, and what to do. */
export class SkeletonError extends Error {
  override readonly name = 'SkeletonError';
}

/** Returns the names of the files. @throws SkeletonError if something is there already: nothing is ever written over. */
export function writeSkeleton(folder: string, style: Style): readonly string[] {
  if (existsSync(folder)) {
    if (!statSync(folder).isDirectory()) throw new SkeletonError(`${folder} is a file. Name a new folder.`);
    if (readdirSync(folder).length > 0) throw new SkeletonError(`${folder} is not empty. Name a new folder.`);
  }
  const template = fileURLToPath(new URL(`../templates/${style}/`, import.meta.url));
  mkdirSync(folder, { recursive: true });
  const names = readdirSync(template);
  for (const name of names) copyFileSync(join(template, name), join(folder, name));
  return names;
}
