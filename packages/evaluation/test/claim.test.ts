import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claim } from '../src/run/claim.ts';
import { codeOf } from './support/errors.ts';

describe('A directory of results', () => {
  let out = '';
  let file = '';
  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), 'quorate-claim-'));
    file = join(out, 'running');
  });
  afterEach(() => rmSync(out, { recursive: true }));

  it('belongs to one run at a time, which gives it back', () => {
    const release = claim(out);
    expect(codeOf(() => claim(out))).toBe('OutInUse');
    expect(() => claim(out)).toThrow(new RegExp(`Process ${process.pid} .*--out`));
    release();
    expect(existsSync(file)).toBe(false);
    claim(out)();
  });

  it('is taken over from a process that is gone', async () => {
    const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await once(gone, 'exit');
    writeFileSync(file, String(gone.pid));
    const release = claim(out);
    expect(readFileSync(file, 'utf8')).toBe(String(process.pid));
    release();
  });

  it('is taken over where nobody says who wrote there', () => {
    writeFileSync(file, '');
    claim(out)();
    expect(existsSync(file)).toBe(false);
  });
});
