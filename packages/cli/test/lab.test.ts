import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { quorate } from './support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorate-lab-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('quorate lab init', () => {
  test('writes a skeleton that lab run then judges', async () => {
    const home = join(folder, 'my-raft');
    expect(await quorate(['lab', 'init', home])).toMatchObject({ code: 0, err: '' });
    expect(existsSync(join(home, 'raft.js'))).toBe(true);
    const ran = await quorate(['lab', 'run', '--impl', home, '--test', 'InitialElection']);
    expect(ran.code).toBe(1);
    expect(ran.out).toMatch(/--- FAIL: InitialElection[^]*expected one leader within five seconds, got none/);
  });

  test('refuses a folder that is not empty', async () => {
    const ran = await quorate(['lab', 'init', folder]);
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/is not empty. Name a new folder/);
  });
});
