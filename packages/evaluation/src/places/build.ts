/** What a host needs to run servers: the packages of this very build as they are installed, without what only draws. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { EvaluationError } from '../errors.ts';

const run = promisify(execFile);

/** Below a directory that holds the build. */
export const ENTRY_THERE = 'node_modules/quorate/bin/quorate.cjs';
export const AGENT_THERE = 'node_modules/@quorate/evaluation/dist/agent/main.js';
/** Third parties of this package draw plots, partly by code for this machine's processor. */
const DRAWS = '@quorate/evaluation';
/** Of each package: nested packages are put beside it, and the rest is for developers. */
const UNNEEDED = /^(node_modules|\.tsbuildinfo.*|.*\.d\.[cm]?ts|.*\.map)$/;

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Packs the build that `entry` belongs to into an archive below `home`; resolves with its path. */
export async function packBuild(entry: string, home: string): Promise<string> {
  const stage = join(home, 'build');
  const archive = join(home, 'build.tgz');
  stagePackage(dirname(dirname(realpathSync(entry))), stage, new Map());
  try {
    // Without what macOS would add of its own.
    await run('tar', ['-czhf', archive, '-C', stage, '.'], { env: { ...process.env, COPYFILE_DISABLE: '1' } });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EvaluationError('BadBuild', `The build for the hosts cannot be packed: ${reason}`, { cause });
  }
  rmSync(stage, { recursive: true });
  return archive;
}

/** Puts a package and all that it depends on below `stage`, flat. */
function stagePackage(directory: string, stage: string, done: Map<string, string>): void {
  const { name, dependencies = {} } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;
  const before = done.get(name);
  if (before !== undefined && before !== directory)
    throw new EvaluationError('BadBuild', `${name} is installed twice, in ${before} and ${directory}: npm dedupe.`);
  if (before !== undefined) return;
  done.set(name, directory);
  const parts = isOurs(name) ? ['package.json', 'bin', 'dist'] : readdirSync(directory);
  for (const part of parts) link(join(directory, part), join(stage, 'node_modules', name, part));
  for (const dependency of Object.keys(dependencies)) {
    if (name === DRAWS && !isOurs(dependency)) continue;
    stagePackage(findPackage(dependency, directory), stage, done);
  }
}

function isOurs(name: string): boolean {
  return name === 'quorate' || name.startsWith('@quorate/');
}

/** Makes `to` what `from` is, without what is of no use there. Links, not copies: tar follows them. */
function link(from: string, to: string): void {
  if (UNNEEDED.test(basename(from)) || !existsSync(from)) return;
  if (statSync(from).isDirectory()) {
    for (const name of readdirSync(from)) link(join(from, name), join(to, name));
  } else {
    mkdirSync(dirname(to), { recursive: true });
    symlinkSync(from, to);
  }
}

/** Where Node.js would find it from there. */
function findPackage(name: string, from: string): string {
  for (let at = from; ; at = dirname(at)) {
    const found = join(at, 'node_modules', name);
    if (existsSync(join(found, 'package.json'))) return realpathSync(found);
    if (at === dirname(at))
      throw new EvaluationError('BadBuild', `${name} is not installed beside ${from}. Install Quorate anew.`);
  }
}
