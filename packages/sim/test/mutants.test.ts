/** Mutants are patches against the sources, and must go on applying to them; that all of them are caught, `npm run mutants` shows. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = `${root}packages/sim/mutants/`;
const patches = readdirSync(folder).filter((name) => name.endsWith('.patch'));
const table = readFileSync(`${root}docs/mutants.md`, 'utf8');

/** Rows of docs/invariants.md: id, what holds, when, the mutants that break it. */
const invariants = readFileSync(`${root}docs/invariants.md`, 'utf8')
  .split('\n')
  .map((line) => /^\| ([A-M]\d*'?) \|.*\|([^|]*)\|$/.exec(line))
  .flatMap((row) => (row === null ? [] : [{ id: row[1] ?? '', mutants: row[2] ?? '' }]));

describe('every invariant', () => {
  test.each(invariants)('$id has a mutant that breaks it', ({ id, mutants }) => {
    const names = [...mutants.matchAll(/`([\w-]+)`/g)].map(([, name]) => `${name}.patch`);
    expect(names).not.toEqual([]);
    for (const name of names) {
      const caughtBy = /^Caught by: (.+)$/m.exec(readFileSync(folder + name, 'utf8'))?.[1];
      expect(caughtBy?.split(/[^\w']+/), name).toContain(id);
    }
  });
});

describe('every mutant', () => {
  test.each(patches)('%s has its header and its line in the table', (name) => {
    const patch = readFileSync(folder + name, 'utf8');
    expect(patch).toMatch(/^Mutant: .+\n(Known bugs: .+\n)?Caught by: .+\nEngine: \w+\n(Watched: .+\n)?\ndiff --git /);
    expect(table).toContain(`| \`${name.slice(0, -6)}\` |`);
  });

  test('every patch still applies and compiles; a few, other ones for every commit, are caught', async () => {
    // Fails, and shows what it says, when one does not.
    const args = ['packages/sim/scripts/mutants.mjs', '--check', '--few', '3'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
    expect(stdout.trim().split('\n')).toHaveLength(3);
  }, 240_000);
});
