// No source file over 500 lines, comments included: what does not fit is two concerns. Generated files are exempt.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isCode, isGenerated, listFiles, root } from './lib/files.mjs';

const MAX_LINES = 500;

const lines = new Map();
for (const path of listFiles('.', isCode)) {
  if (!isGenerated(path)) lines.set(path, readFileSync(join(root, path), 'utf8').split('\n').length - 1);
}

let core = 0;
for (const [path, count] of lines) {
  if (path.startsWith('packages/raft/src/')) core += count;
  if (count > MAX_LINES) {
    console.error(`${path}: ${count} lines, at most ${MAX_LINES}. Split it by concern`);
    process.exitCode = 1;
  }
}
console.log(`${lines.size} files, packages/raft/src ${core} lines`);
