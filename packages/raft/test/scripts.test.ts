/**
 * Interaction scripts: what a cluster does, told as a story and checked line by line. `QUORATE_REWRITE=1 npx vitest run
 * packages/raft/test/scripts.test.ts` writes down what happens now; read the difference before you commit it.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { env } from 'node:process';
import { describe, expect, test } from 'vitest';
import { runScript } from './support/script/runner.ts';

const folder = new URL('./scripts/', import.meta.url);
const rewrite = env['QUORATE_REWRITE'] === '1';

describe('interaction scripts', () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));

  test('are there', () => {
    expect(names.length).toBeGreaterThanOrEqual(25);
  });

  test.each(names)('%s', (name) => {
    const file = new URL(name, folder);
    const result = runScript(readFileSync(file, 'utf8'));
    if (rewrite) {
      writeFileSync(file, result);
    }
    expect(result).toBe(readFileSync(file, 'utf8'));
  });
});
