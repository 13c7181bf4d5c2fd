// Tests the testers: applies each mutant (packages/sim/mutants/*.patch) to a copy of the sources and runs the engine that its header
// names until something is caught. A mutant that survives, or whose patch no longer applies or compiles, is a failure.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MutantCopy, spawn } from './mutant-copy.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = join(root, 'packages/sim/mutants');

/** How many storage lives each attempt takes; each is more patient than the one before. */
const storageLives = [40, 400, 1500];
/** Seeds of the whole world after which a mutant has survived. */
const campaignSeeds = Number(process.env.QUORATE_MUTANT_SEEDS ?? 300);
/** `--few` chooses among those of the whole world for which docs/mutants.md says at most so many seeds. */
const quickSeeds = 10;

/** Each is given a copy and how to take the mutant out of it again, and returns the cells of the table; null if it survived. */
const engines = { core: tryOnCore, storage: tryOnStorage, sessions: tryOnSessions, campaign: tryOnWorld };

const usage = `Usage: npm run mutants                 all of them: an hour or so
       npm run mutants -- NAME…        these
       npm run mutants -- --check      only that every patch applies and compiles
       npm run mutants -- --few N      N of those that are caught quickly, other ones for every commit`;

function main() {
  const { values, positionals } = flags();
  if (values.help === true) return console.log(usage);
  const chosen = values.few === undefined ? named(positionals) : few(Number(values.few));
  const copy = new MutantCopy();
  try {
    if (values.check === true) checkAll(copy, named(positionals));
    if (values.check === true && values.few === undefined) return;
    for (const name of chosen) console.log(`| ${name} | ${tryMutant(copy, name)} |`);
  } finally {
    copy.remove();
  }
}

