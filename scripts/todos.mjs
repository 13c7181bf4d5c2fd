// Lists every TODO with file and line. Each must say why it waits: `TODO(reason): what is to be done`.
//
//   node scripts/todos.mjs           prints them
//   node scripts/todos.mjs --check   prints only those without a reason, and fails if there are any
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isGenerated, listFiles, root } from './lib/files.mjs';

const TEXT = /\.(?:ts|mts|mjs|js|json|md|proto|txt|sh|yml|yaml)$|^\.ci\/run$/;
// These speak about TODOs and hold none.
const ABOUT_TODOS = new Set([
  'scripts/todos.mjs',
  'scripts/lint.mjs',
  'test/checks.test.ts',
  'CONTRIBUTING.md',
  'package.json',
]);
const MARK = /\b(?:TODO|FIXME|XXX|HACK)\b/;
const WITH_REASON = /\bTODO\([^)\s][^)]{7,}\): \S/;

const check = process.argv.includes('--check');
let total = 0;
let bare = 0;
for (const path of listFiles('.', (name) => TEXT.test(name) && !ABOUT_TODOS.has(name) && !isGenerated(name))) {
  const lines = readFileSync(join(root, path), 'utf8').split('\n');
  for (const [index, line] of lines.entries()) {
    if (!MARK.test(line)) continue;
    total++;
    const reasoned = WITH_REASON.test(line);
    if (!reasoned) bare++;
    const print = reasoned ? console.log : console.error;
    if (!check || !reasoned) print(`${path}:${index + 1}: ${line.trim()}`);
  }
}
if (bare > 0) {
  console.error(`${bare} without a reason. Write TODO(reason, at least eight letters): what is to be done`);
  process.exitCode = 1;
}
console.log(`${total} TODOs`);
