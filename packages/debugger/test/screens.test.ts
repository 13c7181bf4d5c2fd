/**
 * Every screen, opened and looked into. With QUORATE_SCREENSHOTS=1 the pictures of docs/debugger.md are taken anew:
 *
 *   QUORATE_SCREENSHOTS=1 npx vitest run packages/debugger/test/screens.test.ts
 */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWithPeer } from '../../../test-support/peers.ts';
import { PageHouse, pressTo, stepOf } from './support/browser.ts';
import { figureEight } from './support/figure-eight.ts';

const images = join(import.meta.dirname, '../../../docs/images');
const isTaking = process.env['QUORATE_SCREENSHOTS'] === '1';

async function picture(page: Page, name: string): Promise<void> {
  if (isTaking) await page.screenshot({ path: join(images, `debugger-${name}.png`) });
}

async function choose(page: Page, item: string, choice: string): Promise<void> {
  await page.locator('.item', { hasText: item }).first().getByRole('button', { name: choice, exact: true }).click();
}

/** A cluster in which something has happened: a leader, entries, a read, a crash, another leader. */
async function eventful(page: Page): Promise<void> {
  await pressTo(page, 'N', 10);
  for (let step = 20; step <= 160; step += 10) await pressTo(page, 'N', step);
  await choose(page, 'n1: clients', 'read');
  for (let step = 171; step <= 221; step += 10) await pressTo(page, 'N', step);
  await choose(page, 'n5: process', 'crash');
  for (let step = 232; step <= 362; step += 10) await pressTo(page, 'N', step);
}

