/** docs/raft.md against the core. That links lead somewhere and functions exist where it says is held for every page (docs.test.ts). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/raft.md'), 'utf8');
const [rules = '', departures = ''] = page.split('## Departures');

/** The cells of the tables whose head begins with that cell. */
function rowsOf(text: string, head: string): readonly (readonly string[])[] {
  const tables = text.split(/\n\n/).filter((part) => part.startsWith(`| ${head} |`));
  return tables.flatMap((table) => table.trim().split('\n').slice(2)).map((line) => line.split('|').slice(1, -1));
}

describe('docs/raft.md', () => {
  const rows = rowsOf(rules, 'rule');

  test('gives each rule a function, an invariant and a story', () => {
    expect(rows.length).toBeGreaterThan(60);
    const bare = rows.filter(([, code = '', invariant = '', story = '']) => {
      return !/\.ts\)|\.md/.test(code) || !/^ [A-Z]\d/.test(invariant) || !/\]\(\.\.\/packages\//.test(story);
    });
    expect(bare).toEqual([]);
  });

  test('names invariants that there are', () => {
    const invariants = readFileSync(join(root, 'docs/invariants.md'), 'utf8');
    const named = rows.flatMap(([, , cell = '']) => cell.split(',').map((each) => each.trim()));
    const missing = named.filter((id) => !new RegExp(`(^\\| ${id} \\||\\b${id}\\b)`, 'm').test(invariants));
    expect(missing).toEqual([]);
  });

  test('gives each departure a reason and a story', () => {
    const all = rowsOf(`\n\n${departures}`.replace(/^\n+/, '\n\n'), 'departure');
    expect(all.length).toBeGreaterThan(15);
    expect(all.filter(([, why = '', shown = '']) => why.trim() === '' || !shown.includes('.txt)'))).toEqual([]);
  });

  test('leaves out no script', () => {
    const scripts = readdirSync(join(root, 'packages/raft/test/scripts')).filter((name) => name.endsWith('.txt'));
    expect(scripts.filter((name) => !page.includes(`/test/scripts/${name})`))).toEqual([]);
  });

  test('leaves out no file of the core that carries out rules', () => {
    const files = readdirSync(join(root, 'packages/raft/src')).filter((name) => !plumbing.has(name));
    expect(files.filter((name) => !page.includes(`/raft/src/${name})`))).toEqual([]);
  });
});

/** What belongs to no rule: how things are written down, collected and shown. */
const plumbing = new Set([
  'configuration-codec.ts',
  'index.ts',
  'invariant.ts',
  'outbox.ts',
  'recovered.ts',
  'send.ts',
  'status.ts',
  'weight.ts',
]);
