/**
 * A seed that fails opens with one command, in a house whose core has a mistake in it: a copy of the sources with a mutant's patch applied,
 * compiled, its page bundled.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithPeer } from '../../../test-support/peers.ts';
import { lookBy, picture, type Place } from './support/looking.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

interface Copy {
  apply(patch: string): string | null;
  compile(): string | null;
  run(command: string, args: readonly string[]): { readonly status: number; readonly stdout: string };
  remove(): void;
}

describeWithPeer('chromium', 'a seed that fails', () => {
  let copy: Copy;
  let place: Place;

  beforeAll(async () => {
    const { MutantCopy } = (await import(`${root}packages/sim/scripts/mutant-copy.mjs`)) as {
      MutantCopy: new () => Copy;
    };
    copy = new MutantCopy();
    const folder = copy.run('pwd', []).stdout.trim();
    place = { bin: join(folder, 'packages/cli/bin/quorate.cjs'), folder };
    const problem = copy.apply(join(root, 'packages/sim/mutants/quorum-of-one-less.patch')) ?? copy.compile();
    if (problem !== null) throw new Error(problem);
    const vite = join(root, 'node_modules/.bin/vite');
    const { status, stdout } = copy.run(vite, ['build', '--config', 'packages/debugger/vite.config.mjs']);
    if (status !== 0) throw new Error(`The page is not built: ${stdout}`);
  }, 240_000);

  afterAll(() => copy.remove());

  it('opens with the one command that it prints: the broken rule, its facts, logs, messages and what clients saw', async () => {
    const seeds = ['sim', '--seeds', '1', '--first-seed', '2', '--trace-dir', 'traces'];
    const ran = copy.run(process.execPath, [place.bin, ...seeds]);
    expect(ran.status).toBe(10);
    expect(ran.stdout).toMatch(/broke C3/);
    await lookBy(ran.stdout, place, async (page) => {
      await page.getByRole('button', { name: /✗ C3, step \d+/ }).waitFor({ timeout: 60_000 });
      await page.getByRole('img', { name: /s\d is leader in term 1/ }).waitFor();
      await picture(page, 'seed-cluster');
      await page.keyboard.press('y');
      await page.getByRole('heading', { name: /C3: a leader commits by counting only/ }).waitFor();
      await page.getByText(/entry 3\/1 is acknowledged by s2 s5/).waitFor();
      await picture(page, 'seed-why');
      await page.keyboard.press('2');
      await page
        .getByRole('button', { name: /entry 3 of term 1/ })
        .first()
        .waitFor();
      await page.keyboard.press('4');
      await page.getByText(/The run ended where an invariant broke/).waitFor();
      await page.keyboard.press('1');
      await page.keyboard.press('Home');
      for (let step = 0; step < 20; step++) await page.keyboard.press('n');
      await page.locator('.item', { hasText: 's1: faults' }).getByRole('button', { name: 'kill', exact: true }).click();
      await page.getByRole('button', { name: 's1 is killed', exact: true }).waitFor({ timeout: 60_000 });
    });
  }, 240_000);
});
