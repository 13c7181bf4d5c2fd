// Lists the repository's own files. It walks folders rather than ask git, so that the checks run in an unpacked archive.
import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

const SKIPPED = new Set(['node_modules', 'dist', '.git', '.data']);
/** The report of a coverage run; packages/sim/src/coverage is source. */
const SKIPPED_AT_ROOT = 'coverage';

/** Every file below `folder` (relative to the root) that `accept` wants, as sorted paths with '/' from the root. */
export function listFiles(folder, accept) {
  const found = [];
  const visit = (directory) => {
    for (const entry of readdirSync(join(root, directory), { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) {
        if (!SKIPPED.has(entry.name) && relative('.', path) !== SKIPPED_AT_ROOT) visit(path);
      } else if (entry.isFile()) {
        const name = relative('.', path).split(sep).join('/');
        if (accept(name)) found.push(name);
      }
    }
  };
  visit(folder);
  return found.sort();
}

/** Written by a program, and held to that program's rules instead of ours. */
export const isGenerated = (path) => /(^|\/)generated\//.test(path);

export const isCode = (path) => /\.(?:ts|tsx|mts|mjs|js)$/.test(path);
