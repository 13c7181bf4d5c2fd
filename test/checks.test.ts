import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** A small house of its own, with the checks copied into it, so that each can be seen to refuse something. */
let house: string;

beforeEach(() => {
  house = mkdtempSync(join(tmpdir(), 'quorate-checks-'));
  for (const name of ['scripts', '.oxlintrc.json', 'tsconfig.base.json', 'types']) {
    cpSync(join(root, name), join(house, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(house, 'node_modules'));
  for (const room of ['raft', 'runtime', 'kv', 'client']) {
    cpSync(join(root, `packages/${room}/package.json`), join(house, `packages/${room}/package.json`));
  }
  cpSync(join(root, 'packages/raft/tsconfig.json'), join(house, 'packages/raft/tsconfig.json'));
});
afterEach(() => {
  rmSync(house, { recursive: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(house, path)), { recursive: true });
  writeFileSync(join(house, path), text);
}

function run(command: string, ...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: house, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

const check = (script: string, ...args: string[]): { status: number | null; output: string } =>
  run(process.execPath, `scripts/${script}.mjs`, ...args);

describe('the arrows between the rooms', () => {
  test('let an allowed import pass', () => {
    write('packages/runtime/src/loop.ts', `import { Raft } from '@quorate/raft';\nexport const core = Raft;\n`);
    expect(check('check-imports').output).toMatch(/^\d+ files\n$/);
  });

  test.each([
    ['kv imports raft', 'packages/kv/src/a.ts', `import '@quorate/raft';`, 'no arrow leads from kv to raft'],
    [
      'client imports all of kv',
      'packages/client/src/a.ts',
      `import '@quorate/kv';`,
      'no arrow leads from client to kv',
    ],
    ['an entry that is not exported', 'packages/client/src/a.ts', `import '@quorate/kv/mvcc';`, `exports no './mvcc'`],
    ['a path into another room', 'packages/kv/src/a.ts', `import '../../raft/src/b.ts';`, 'reaches outside'],
    ['raft imports Node.js', 'packages/raft/src/a.ts', `import 'node:fs';`, 'pure rooms know no Node.js'],
    [
      'a pure file imports the Node.js side',
      'packages/runtime/src/a.ts',
      `import './node/b.ts';`,
      'a pure file may not',
    ],
    [
      'a dependency that is not declared',
      'packages/client/src/a.ts',
      `import 'commander';`,
      'add commander to the dep',
    ],
    ['a third party in a pure room', 'packages/kv/src/a.ts', `export * from 'commander';`, 'no dependencies outside'],
    ['a built-in without its prefix', 'packages/client/src/a.ts', `import 'fs';`, 'with the node: prefix'],
    [
      'a computed import in a pure room',
      'packages/raft/src/a.ts',
      `await import(globalThis.name);`,
      'a computed import',
    ],
    ['a dynamic import', 'packages/raft/src/a.ts', `await import('@quorate/kv');`, 'no arrow leads from raft to kv'],
    ['a room without arrows', 'packages/attic/src/a.ts', `export const a = 1;`, 'give it its arrows'],
  ])('refuse: %s', (_, path, source, reason) => {
    write('packages/raft/src/b.ts', 'export const b = 1;\n');
    write('packages/runtime/src/node/b.ts', 'export const b = 1;\n');
    write('packages/attic/package.json', '{ "name": "@quorate/attic" }');
    write(path, source);
    const { status, output } = check('check-imports');
    expect(output).toContain(reason);
    expect(status).toBe(1);
  });

  test('refuse a cycle, and name it', () => {
    write('packages/raft/src/a.ts', `import { b } from './b.ts';\nexport const a = b;\n`);
    write('packages/raft/src/b.ts', `import { a } from './a.ts';\nexport const b = a;\n`);
    const { status, output } = check('check-imports');
    expect(output).toContain(
      'import cycle: packages/raft/src/a.ts -> packages/raft/src/b.ts -> packages/raft/src/a.ts',
    );
    expect(status).toBe(1);
  });
});

describe('the rules of the pure rooms', () => {
  /** What is wrong with each file, and the rule that says so. */
  const refused = {
    'clock.ts': ['export const a = Date.now();', 'no-restricted-globals'],
    'chance.ts': ['export const a = Math.random();', 'no-restricted-properties'],
    'rounding.ts': ['export const a = Math.log(2);', 'no-restricted-properties'],
    'locale.ts': [`export const a = 'a'.localeCompare('b');`, 'no-restricted-properties'],
    'timer.ts': ['setTimeout(() => undefined, 1);', 'no-restricted-globals'],
    'node.ts': [`import 'node:fs';`, 'no-restricted-imports'],
    'any.ts': ['export const a: any = 1;', 'no-explicit-any'],
    'default-export.ts': ['export default 1;', 'no-default-export'],
    'console.ts': [`console.log('a');`, 'no-console'],
    'floating.ts': ['async function f(): Promise<void> {}\nf();', 'no-floating-promises'],
    'swallowed.ts': ['try {\n  f();\n} catch {}\nfunction f(): void {}', 'no-empty'],
    'camelCase.ts': ['export const a = 1;', 'filename-case'],
  } as const;

  test('refuse what could make two runs differ, and what hides a mistake', () => {
    for (const [name, [source]] of Object.entries(refused)) write(`packages/raft/src/${name}`, `${source}\n`);
    const { status, output } = run(join(house, 'node_modules/.bin/oxlint'), '--format=agent', 'packages');
    for (const [name, [, rule]] of Object.entries(refused)) {
      const lines = output.split('\n').filter((line) => line.startsWith(`packages/raft/src/${name}:`));
      expect(lines.join('\n'), name).toContain(`(${rule})`);
    }
    expect(status).toBe(1);
  });

  test('let harmless code pass', () => {
    write('packages/raft/src/a.ts', 'export const a = Math.max(1, 2);\n');
    const { status, output } = run(join(house, 'node_modules/.bin/oxlint'), '--format=agent', 'packages');
    expect(output).not.toContain('error');
    expect(status).toBe(0);
  });
});

describe('the rest', () => {
  test('a file of more than 500 lines is refused', () => {
    write('packages/raft/src/long.ts', 'export {};\n'.repeat(501));
    expect(check('check-sizes')).toEqual({
      status: 1,
      output: expect.stringContaining('packages/raft/src/long.ts: 501 lines, at most 500') as string,
    });
  });

  test('a TODO is listed with its place, and refused without a reason', () => {
    write('packages/raft/src/a.ts', '// TODO: later\n// TODO(needs leases): expire them\n');
    expect(check('todos').output).toContain('packages/raft/src/a.ts:2: // TODO(needs leases): expire them');
    const { status, output } = check('todos', '--check');
    expect(output).toContain('packages/raft/src/a.ts:1: // TODO: later');
    expect(output).not.toContain('a.ts:2');
    expect(status).toBe(1);
  });

  test('a limit that docs/limits.md does not quote as the source has it is refused', () => {
    const options = (value: string): string =>
      `export interface Options {\n  /** Bytes that may wait. */\n  maxBytes: number;\n}\nexport const defaultOptions = { maxBytes: ${value} };\n`;
    mkdirSync(join(house, 'docs'));
    write('packages/raft/src/options.ts', options('4 << 20'));
    expect(check('limits', '--check').output).toContain('docs/limits.md is not what the sources say');
    expect(check('limits').status).toBe(0);
    expect(readFileSync(join(house, 'docs/limits.md'), 'utf8')).toContain(
      '| `maxBytes` | `4 << 20` (4 MiB) | Bytes that may wait. |',
    );
    expect(check('limits', '--check')).toEqual({ status: 0, output: '' });
    write('packages/raft/src/options.ts', options('8 << 20'));
    expect(check('limits', '--check').status).toBe(1);
  });

  test("a lock that names a registry or lacks a platform's binary is refused, and put right", () => {
    write('package.json', '{ "devDependencies": { "tool": "1.2.3" } }');
    const packages = {
      'node_modules/tool': {
        version: '1.2.3',
        resolved: 'https://registry.example/tool-1.2.3.tgz',
        dev: true,
        optionalDependencies: { '@tool/linux-x64-musl': '1.2.3' },
      },
    };
    write('package-lock.json', JSON.stringify({ packages }));
    const refused = check('lock', '--check');
    expect(refused.output).toContain(`names a registry's address for node_modules/tool`);
    expect(refused.output).toContain('lacks node_modules/@tool/linux-x64-musl');
    expect(refused.status).toBe(1);
    expect(check('lock').status).toBe(0);
    expect(check('lock', '--check')).toEqual({ status: 0, output: '' });
    write('package.json', '{ "devDependencies": { "tool": "^1.2.3" } }');
    expect(check('lock', '--check')).toEqual({
      status: 1,
      output: 'package.json: tool is "^1.2.3", give its exact version\n',
    });
  });
});
