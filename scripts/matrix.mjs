// Builds once, then on every supported Node.js starts the command and runs the tests. Each Node.js comes from the npm
// registry as a package of its own and is kept in node_modules/.cache.
//
//   npm run matrix                     all versions
//   npm run matrix -- 24               those that begin with 24
//   npm run matrix -- --start-only     only `quorate --version`, without the tests
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { root } from './lib/files.mjs';
import { bin, capture } from './lib/run.mjs';

// The floor, then the newest of each supported line.
const VERSIONS = ['20.19.0', '22.23.3', '24.21.0', '26.10.0'];

const words = process.argv.slice(2);
const startOnly = words.includes('--start-only');
const prefixes = words.filter((word) => !word.startsWith('--'));
const versions = VERSIONS.filter(
  (version) => prefixes.length === 0 || prefixes.some((each) => version.startsWith(each)),
);
if (versions.length === 0) throw new Error(`no such version. There are: ${VERSIONS.join(', ')}`);

/** Installs that Node.js if need be. Returns the path of its program. */
async function nodeOf(version) {
  const folder = join(root, 'node_modules/.cache/quorate-matrix', version);
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const program = join(folder, 'node_modules', name, process.platform === 'win32' ? 'bin/node.exe' : 'bin/node');
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    // The package is named by version alone; npm must not look for this repository's workspaces.
    const args = ['install', '--prefix', folder, '--workspaces=false', '--no-save', '--no-audit', '--no-fund'];
    const { ok, output } = await capture('npm', [
      ...args,
      '--ignore-scripts',
      '--loglevel=error',
      `${name}@${version}`,
    ]);
    if (!ok) throw new Error(`cannot install ${name}@${version}: ${output}`);
  }
  return program;
}

/** Runs a script on that Node.js, which the processes that it starts find first on their PATH as well. */
async function step(program, args) {
  const started = performance.now();
  const PATH = `${dirname(program)}${delimiter}${process.env.PATH ?? ''}`;
  const result = await capture(program, args, { PATH, NO_COLOR: '1' });
  return { ...result, seconds: ((performance.now() - started) / 1000).toFixed(1) };
}

const { version: own } = JSON.parse(readFileSync(join(root, 'packages/cli/package.json'), 'utf8'));
const build = await capture(bin('tsc'), ['-b']);
if (!build.ok) throw new Error(`the build failed:\n${build.output}`);

for (const version of versions) {
  const program = await nodeOf(version);
  const actual = await step(program, ['--version']);
  if (actual.output.trim() !== `v${version}`) throw new Error(`${program} is ${actual.output.trim()}, not v${version}`);

  const start = await step(program, ['packages/cli/bin/quorate.cjs', '--version']);
  report(version, 'quorate --version', { ...start, ok: start.ok && start.output.includes(own) }, start.output.trim());
  if (startOnly) continue;
  const tests = await step(program, ['node_modules/vitest/vitest.mjs', 'run']);
  report(version, 'tests', tests, tests.output.trim().split('\n').slice(-2).join('; '));
}

function report(version, what, { ok, output, ending, seconds }, summary) {
  console.log(`node ${version}  ${what}: ${ok ? 'passed' : `FAILED (${ending})`} in ${seconds} s: ${summary}`);
  if (ok) return;
  console.error(output);
  process.exitCode = 1;
}
