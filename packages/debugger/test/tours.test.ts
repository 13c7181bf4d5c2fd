import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWithPeer } from '../../../test-support/peers.ts';
import { PageHouse } from './support/browser.ts';

const titles = [
  'Election, and a split vote',
  'Replication, and a log that is repaired',
  'Figure 8',
  'The server that disturbs',
  'PreVote: the same, undisturbed',
  'A vote that was never on disk',
];

/** More than any tour has. */
const maxStops = 12;

describeWithPeer('chromium', 'guided tours', () => {
  let house: PageHouse;

  beforeAll(async () => {
    house = await PageHouse.start();
  });
  afterEach(() => house.closePages());
  afterAll(() => house.end());

  it.each(titles)('%s: what every stop asks for can be done, and breaks nothing', async (title) => {
    const { page, complaints } = await house.open();
    await page.keyboard.press('t');
    await page.getByRole('button', { name: title }).click();
    const guide = page.getByRole('region', { name: `Tour: ${title}` });
    await guide.waitFor();
    for (let stop = 1; stop <= maxStops; stop++) {
      await guide.locator('header .hint', { hasText: `${stop} of` }).waitFor();
      const show = guide.getByRole('button', { name: 'Show me' });
      // Nothing is done before one does it.
      if ((await guide.locator('.task').count()) > 0) await show.click();
      const on = guide.locator('footer .primary');
      await expect.poll(() => on.isEnabled(), { timeout: 10_000 }).toBe(true);
      const isLast = (await on.innerText()) === 'End the tour';
      await on.click();
      if (isLast) break;
    }
    await guide.waitFor({ state: 'detached' });
    expect(await page.locator('.alarm').count()).toBe(0);
    expect(complaints).toEqual([]);
  });
});
