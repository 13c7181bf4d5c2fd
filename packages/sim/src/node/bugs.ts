/** Loads the cores that have a mistake in them (scripts/bugs.mjs makes them). */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Raft } from '@quorate/raft';
import { type Bug, bugNamed, bugs } from '../index.ts';

/** There is no such bug, or its core was not made. */
export class BugError extends Error {
  override readonly name = 'BugError';
  readonly code: 'NoSuchBug' | 'NotBuilt';

  constructor(code: BugError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export interface LoadedBug {
  readonly bug: Bug;
  readonly core: typeof Raft;
}

/** Throws BugError. */
export async function loadBug(name: string): Promise<LoadedBug> {
  const bug = bugNamed(name);
  if (bug === null) {
    throw new BugError(
      'NoSuchBug',
      `There is no bug '${name}'. There are: ${bugs.map((each) => each.name).join(', ')}.`,
    );
  }
  const file = coreFile(bug);
  if (!existsSync(fileURLToPath(file))) {
    throw new BugError('NotBuilt', `The core with the bug '${name}' is not here. In a clone, make it: npm run bugs.`);
  }
  const { Raft: core } = (await import(file.href)) as { readonly Raft: typeof Raft };
  return { bug, core };
}

function coreFile({ mutant }: Bug): URL {
  const fromSource = import.meta.url.endsWith('.ts');
  return new URL(`${fromSource ? '../../dist' : '..'}/bugs/${mutant}/raft.js`, import.meta.url);
}
