// Every check that reads the sources without running them. Prints what is wrong, and one line at the end.
//
//   node scripts/lint.mjs [name …]   only those checks, e.g. `npm run lint -- format imports`
import { performance } from 'node:perf_hooks';
import { bin, capture } from './lib/run.mjs';

const CHECKS = {
  format: [bin('biome'), 'format', '--reporter=summary', '.'],
  rules: [bin('oxlint'), '--quiet', '--format=agent'],
  types: [bin('tsc'), '-p', 'tsconfig.test.json'],
  scripts: [bin('tsc'), '-p', 'tsconfig.scripts.json'],
  imports: [process.execPath, 'scripts/check-imports.mjs'],
  'dead-code': [bin('knip'), '--no-progress'],
  sizes: [process.execPath, 'scripts/check-sizes.mjs'],
  todos: [process.execPath, 'scripts/todos.mjs', '--check'],
  limits: [process.execPath, 'scripts/limits.mjs', '--check'],
  lock: [process.execPath, 'scripts/lock.mjs', '--check'],
};
const HINTS = { format: 'npm run format puts it right' };

const wanted = process.argv.slice(2);
for (const name of wanted) {
  if (!(name in CHECKS)) throw new Error(`no check '${name}'. There are: ${Object.keys(CHECKS).join(', ')}`);
}

const started = performance.now();
const results = await Promise.all(
  Object.entries(CHECKS)
    .filter(([name]) => wanted.length === 0 || wanted.includes(name))
    .map(async ([name, [command, ...args]]) => ({ name, ...(await capture(command, args)) })),
);
const failed = results.filter((result) => !result.ok);
for (const { name, output, ending } of failed) {
  console.error(`--- ${name} (${ending})${name in HINTS ? `: ${HINTS[name]}` : ''}\n${output.trimEnd()}`);
}
const seconds = ((performance.now() - started) / 1000).toFixed(1);
if (failed.length > 0) {
  console.error(`lint: ${failed.map(({ name }) => name).join(', ')} failed (${seconds} s)`);
  process.exitCode = 1;
} else {
  console.log(`lint: ${results.map(({ name }) => name).join(', ')} passed (${seconds} s)`);
}
