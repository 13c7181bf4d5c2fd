/** What a host needs to run servers: the packages of this very build as they are installed, without what only draws. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { EvaluationError } from '../errors.ts';

const run = promisify(execFile);

/** Below a directory that holds the build. */
export const ENTRY_THERE = 'node_modules/quorate/bin/quorate.cjs';
export const AGENT_THERE = 'node_modules/@quorate/evaluation/dist/agent/main.js';
/** Third parties of this package draw plots, partly by code for this machine's processor. */
const DRAWS = '@quorate/evaluation';

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Packs the build that `entry` belongs to into an archive below `home`; resolves with its path. */
export async function packBuild(entry: string, home: string): Promise<string> {
  const stage = join(home, 'build');
  const archive = join(home, 'build.tgz');
  copyPackage(dirname(dirname(realpathSync(entry))), stage, new Map());
  try {
    // Without what macOS would add of its own.
    await run('tar', ['-czf', archive, '-C', stage, '.'], { env: { ...process.env, COPYFILE_DISABLE: '1' } });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EvaluationError('BadBuild', `The build for the hosts cannot be packed: ${reason}`, { cause });
  }
  rmSync(stage, { recursive: true });
  return archive;
}

/** Copies a package and all that it depends on to `stage`, flat. */
function copyPackage(directory: string, stage: string, done: Map<string, string>): void {
  const { name, dependencies = {} } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;
  const before = done.get(name);
  if (before !== undefined && before !== directory)
    throw new EvaluationError('BadBuild', `${name} is installed twice, in ${before} and ${directory}: npm dedupe.`);
  if (before !== undefined) return;
  done.set(name, directory);
  const to = join(stage, 'node_modules', name);
  mkdirSync(to, { recursive: true });
  const parts = isOurs(name) ? ['package.json', 'bin', 'dist'] : ['.'];
  for (const part of parts.filter((each) => existsSync(join(directory, each))))
    cpSync(join(directory, part), join(to, part), { recursive: true, filter: (file) => isNeeded(file, directory) });
  for (const dependency of Object.keys(dependencies)) {
    if (name === DRAWS && !isOurs(dependency)) continue;
    copyPackage(findPackage(dependency, directory), stage, done);
  }
}

function isOurs(name: string): boolean {
  return name === 'quorate' || name.startsWith('@quorate/');
}

function isNeeded(file: string, directory: string): boolean {
  return file === directory || !/^(node_modules|\.tsbuildinfo.*|.*\.d\.[cm]?ts|.*\.map)$/.test(basename(file));
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
