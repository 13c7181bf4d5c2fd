// Makes the cores with mistakes in them that `quorate check --bug` searches: a copy of the core's sources for each, with one patch of
// packages/sim/mutants applied, compiled into packages/sim/dist/bugs/MUTANT. What is shipped as the core is never touched.
//
//   npm run bugs            those that src/search/bugs.ts names, where they are not up to date
//   npm run bugs -- NAME…   these mutants, whatever it names
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const sources = join(root, 'packages/raft/src');
const target = join(root, 'packages/sim/dist/bugs');

async function main() {
  const wanted = process.argv.slice(2);
  const mutants = wanted.length > 0 ? wanted : await namedMutants();
  const stale = mutants.filter((mutant) => !isUpToDate(mutant));
  if (stale.length === 0) return;
  const folder = mkdtempSync(join(tmpdir(), 'quorate-bugs-'));
  try {
    for (const mutant of stale) patchedCopy(folder, mutant);
    compile(folder);
    for (const mutant of stale) take(folder, mutant);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`Cores with a mistake in them: ${stale.join(', ')}`);
}

async function namedMutants() {
  const { bugs } = await import('../dist/search/bugs.js');
  return [...new Set(bugs.map(({ mutant }) => mutant))];
}

function patchOf(mutant) {
  const patch = join(root, 'packages/sim/mutants', `${mutant}.patch`);
  if (!existsSync(patch)) fail(`There is no mutant ${mutant}: ${patch} is not there.`);
  return patch;
}

/** Of the patch and of every source that it is applied to. */
function stampOf(mutant) {
  const hash = createHash('sha256').update(readFileSync(patchOf(mutant)));
  for (const name of readdirSync(sources).sort()) hash.update(name).update(readFileSync(join(sources, name)));
  return hash.digest('hex');
}

function isUpToDate(mutant) {
  const stamp = join(target, mutant, 'stamp');
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === stampOf(mutant);
}

function patchedCopy(folder, mutant) {
  const copy = join(folder, 'in', mutant);
  mkdirSync(join(copy, 'packages/raft'), { recursive: true });
  cpSync(sources, join(copy, 'packages/raft/src'), { recursive: true });
  run('git', ['apply', '--include=packages/raft/*', patchOf(mutant)], copy, `${mutant}: the patch does not apply`);
}

function compile(folder) {
  const settings = {
    extends: join(root, 'tsconfig.base.json'),
    // A mutant may leave an import or a variable without use.
    compilerOptions: {
      composite: false,
      declaration: false,
      declarationMap: false,
      sourceMap: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
      rootDir: join(folder, 'in'),
      outDir: join(folder, 'out'),
    },
    include: ['in'],
  };
  cpSync(join(root, 'types/platform.d.ts'), join(folder, 'in/platform.d.ts'));
  writeFileSync(join(folder, 'in/package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  run(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder],
    folder,
    'a core does not compile',
  );
}

function take(folder, mutant) {
  const place = join(target, mutant);
  rmSync(place, { recursive: true, force: true });
  cpSync(join(folder, 'out', mutant, 'packages/raft/src'), place, { recursive: true });
  writeFileSync(join(place, 'stamp'), stampOf(mutant));
}

function run(command, args, cwd, what) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error !== undefined) fail(`${what}: ${command} cannot be started: ${error.message}`);
  if (status !== 0) fail(`${what}: ${(stdout + stderr).trim()}`);
}

function fail(message) {
  throw new Error(message);
}

await main();
