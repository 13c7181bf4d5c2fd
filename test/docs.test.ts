import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { etcdErrors } from '@quorate/kv';
import { describe, expect, test } from 'vitest';
import { declaredSymbols, unionOf } from '../test-support/declarations.ts';

const root = join(import.meta.dirname, '..');

const pages = [
  ...['README.md', 'CONTRIBUTING.md'].map((name) => join(root, name)),
  ...pagesBelow(join(root, 'docs')),
  ...readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name, 'README.md')),
].filter((path) => existsSync(path));

function pagesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
}

interface Link {
  readonly text: string;
  readonly target: string;
  readonly anchor: string;
}

/** The links of a page that lead to files of this repository. */
function linksOf(page: string): readonly Link[] {
  const text = readFileSync(page, 'utf8').replaceAll(/^```.*?^```/gms, '');
  return [...text.matchAll(/\[([^\]]*)\]\(([^)\s#]*)(?:#([^)\s]*))?\)/g)]
    .map(([, label = '', target = '', anchor = '']) => ({ text: label, target, anchor }))
    .filter(({ target }) => !/^[a-z]+:/.test(target));
}

/** The anchors that GitHub gives to the headings of a page. */
function anchorsOf(page: string): readonly string[] {
  const headings = readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** [`Owner.member()`](…/file.ts) -> 'Owner.member'; null for a link that names no symbol. */
function symbolOf({ text, target }: Link): string | null {
  return target.endsWith('.ts') ? (/^`([A-Za-z_$][\w.$#]*)(?:\(\))?`$/.exec(text)?.[1] ?? null) : null;
}

describe.each(pages.map((page) => [relative(root, page), page]))('%s', (_, page) => {
  test('links to what is there', () => {
    const broken = linksOf(page).filter(({ target, anchor }) => {
      const path = target === '' ? page : join(dirname(page), target);
      return !existsSync(path) || (anchor !== '' && path.endsWith('.md') && !anchorsOf(path).includes(anchor));
    });
    expect(broken).toEqual([]);
  });

  test('names functions that exist where it says', () => {
    const missing = linksOf(page).filter((link) => {
      const symbol = symbolOf(link);
      return symbol !== null && !declaredSymbols(join(dirname(page), link.target)).includes(symbol);
    });
    expect(missing).toEqual([]);
  });

  test('names npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
    const named = [...readFileSync(page, 'utf8').matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

test('docs/architecture.md names functions at all', () => {
  const named = linksOf(join(root, 'docs/architecture.md')).filter((link) => symbolOf(link) !== null);
  expect(named.length).toBeGreaterThan(10);
});

describe('docs/errors.md', () => {
  const page = join(root, 'docs/errors.md');
  /** Each section names what declares its codes, a union or an object, [`name`](path), and has one row for each. */
  const sections = readFileSync(page, 'utf8')
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [, type = '', path = ''] = /\[`([\w.]+)`\]\(([^)]+\.ts)\)/.exec(section) ?? [];
      const codes = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, code = '']) => code);
      return { type, path, codes };
    });

  function declaredCodes(path: string, name: string): readonly string[] {
    const members = declaredSymbols(path).filter((symbol) => symbol.startsWith(`${name}.`));
    return members.length > 0 ? members.map((symbol) => symbol.slice(name.length + 1)) : unionOf(path, name);
  }

  test.each(sections)('has each code of $type once, and no other', ({ type, path, codes }) => {
    expect(codes.toSorted()).toEqual(declaredCodes(join(dirname(page), path), type).toSorted());
  });

  test("quotes etcd's texts", () => {
    const rows = [...readFileSync(page, 'utf8').matchAll(/^\| `(\w+)` \| (etcdserver: .*) \|$/gm)];
    const texts = Object.fromEntries(rows.map(([, name = '', text = '']) => [name, text]));
    expect(texts).toEqual(Object.fromEntries(Object.entries(etcdErrors).map(([name, { message }]) => [name, message])));
  });
});
