import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { invariantLines } from '../src/engine/invariant-list.ts';
import { codeVersion } from '../src/engine/version.ts';

const root = join(import.meta.dirname, '../../..');

describe('what the page says and other places say as well', () => {
  it('every invariant has the sentence that docs/invariants.md has', () => {
    const sentences = new Map<string, string>();
    for (const line of readFileSync(join(root, 'docs/invariants.md'), 'utf8').split('\n')) {
      const [, id, sentence] = /^\| ([A-H]\d+'?) \| (.*?) \| [^|]* \| `/.exec(line) ?? [];
      if (id !== undefined && sentence !== undefined) sentences.set(id, plain(sentence));
    }
    for (const { id, sentence } of invariantLines) expect(sentences.get(id), id).toBe(sentence);
  });

  it('traces are of the version in package.json', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'packages/debugger/package.json'), 'utf8')) as {
      version: string;
    };
    expect(codeVersion).toBe(version);
  });
});

/** Without links, of which those in brackets at the end only name a file, and without code marks. */
function plain(sentence: string): string {
  return sentence
    .replaceAll(/ ?\(\[[^\]]*\]\([^)]*\)(?:, [^)]*)?\)/g, '')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[`*]/g, '')
    .trim();
}
