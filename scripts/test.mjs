// `npm test`: builds, lints, runs every test. The last line says what was not run, and how to have it run.
//
//   npm test                      everything
//   npm test -- packages/raft …   builds, and runs the tests whose path contains one of the words
//
// Under QUORATE_REQUIRE_PEERS=1 whatever is not run is a failure.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, show } from './lib/run.mjs';

const filters = process.argv.slice(2);
const failures = [];

async function step(name, run) {
  if (!(await run)) failures.push(name);
}

const folder = mkdtempSync(join(tmpdir(), 'quorate-test-'));
const summaryFile = join(folder, 'summary.json');
let summary;
try {
  // Tests that start processes run dist/, so it is built first; nothing stale can be tested.
  await step('build', show(process.execPath, ['scripts/build.mjs']));
  if (filters.length === 0) await step('lint', show(process.execPath, ['scripts/lint.mjs']));
  await step('tests', show(bin('vitest'), ['run', ...filters], { QUORATE_TEST_SUMMARY: summaryFile }));
  summary = existsSync(summaryFile)
    ? JSON.parse(readFileSync(summaryFile, 'utf8'))
    : { counts: 'no tests ran', notRun: 'not run: every test, vitest ended too early; see above', skipped: 0 };
} finally {
  rmSync(folder, { recursive: true, force: true });
}

if (process.env.QUORATE_REQUIRE_PEERS === '1' && summary.skipped > 0) failures.push('nothing may be left out');
console.log(summary.counts);
if (failures.length > 0) {
  console.log(`failed: ${failures.join(', ')}`);
  process.exitCode = 1;
}
console.log(filters.length > 0 ? `${summary.notRun}; lint, and tests outside ${filters.join(' ')}` : summary.notRun);
