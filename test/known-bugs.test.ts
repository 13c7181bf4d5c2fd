/** docs/known-bugs.md and docs/invariants.md say what is tested and checked; here they are held to it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const page = (name: string): string => readFileSync(join(root, 'docs', name), 'utf8');

/** `file` "name of a test", or `file` alone for a script. */
function scenarios(text: string): readonly { file: string; name: string | null }[] {
  return [...text.matchAll(/`(packages\/[^`]+\.(?:test\.ts|txt))`(?: "([^"]+)")?/g)].map(([, file = '', name]) => ({
    file,
    name: name ?? null,
  }));
}

function missing({ file, name }: { readonly file: string; readonly name: string | null }): boolean {
  const path = join(root, file);
  if (!existsSync(path)) return true;
  return name !== null && !readFileSync(path, 'utf8').includes(`'${name}'`);
}

test('every scenario that is named against a known bug exists', () => {
  expect(scenarios(page('known-bugs.md')).length).toBeGreaterThan(100);
  expect(scenarios(page('known-bugs.md')).filter(missing)).toEqual([]);
});

test('all ninety-one known bugs have an answer', () => {
  const rows = [...page('known-bugs.md').matchAll(/^\| ([A-Z]\d+) \| (.+) \| (.+) \|$/gm)];
  expect(new Set(rows.map(([, id]) => id)).size).toBe(91);
  const answers = rows.map(([, id, , here]) => ({ id, here: here ?? '' }));
  const isAnswer = (here: string): boolean => scenarios(here).length > 0 || /^(Cannot occur|not yet): \w/.test(here);
  expect(answers.filter(({ here }) => !isAnswer(here))).toEqual([]);
});

test('the invariants that the documents list are those that are checked', () => {
  const folders = ['invariants', 'campaign', 'linearizability'].map((name) => join(root, 'packages/sim/src', name));
  const code = folders.flatMap((folder) => readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8')));
  const thrown = code.flatMap((text) => [...text.matchAll(/['"]([A-H]\d+'?|M1?)['"]/g)].map(([, id = '']) => id));
  const listed = [...page('invariants.md').matchAll(/^\| ([A-H]\d+'?|M1?) \|/gm)].map(([, id = '']) => id);
  // Counted by quorums in A7, C3 and C4.
  const within = new Set(['F5', 'F6']);
  expect(listed.filter((id) => !within.has(id) && !thrown.includes(id))).toEqual([]);
  const elsewhere = new Set(['H1', 'H2', 'H5']);
  expect([...new Set(thrown)].filter((id) => !listed.includes(id) && !elsewhere.has(id))).toEqual([]);
});
