/** A scenario of the lab that fails opens with one command. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeTrace, readSeenRun, type SeenRun } from '@quorate/sim';
import { describeWithPeer } from '../../../test-support/peers.ts';
import { QUORATE_ENTRY } from '../src/programs.ts';
import { quorate } from './support/command.ts';
import { lookBy, picture } from './support/looking.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorate-lab-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const wrong = fileURLToPath(new URL('../../lab/implementations/wrong/', import.meta.url));

const races = fileURLToPath(new URL('../../lab/implementations/races/', import.meta.url));

function runOf(path: string): SeenRun {
  const { header, records } = decodeTrace(readFileSync(path, 'utf8').split('\n'));
  return readSeenRun(header, records);
}

function labRun(impl: string, ...more: readonly string[]): ReturnType<typeof quorate> {
  return quorate(['lab', 'run', '--impl', join(wrong, impl), '--page-dir', folder, ...more]);
}

describe('a scenario that fails', () => {
  it('is run again and written down, all that can be seen of it', async () => {
    const { code, out } = await labRun('votes-by-length.mjs', '--test', 'Backup');
    expect(code).toBe(1);
    const path = join(folder, 'lab-Backup-seed-1.json');
    expect(out).toContain(`Backup, seed 1, step by step in a browser: quorate debug ${path}`);
    const run = runOf(path);
    expect(out).toContain(run.failure);
    const kinds = new Set(run.events.map(({ event }) => event.kind));
    for (const kind of ['start', 'links', 'call', 'called', 'answer', 'answered', 'unanswered', 'state', 'propose'])
      expect(kinds).toContain(kind);
    expect((await quorate(['sim', 'replay', path])).err).toContain('look at it with quorate debug');
  });

  it('looked through for races is run again in the same orders', async () => {
    const impl = join(races, 'next-index-of-now.mjs');
    const flags = ['--test', 'Figure8Unreliable', '--race', '--page-dir', folder];
    const { code, out } = await quorate(['lab', 'run', '--impl', impl, ...flags]);
    expect(code).toBe(1);
    const path = join(folder, 'lab-Figure8Unreliable-seed-1-race.json');
    expect(out).toContain(`Figure8Unreliable, seed 1, step by step in a browser: quorate debug ${path}`);
    expect(out).not.toContain('It went another way');
    const run = runOf(path);
    expect(out).toContain(run.failure);
    expect(run.title).toMatch(/^Figure8Unreliable, seed 1, order \d: /);
    expect(run.remark).toMatch(/order \d of the 6 that are tried/);
  });

  it('in real time is not run again, and it says what can be had', async () => {
    const stalled = join(folder, 'stalled.mjs');
    writeFileSync(stalled, "export const make = () => { throw new Error('not today'); };");
    const { code, out } = await quorate(['lab', 'run', '--impl', stalled, '--test', 'Rejoin', '--real-time']);
    expect(code).toBe(1);
    expect(out).toContain('real time cannot be run again as it was');
    expect(out).toContain(`it opens in a browser: quorate lab run --impl ${stalled} --test Rejoin --seed 1`);
  });
});

describe('a search that fails', () => {
  it.each([
    ['votes-by-length.mjs', 'SearchLongerLog', 'all servers apply the same commands', /found and shortened/],
    ['candidate-ignores-leader.mjs', 'SearchCandidate', 'some order of events leads to each goal', /came nearest/],
  ])('is written down as the way there: %s', async (impl, name, rule, remark) => {
    const { code, out } = await labRun(impl, '--test', name);
    expect(code).toBe(1);
    const path = join(folder, `lab-${name}-seed-1.json`);
    expect(out).toContain(`${name}, seed 1, step by step in a browser: quorate debug ${path}`);
    const { failure, finding, remark: said, events } = runOf(path);
    expect(out).toContain(failure);
    expect(finding?.rule).toBe(rule);
    expect(said).toMatch(remark);
    const times = new Set(events.map(({ at }) => at));
    const told = [...out.matchAll(/^ +(\d+) {2}\S/gm)].length;
    expect(told).toBeGreaterThan(10);
    expect(times.size).toBeGreaterThanOrEqual(told);
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

describeWithPeer('chromium', 'a search that failed', () => {
  it('shows both leaders of one term, and how the second came to it', async () => {
    const { out } = await labRun('stale-vote-counted.mjs', '--test', 'SearchLateVote');
    await lookBy(out, { bin: QUORATE_ENTRY, folder }, async (page) => {
      await page.getByRole('button', { name: /✗ test, step \d+/ }).waitFor({ timeout: 30_000 });
      const remark = page.getByText(/Steps stand a millisecond apart/);
      await remark.waitFor();
      await page.getByRole('button', { name: 'Close' }).click();
      await remark.waitFor({ state: 'detached' });
      await page.keyboard.press('5');
      await page.getByRole('heading', { name: '✗ test: a term has at most one leader' }).waitFor();
      await page.getByText(/^s\d led term \d$/).waitFor();
      await page.getByText(/^s\d leads it too$/).waitFor();
      await picture(page, 'lab-search');
      await page
        .getByRole('button', { name: /^go to step/ })
        .last()
        .click();
      await page.keyboard.press('1');
      await page
        .locator('.inspector .headline')
        .getByText(/requestVoteReply .* arrives/)
        .waitFor();
      await page.keyboard.press('3');
      await picture(page, 'lab-search-space-time');
    });
  }, 120_000);
});

describeWithPeer('chromium', 'a race that was found', () => {
  it('opens in the order in which it fails', async () => {
    const impl = join(races, 'candidacy-is-state.mjs');
    const { out } = await quorate([
      'lab',
      'run',
      '--impl',
      impl,
      '--test',
      'InitialElection',
      '--race',
      '--page-dir',
      folder,
    ]);
    await lookBy(out, { bin: QUORATE_ENTRY, folder }, async (page) => {
      await page.getByRole('button', { name: /✗ test, step \d+/ }).waitFor({ timeout: 30_000 });
      await page.getByText(/Looked through for races/).waitFor();
      await page.keyboard.press('5');
      await page.getByRole('heading', { name: /✗ test: InitialElection, seed 1, order \d/ }).waitFor();
    });
  }, 120_000);
});