describeWithPeer('chromium', 'the screens', () => {
  let house: PageHouse;

  beforeAll(async () => {
    house = await PageHouse.start();
  });
  afterEach(() => house.closePages());
  afterAll(() => house.end());

  it.each(['dark', 'light'] as const)('the cluster, %s: roles, terms, logs and messages', async (colorScheme) => {
    const { page } = await house.open(null, { colorScheme });
    await eventful(page);
    await page.getByRole('img', { name: /n5 is down/ }).waitFor();
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe(colorScheme);
    await picture(page, `cluster-${colorScheme}`);
    await page.getByRole('button', { name: 'Server n4' }).click();
    await page.getByRole('group', { name: 'What to do with it' }).getByText('crash at next write').waitFor();
    if (colorScheme === 'light') await picture(page, 'menu');
  });

  it('a leader and its lease', async () => {
    const { page } = await house.open(null, { colorScheme: 'light' });
    await page.keyboard.press('o');
    await page.getByRole('checkbox', { name: 'leases' }).check();
    await page.getByRole('button', { name: 'Begin', exact: true }).click();
    await page.getByText('5 servers, seed 1, leases').waitFor();
    for (let step = 10; step <= 160; step += 10) await pressTo(page, 'N', step);
    await page.getByRole('img', { name: /and holds a lease/ }).waitFor();
    await picture(page, 'lease');
  });

  it('the theme follows the choice and is remembered', async () => {
    const { page } = await house.open(null, { colorScheme: 'dark' });
    const theme = (): Promise<unknown> => page.evaluate('document.documentElement.dataset.theme');
    for (const wanted of ['dark', 'light', 'dark']) {
      await page.keyboard.press('d');
      expect(await theme()).toBe(wanted);
    }
  });

  it('the logs: a cell tells its story, and leads to the step that made it', async () => {
    const { page } = await house.open();
    await eventful(page);
    await page.keyboard.press('2');
    const cell = page.getByRole('button', { name: /^n4, entry 3 of term 1, durable/ });
    await cell.hover();
    const story = page.getByRole('tooltip');
    await story.getByText(/by n\d in step \d+/).waitFor();
    await picture(page, 'logs');
    const created = Number(/in step (\d+)/.exec(await story.innerText())?.[1]);
    await cell.click();
    await expect.poll(() => stepOf(page)).toBe(created);
  });

  it('the space-time diagram: three axes, folding, search, and the past of a step', async () => {
    const { page } = await house.open();
    await eventful(page);
    await page.keyboard.press('3');
    await page.getByText(/fold heartbeats \(\d+ steps\)/).waitFor();
    for (const axis of ['time', 'causality', 'steps'])
      await page.getByRole('button', { name: axis, exact: true }).click();
    await page.getByRole('searchbox', { name: 'Find steps' }).fill('requestVote');
    const canvas = await page.locator('.space-time canvas').boundingBox();
    if (canvas === null) throw new Error('There is no diagram.');
    // The newest step stands where the line of the moment is: somewhere on it is a lane with a point.
    for (let y = canvas.y + 20; y < canvas.y + canvas.height; y += 8) {
      for (let x = canvas.x + 200; x < canvas.x + 420; x += 8) {
        if ((await page.locator('.said .step-number').count()) > 0) break;
        await page.mouse.click(x, y);
      }
    }
    await page.getByText(/\d+ steps led to it/).waitFor();
    await picture(page, 'space-time');
    const chosen = Number(await page.locator('.said .step-number').innerText());
    await page.getByRole('button', { name: 'go there' }).click();
    await expect.poll(() => stepOf(page)).toBe(chosen);
  });

  it('a pattern in the diagram: its places one by one, by the keyboard', async () => {
    const { page } = await house.open();
    await eventful(page);
    await page.keyboard.press('3');
    await page.getByRole('searchbox', { name: /Find steps/ }).fill('preVote → leads → commit');
    await page
      .getByRole('status')
      .getByText(/\d+ places/)
      .waitFor();
    await page.getByRole('searchbox', { name: /Find steps/ }).press('Escape');
    await page.keyboard.press(']');
    await page
      .getByRole('status')
      .getByText(/^1 of \d+ places/)
      .waitFor();
    await page.keyboard.press(']');
    await page
      .getByRole('status')
      .getByText(/^2 of \d+ places/)
      .waitFor();
    await page.keyboard.press('[');
    await page
      .getByRole('status')
      .getByText(/^1 of \d+ places/)
      .waitFor();
    await page.getByText(/\d+ steps led to it/).waitFor();
    await picture(page, 'pattern');
    await page.getByRole('combobox', { name: 'Pattern' }).selectOption('a leader that stepped down');
    await page.getByRole('status').getByText('nowhere').waitFor();
    await page.getByRole('combobox', { name: 'Pattern' }).selectOption('a request with no reply');
    await page.getByRole('button', { name: '›' }).click();
    await page.getByText(/has no reply/).waitFor();
    await page
      .getByRole('button', { name: /^step \d+$/ })
      .first()
      .click();
    await expect.poll(() => stepOf(page)).toBeLessThan(362);
  });

  it.each(['dark', 'light'] as const)(
    'the states ahead, %s: layers, what was refused, the nearest to a goal',
    async (colorScheme) => {
      const { page, complaints } = await house.open(null, { colorScheme });
      await page.keyboard.press('o');
      await page.getByRole('combobox', { name: 'Servers' }).selectOption('3');
      await page.getByRole('button', { name: 'Begin', exact: true }).click();
      await page.getByText('3 servers, seed 1').waitFor();
      await page.keyboard.press('6');
      await page.getByText('Every order of what may happen next').waitFor();
      await page.getByRole('combobox', { name: 'Goal' }).selectOption('n2 leads');
      await page.getByRole('spinbutton', { name: 'Depth' }).fill('4');
      await page.keyboard.press('Escape');
      await page.keyboard.press('e');
      await page.getByText(/there are no others up to that depth/).waitFor({ timeout: 60_000 });
      await page.getByRole('heading', { name: 'Turned back' }).waitFor();
      await page.getByText(/the budget of \d+ crashes is spent/).waitFor();
      const state = page.getByRole('button', { name: /^state \d+ at depth 2/ }).first();
      await state.focus();
      await page.keyboard.press('Enter');
      await picture(page, `states-${colorScheme}`);
      await page.locator('.states .said').getByRole('button', { name: 'go there' }).click();
      await page.locator('.clock span', { hasText: 'step 2 of 2' }).waitFor();
      await page.getByRole('button', { name: 'explored: 2 steps' }).waitFor();
      await page.locator('.nearest').getByRole('button', { name: 'go there' }).first().click();
      await page.getByRole('button', { name: /explored: [34] steps/ }).waitFor();
      // What was found in one run says nothing of the next.
      await page.keyboard.press('o');
      await page.getByRole('button', { name: 'Begin', exact: true }).click();
      await page.getByText('Every order of what may happen next').waitFor();
      expect(complaints).toEqual([]);
    },
  );

  it('the history: bars with an order, linked to their steps', async () => {
    const { page } = await house.open();
    await eventful(page);
    await page.keyboard.press('4');
    await page.getByText(/^✓ Linearizable: \d+ operations/).waitFor();
    const bar = page.getByRole('button', { name: /read at n1: done/ });
    await bar.focus();
    await page.keyboard.press('Enter');
    await picture(page, 'history');
    await page.getByRole('button', { name: /^answered: step/ }).click();
    await expect.poll(() => stepOf(page)).toBeLessThan(260);
  });

  it('branches: another decision begins one, and two are laid side by side', async () => {
    const { page } = await house.open();
    await eventful(page);
    for (let back = 0; back < 6; back++) await page.keyboard.press('P');
    await page.locator('.clock span', { hasText: 'step 302 of' }).waitFor();
    await choose(page, 'n2: process', 'pause');
    for (let step = 313; step <= 363; step += 10) await pressTo(page, 'N', step);
    await page.getByRole('button', { name: 'main', exact: true }).hover();
    await page
      .getByRole('tooltip')
      .getByRole('img', { name: /n5 down/ })
      .waitFor();
    await picture(page, 'branches');
    await page.mouse.move(600, 300);
    await page.getByRole('tooltip').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'main', exact: true }).focus();
    await page.getByRole('tooltip').waitFor();
    await page.getByRole('button', { name: 'compare' }).click();
    await page.getByRole('dialog', { name: 'Two branches' }).getByText('They share 302 steps').waitFor();
    await picture(page, 'compare');
  });

  it('help, tours, sharing', async () => {
    const { page } = await house.open();
    await eventful(page);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await picture(page, 'help');
    await page.keyboard.press('Escape');
    await page.keyboard.press('s');
    await page.getByRole('listitem').filter({ hasText: 'Mermaid' }).getByRole('button', { name: 'show' }).click();
    await page.getByText('sequenceDiagram').waitFor();
    await picture(page, 'share');
    await page.keyboard.press('Escape');
    await page.keyboard.press('t');
    await page.getByRole('button', { name: /^Figure 8/ }).click();
    await page.getByRole('region', { name: 'Tour: Figure 8' }).waitFor();
    await page.getByRole('button', { name: 'Show me' }).click();
    await page.locator('.task.done').waitFor();
    await picture(page, 'tour');
  });

  it('a violation: the rule, the two facts, the steps between them', async () => {
    const { page, complaints } = await house.open({ name: 'check-C3.json', text: figureEight.text });
    await page.keyboard.press('y');
    await page.getByRole('heading', { name: /C3: a leader commits by counting only/ }).waitFor();
    await picture(page, 'why');
    await page.getByRole('button', { name: 'go to step 3' }).click();
    await page.locator('.clock span', { hasText: 'step 3 of' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('with reduced motion it plays step by step', async () => {
    const { page } = await house.open(null, { reducedMotion: 'reduce' });
    await page.keyboard.press(' ');
    await expect.poll(() => stepOf(page), { timeout: 10_000 }).toBeGreaterThan(2);
  });
});
