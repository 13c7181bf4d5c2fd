import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
}

interface Package {
  readonly folder: string;
  readonly manifest: Manifest;
  /** What `npm pack` would put in the archive. */
  readonly files: readonly string[];
}

const packages = readPackages();

function readPackages(): readonly Package[] {
  const { status, stdout, stderr } = spawnSync('npm', ['pack', '--dry-run', '--json', '--workspaces', '--silent'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`npm pack failed: ${stderr}`);
  const packed = JSON.parse(stdout) as { name: string; files: { path: string }[] }[];
  return readdirSync(join(root, 'packages')).map((name) => {
    const folder = join(root, 'packages', name);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
    const files = packed.find((each) => each.name === manifest.name)?.files.map((file) => file.path);
    if (files === undefined) throw new Error(`npm pack left out ${manifest.name}: is it in the workspaces?`);
    return { folder, manifest, files };
  });
}

/** What another program imports of a package: '@quorate/kv', '@quorate/kv/api', … */
function entriesOf({ manifest }: Package): readonly string[] {
  return Object.keys(manifest.exports)
    .filter((subpath) => subpath !== './package.json')
    .map((subpath) => manifest.name + subpath.slice(1));
}

describe.each(packages)('$manifest.name', ({ folder, files }) => {
  test('has nothing for publint to say', async () => {
    const { messages, pkg } = await publint({
      pkgDir: 'package',
      strict: true,
      pack: {
        files: files.map((path) => ({
          name: `package/${path}`,
          data: Uint8Array.from(readFileSync(join(folder, path))),
        })),
      },
    });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  test('ships what it was built to, and nothing else', () => {
    const foreign = files.filter(
      (path) =>
        !/^(?:dist\/.+\.(?:js|d\.ts)(?:\.map)?|dist\/page\/.+\.(?:html|css|svg)|src\/.+|bin\/.+|templates\/.+|package\.json|README\.md|LICENSE)$/.test(
          path,
        ),
    );
    expect(foreign).toEqual([]);
    expect(
      files.filter((path) => path.startsWith('dist/')),
      'dist/ is missing: npm run build',
    ).not.toEqual([]);
  });
});

describe('a project that installs the packages', () => {
  let project: string;

  // Thousands of files: a busy disk takes its time over them.
  const filesTimeout = 120_000;
  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), 'quorate-packages-'));
    for (const each of packages) install(each);
  }, filesTimeout);
  afterAll(() => {
    rmSync(project, { recursive: true });
  }, filesTimeout);

  /** Puts the packed files where npm would, and links the third parties that the manifest names, only those. */
  function install({ folder, manifest, files }: Package): void {
    const target = join(project, 'node_modules', manifest.name);
    for (const path of files) cpSync(join(folder, path), join(target, path));
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      if (packages.some((each) => each.manifest.name === name)) continue;
      const link = join(target, 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(root, 'node_modules', name), link);
    }
  }

  const entries = packages.flatMap(entriesOf);

  test.each(entries)('imports %s', (entry) => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', `await import('${entry}')`],
      {
        cwd: project,
        encoding: 'utf8',
      },
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test('runs the command', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'packages/cli/package.json'), 'utf8')) as {
      version: string;
    };
    const command = join(project, 'node_modules/quorate/bin/quorate.cjs');
    expect(execFileSync(process.execPath, [command, '--version'], { cwd: project, encoding: 'utf8' })).toContain(
      version,
    );
  });

  test('type-checks against them, declarations included', () => {
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
    const lines = entries.map((entry, index) => `import * as entry${index} from '${entry}';\nvoid entry${index};\n`);
    writeFileSync(join(project, 'main.ts'), lines.join(''));
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
    const types = ['--typeRoots', join(root, 'node_modules/@types')];
    const { stdout, status } = spawnSync(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), ...options, ...types, 'main.ts'],
      {
        cwd: project,
        encoding: 'utf8',
      },
    );
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });
});

describe('what runs in a browser', () => {
  /** Every module outside the house that a built entry imports, directly or through the house. */
  function foreignImports(entry: string): unknown {
    const script = join(root, 'scripts/foreign-imports.mjs');
    return JSON.parse(execFileSync(process.execPath, [script, entry], { encoding: 'utf8' }));
  }

  test.each(['@quorate/raft', '@quorate/runtime', '@quorate/kv', '@quorate/kv/api'])(
    '%s imports nothing else',
    (entry) => {
      expect(foreignImports(entry)).toEqual([]);
    },
  );

  test('the walk sees an import of Node.js where there is one', () => {
    expect(foreignImports('@quorate/runtime/node')).toContain('node:fs');
  });
});
