// A copy of the sources that mutants are applied to: what is shipped is never touched.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** A mutant that sends the simulator in circles has not been caught. */
const timeout = 900_000;

export class MutantCopy {
  #folder = mkdtempSync(join(tmpdir(), 'quorate-mutants-'));

  constructor() {
    const { status, stdout, stderr } = spawn(
      'git',
      ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
      root,
    );
    if (status !== 0) throw new Error(`Mutants are applied to what git knows, and it says: ${stderr.trim()}`);
    for (const file of stdout.split('\0').filter((name) => name !== '')) {
      mkdirSync(dirname(join(this.#folder, file)), { recursive: true });
      cpSync(join(root, file), join(this.#folder, file));
    }
    this.#linkPackages();
    this.#allowUnused();
  }

  remove() {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Returns null, or why the patch does not apply. */
  apply(patch) {
    const { status, stderr } = this.run('git', ['apply', patch]);
    return status === 0 ? null : stderr.trim();
  }

  takeBack(patch) {
    const { status, stderr } = this.run('git', ['apply', '-R', patch]);
    if (status !== 0) throw new Error(`${patch} cannot be taken back: ${stderr.trim()}`);
  }

  /** Returns null, or what the compiler says. */
  compile() {
    const { status, stdout } = this.run(join(root, 'node_modules/.bin/tsc'), ['-b']);
    return status === 0 ? null : stdout.trim();
  }

  vitest(args, env = {}) {
    const bin = join(root, 'node_modules/.bin/vitest');
    return this.run(bin, ['run', ...args, '--bail=1', '--no-color'], { ...env, NO_COLOR: '1' });
  }

  run(command, args, env = {}) {
    return spawn(command, args, this.#folder, env);
  }

  /** The installed packages by links, with our own ones replaced by the copy's. */
  #linkPackages() {
    const modules = join(this.#folder, 'node_modules');
    mkdirSync(join(modules, '@quorate'), { recursive: true });
    const ours = ['@quorate', 'quorate'];
    for (const name of readdirSync(join(root, 'node_modules'))) {
      if (!ours.includes(name)) symlinkSync(join(root, 'node_modules', name), join(modules, name));
    }
    for (const name of readdirSync(join(this.#folder, 'packages'))) {
      symlinkSync(join(this.#folder, 'packages', name), join(modules, '@quorate', name));
      // What a package needs in another version than the rest is installed beside it.
      const own = join(root, 'packages', name, 'node_modules');
      if (existsSync(own)) symlinkSync(own, join(this.#folder, 'packages', name, 'node_modules'));
    }
  }

  /** A mutant may leave an import or a variable without use; whatever else does not compile is no mutant, but a mistake. */
  #allowUnused() {
    const file = join(this.#folder, 'tsconfig.base.json');
    const settings = readFileSync(file, 'utf8');
    const allowed = settings.replace(/("noUnused(?:Locals|Parameters)"): true/g, '$1: false');
    if (allowed === settings)
      throw new Error('tsconfig.base.json has no noUnusedLocals and noUnusedParameters to take back.');
    writeFileSync(file, allowed);
  }
}

export function spawn(command, args, cwd, env = {}) {
  return spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout,
  });
}