function flags() {
  try {
    return parseArgs({
      options: { check: { type: 'boolean' }, few: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
  } catch (error) {
    return fail(`${error.message}\n${usage}`);
  }
}

function named(wanted) {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.patch'))
    .map((name) => name.slice(0, -6));
  const chosen = names.filter((name) => wanted.length === 0 || wanted.includes(name));
  if (chosen.length < wanted.length)
    fail(`No such mutant among: ${wanted.join(', ')}. There are: ${names.join(', ')}.`);
  return chosen;
}

/** The commit decides, so a failure can be had again; over many commits every one has its turn. */
function few(count) {
  if (!Number.isInteger(count) || count < 1) fail('--few needs a number of mutants, from 1 on.');
  const table = readFileSync(join(root, 'docs/mutants.md'), 'utf8');
  const rows = [...table.matchAll(/^\| `([\w-]+)` \|.*\| (\d+) \|$/gm)];
  const names = named([]);
  const quick = rows
    .filter(([, name, seeds]) => names.includes(name) && Number(seeds) <= quickSeeds && isOfWorld(name))
    .map(([, name]) => name);
  const { status, stdout, stderr } = spawn('git', ['rev-parse', 'HEAD'], root);
  if (status !== 0) fail(`--few asks git for the commit, and it says: ${stderr.trim()}`);
  const first = Number.parseInt(stdout.slice(0, 8), 16);
  return Array.from({ length: Math.min(count, quick.length) }, (_, at) => quick[(first + at) % quick.length]);
}

function isOfWorld(name) {
  return fieldOf(readFileSync(patchOf(name), 'utf8'), 'Engine') === 'campaign';
}

function patchOf(name) {
  return join(folder, `${name}.patch`);
}

/** Patches that touch different places are compiled together: a few builds instead of a hundred. */
function checkAll(copy, names) {
  for (let left = names; left.length > 0; ) {
    const group = left.filter((name) => copy.apply(patchOf(name)) === null);
    const isWhole = copy.compile() === null;
    for (const name of group.toReversed()) copy.takeBack(patchOf(name));
    if (!isWhole || group.length === 0) for (const name of group.length === 0 ? left : group) checkOne(copy, name);
    if (group.length === 0) return;
    left = left.filter((name) => !group.includes(name));
  }
}

function checkOne(copy, name) {
  const problem = copy.apply(patchOf(name));
  if (problem !== null) {
    failed(name, `the patch no longer applies: ${problem}`);
    return;
  }
  const errors = copy.compile();
  if (errors !== null) failed(name, `it does not compile: ${errors}`);
  copy.takeBack(patchOf(name));
}

/** Returns two cells of a table: what caught it, and how many seeds that took. */
function tryMutant(copy, name) {
  const patch = patchOf(name);
  const header = readFileSync(patch, 'utf8').split('\ndiff --git')[0];
  const engine = engines[fieldOf(header, 'Engine') ?? ''];
  if (engine === undefined) return failed(name, 'its header names no engine');
  const problem = copy.apply(patch);
  if (problem !== null) return failed(name, `the patch no longer applies: ${problem}`);
  try {
    return engine(copy, patch, fieldOf(header, 'Watched')) ?? failed(name, 'it survived');
  } catch (error) {
    return failed(name, error.message);
  } finally {
    copy.takeBack(patch);
  }
}

function fieldOf(header, field) {
  return new RegExp(`^${field}: (\\S+)$`, 'm').exec(header)?.[1];
}

function tryOnStorage(copy) {
  for (const lives of storageLives) {
    const args = ['packages/sim/test/storage', '--testTimeout=300000'];
    const result = copy.vitest(args, { QUORATE_STORAGE_SEEDS: String(lives) });
    if (result.status !== 0) return caughtBy(result.stdout + result.stderr);
  }
  return null;
}

/** The core's scripts, and those random clusters that are the same in every run: what they say does not hang on luck. */
function tryOnCore(copy) {
  const files = ['scripts', 'random-clusters'].map((name) => `packages/raft/test/${name}.test.ts`);
  const chosen = ['--testNamePattern', 'interaction scripts|hard situation'];
  const { status, stdout, stderr } = copy.vitest([...files, ...chosen], { QUORATE_SHRINK: '0' });
  if (status === 0) return null;
  const broken = /InvariantViolation: (.*)/.exec(stdout + stderr);
  return broken === null ? caughtBy(stdout + stderr) : `${broken[1]} | scenario`;
}

function tryOnSessions(copy) {
  const { status, stdout, stderr } = copy.vitest(['packages/runtime/test/sessions'], { QUORATE_SESSION_RUNS: '2000' });
  return status === 0 ? null : caughtBy(stdout + stderr);
}

/**
 * A seed that fails without the mutant as well has caught something else, and does not count. A header may name the one invariant
 * that is watched, where others would break first.
 */
function tryOnWorld(copy, patch, watched) {
  for (let first = 1; first <= campaignSeeds; ) {
    build(copy);
    const caught = runSeeds(copy, first, campaignSeeds + 1 - first, watched);
    if (caught === null) return null;
    copy.takeBack(patch);
    build(copy);
    const isOurs = runSeeds(copy, caught.seed, 1, watched) === null;
    copy.apply(patch);
    if (isOurs)
      return `${caught.invariant || caught.kind}: ${caught.first.split('\n')[0].slice(0, 160)} | ${caught.seed}`;
    first = caught.seed + 1;
  }
  return null;
}

function build(copy) {
  const errors = copy.compile();
  if (errors !== null) throw new Error(`it does not compile: ${errors}`);
}

function runSeeds(copy, first, count, watched) {
  const script = 'packages/sim/scripts/until-caught.mjs';
  const args = [script, String(first), String(count), ...(watched === undefined ? [] : [watched])];
  const { status, stdout, stderr } = copy.run(process.execPath, args);
  if (status !== 0) throw new Error(`the simulator ended with ${status}: ${stderr.trim().slice(-400)}`);
  return JSON.parse(stdout);
}

/** Only a test that failed has caught anything: tests that could not be run at all have not. */
function caughtBy(output) {
  const seed = /Error: Seed (\d+): (.*)/.exec(output);
  if (seed !== null) return `${(seed[2] ?? '').slice(0, 120)} | ${Number(seed[1]) + 1}`;
  const scenario = /FAIL\s+.*?test\.ts > (.*)/.exec(output);
  if (scenario === null) throw new Error(`the tests ended without a failed one: ${output.trim().slice(-400)}`);
  return `${scenario[1]} | scenario`;
}

function failed(name, why) {
  process.exitCode = 1;
  console.error(`${name}: ${why}`);
  return `NOT CAUGHT: ${why} |`;
}

function fail(message) {
  console.error(message);
  process.exit(2);
}

main();
