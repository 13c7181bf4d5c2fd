/** Mutants are patches against the sources, and must go on applying to them; whether each is caught is `npm run mutants`. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = `${root}packages/sim/mutants/`;
const patches = readdirSync(folder).filter((name) => name.endsWith('.patch'));
const table = readFileSync(`${root}docs/mutants.md`, 'utf8');

describe('every mutant', () => {
  test.each(patches)('%s still applies, has its header and its line in the table', (name) => {
    const patch = readFileSync(folder + name, 'utf8');
    expect(patch).toMatch(/^Mutant: .+\n(Known bugs: .+\n)?Caught by: .+\nEngine: \w+\n\ndiff --git /);
    // Throws, and shows what git says, when it does not apply.
    execFileSync('git', ['apply', '--check', folder + name], { cwd: root, stdio: 'pipe' });
    expect(table).toContain(`| \`${name.slice(0, -6)}\` |`);
  });
});
