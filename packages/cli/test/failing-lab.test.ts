/** A scenario of the lab that fails opens with one command. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeTrace, readSeenRun } from '@quorate/sim';
import { describeWithPeer } from '../../../test-support/peers.ts';
import { QUORATE_ENTRY } from '../src/programs.ts';
import { quorate } from './support/command.ts';
import { lookBy, picture } from './support/looking.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorate-lab-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const wrong = fileURLToPath(new URL('../../lab/implementations/wrong/', import.meta.url));

function labRun(impl: string, ...more: readonly string[]): ReturnType<typeof quorate> {
  return quorate(['lab', 'run', '--impl', join(wrong, impl), '--page-dir', folder, ...more]);
}

describe('a scenario that fails', () => {
  it('is run again and written down, all that can be seen of it', async () => {
    const { code, out } = await labRun('votes-by-length.mjs', '--test', 'Backup');
    expect(code).toBe(1);
    const path = join(folder, 'lab-Backup-seed-1.json');
    expect(out).toContain(`Backup, seed 1, step by step in a browser: quorate debug ${path}`);
    const { header, records } = decodeTrace(readFileSync(path, 'utf8').split('\n'));
    const run = readSeenRun(header, records);
    expect(out).toContain(run.failure);
    const kinds = new Set(run.events.map(({ event }) => event.kind));
    for (const kind of ['start', 'links', 'call', 'called', 'answer', 'answered', 'unanswered', 'state', 'propose'])
      expect(kinds).toContain(kind);
    expect((await quorate(['sim', 'replay', path])).err).toContain('look at it with quorate debug');
  });

  it('in real time or looked through for races is not, and it says how it can be', async () => {
    const { out } = await labRun('votes-by-length.mjs', '--test', 'Backup', '--race');
    expect(out).toContain('run it in virtual time: without --real-time and --race');
  });
});

describeWithPeer('chromium', 'a scenario that failed', () => {
  it('shows what two servers applied at one index, and how it came to that', async () => {
    const { out } = await labRun('old-term-commit.mjs', '--test', 'Figure8');
    await lookBy(out, { bin: QUORATE_ENTRY, folder }, async (page) => {
      await page.getByRole('button', { name: /✗ test, step \d+/ }).waitFor({ timeout: 30_000 });
      await page.getByText('A run of a Raft in the lab can be looked at').waitFor();
      await page.keyboard.press('2');
      await page.getByRole('button', { name: /^s4, entry 18 of term 21, durable/ }).waitFor();
      await page.getByRole('button', { name: /^s1, entry 18 of term 20, durable/ }).waitFor();
      await picture(page, 'lab-logs');
      await page.keyboard.press('3');
      await page.getByText(/fold heartbeats \(\d+ steps\)/).waitFor();
      await picture(page, 'lab-space-time');
      await page.keyboard.press('4');
      await page.getByText(/The test found: server 4 applied/).waitFor();
      await page.keyboard.press('5');
      await page.getByRole('heading', { name: 'How the one led to the other' }).waitFor();
      await picture(page, 'lab-why');
      await page
        .getByRole('button', { name: /^go to step/ })
        .first()
        .click();
      await page
        .locator('.inspector .headline')
        .getByText(/arrives/)
        .waitFor();
    });
  }, 120_000);
});
