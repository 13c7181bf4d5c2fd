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

/** What an engine runs, and with how many seeds it is tried, one after another. */
const engines = {
  storage: {
    command: (seeds) => ({ args: ['packages/sim/test/storage'], env: { QUORATE_STORAGE_SEEDS: String(seeds) } }),
    seeds: [40, 400, 1500],
  },
};

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
    for (const seeds of engine.seeds) {
      const { args, env } = engine.command(seeds);
      const bin = join(root, 'node_modules/.bin/vitest');
      const result = run(bin, ['run', ...args, '--bail=1', '--no-color', '--testTimeout=300000'], copy, {
        ...env,
        NO_COLOR: '1',
      });
      if (result.status !== 0) return caughtBy(result.stdout + result.stderr);
    }
    return failed(name, `it survived ${engine.seeds.at(-1)} seeds`);
  } finally {
    run('git', ['apply', '-R', patch], copy);
  }
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
  return spawnSync(command, args, { cwd, env: { ...process.env, ...env }, encoding: 'utf8', maxBuffer: 1 << 28 });
}

function fail(message) {
  console.error(message);
  process.exit(2);
}

main();
