// Tests the testers: applies each mutant (packages/sim/mutants/*.patch) to a copy of the sources and runs the engine that its header
// names until something is caught. A mutant that survives, or whose patch no longer applies, is a failure.
//
//   npm run mutants [-- NAME…]
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const patches = join(root, 'packages/sim/mutants');

/** How many storage lives each attempt takes; each is more patient than the one before. */
const storageLives = [40, 400, 1500];
/** Seeds of the whole world after which a mutant has survived. */
const campaignSeeds = Number(process.env.QUORATE_MUTANT_SEEDS ?? 300);
/** A mutant that sends the simulator in circles has not been caught. */
const campaignTimeout = 900_000;

/** Each is given a copy and how to take the mutant out of it again, and returns the cells of the table; null if it survived. */
const engines = { core: tryOnCore, storage: tryOnStorage, sessions: tryOnSessions, campaign: tryOnWorld };

function main() {
  const wanted = process.argv.slice(2);
  const names = readdirSync(patches).filter((name) => name.endsWith('.patch'));
  const chosen = names.map((name) => name.slice(0, -6)).filter((name) => wanted.length === 0 || wanted.includes(name));
  if (chosen.length < wanted.length)
    fail(`No such mutant among: ${wanted.join(', ')}. There are: ${names.join(', ')}.`);
  const copy = mkdtempSync(join(tmpdir(), 'quorate-mutants-'));
  try {
    copySources(copy);
    for (const name of chosen) console.log(`| ${name} | ${tryMutant(copy, name)} |`);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Everything that git knows, and the installed packages by links, with our own packages replaced by the copy's. */
function copySources(copy) {
  const { stdout } = run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], root);
  for (const file of stdout.split('\0').filter((name) => name !== '')) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  mkdirSync(join(copy, 'node_modules/@quorate'), { recursive: true });
  const ours = ['@quorate', 'quorate'];
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!ours.includes(name)) symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name));
  }
  for (const name of readdirSync(join(copy, 'packages'))) {
    symlinkSync(join(copy, 'packages', name), join(copy, 'node_modules/@quorate', name));
  }
}

/** Returns two cells of a table: what caught it, and how many seeds that took. */
function tryMutant(copy, name) {
  const patch = join(patches, `${name}.patch`);
  const engine = engines[/^Engine: (\w+)$/m.exec(readFileSync(patch, 'utf8'))?.[1] ?? ''];
  if (engine === undefined) return failed(name, 'its header names no engine');
  const applied = run('git', ['apply', patch], copy);
  if (applied.status !== 0) return failed(name, `the patch no longer applies: ${applied.stderr.trim()}`);
  try {
    return engine(copy, patch) ?? failed(name, 'it survived');
  } catch (error) {
    return failed(name, error.message);
  } finally {
    run('git', ['apply', '-R', patch], copy);
  }
}

function tryOnStorage(copy) {
  for (const lives of storageLives) {
    const bin = join(root, 'node_modules/.bin/vitest');
    const args = ['run', 'packages/sim/test/storage', '--bail=1', '--no-color', '--testTimeout=300000'];
    const result = run(bin, args, copy, { QUORATE_STORAGE_SEEDS: String(lives), NO_COLOR: '1' });
    if (result.status !== 0) return caughtBy(result.stdout + result.stderr);
  }
  return null;
}

/** The core's scripts and random clusters. */
function tryOnCore(copy) {
  const bin = join(root, 'node_modules/.bin/vitest');
  const files = ['scripts', 'random-clusters'].map((name) => `packages/raft/test/${name}.test.ts`);
  const { status, stdout, stderr } = run(bin, ['run', ...files, '--bail=1', '--no-color'], copy, { NO_COLOR: '1' });
  return status === 0 ? null : caughtBy(stdout + stderr);
}

function tryOnSessions(copy) {
  const bin = join(root, 'node_modules/.bin/vitest');
  const args = ['run', 'packages/runtime/test/sessions', '--bail=1', '--no-color'];
  const { status, stdout, stderr } = run(bin, args, copy, { QUORATE_SESSION_RUNS: '2000', NO_COLOR: '1' });
  return status === 0 ? null : caughtBy(stdout + stderr);
}

/**
 * A seed that fails without the mutant as well has caught something else, and does not count. A header may name the one invariant
 * that is watched, where others would break first.
 */
function tryOnWorld(copy, patch) {
  const only = /^Watched: (\S+)$/m.exec(readFileSync(patch, 'utf8'))?.[1];
  for (let first = 1; first <= campaignSeeds; ) {
    build(copy);
    const caught = runSeeds(copy, first, campaignSeeds + 1 - first, only);
    if (caught === null) return null;
    run('git', ['apply', '-R', patch], copy);
    build(copy);
    const isOurs = runSeeds(copy, caught.seed, 1, only) === null;
    run('git', ['apply', patch], copy);
    if (isOurs)
      return `${caught.invariant || caught.kind}: ${caught.first.split('\n')[0].slice(0, 160)} | ${caught.seed}`;
    first = caught.seed + 1;
  }
  return null;
}

/** Without checking types: a mutant may leave an import or a variable without use. What it cannot parse is an error. */
function build(copy) {
  const { status, stdout } = run(join(root, 'node_modules/.bin/tsc'), ['-b', '--noCheck'], copy);
  if (status !== 0) throw new Error(`it does not compile: ${stdout.trim()}`);
}

function runSeeds(copy, first, count, only) {
  const script = 'packages/sim/scripts/until-caught.mjs';
  const { status, stdout, stderr } = run(
    process.execPath,
    [script, first, count, ...(only === undefined ? [] : [only])].map(String),
    copy,
  );
  if (status !== 0) throw new Error(`the simulator ended with ${status}: ${stderr.trim().slice(-400)}`);
  return JSON.parse(stdout);
}

function caughtBy(output) {
  const seed = /Error: Seed (\d+): (.*)/.exec(output);
  if (seed !== null) return `${(seed[2] ?? '').slice(0, 120)} | ${Number(seed[1]) + 1}`;
  const scenario = /FAIL\s+.*?test\.ts > (.*)/.exec(output);
  return `${scenario?.[1] ?? output.slice(-200)} | scenario`;
}

function failed(name, why) {
  process.exitCode = 1;
  console.error(`${name}: ${why}`);
  return `NOT CAUGHT: ${why} |`;
}

function run(command, args, cwd, env = {}) {
  return spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: campaignTimeout,
  });
}

function fail(message) {
  console.error(message);
  process.exit(2);
}

main();
