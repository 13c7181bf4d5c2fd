import { encodeTrace, endingOf, planTrace, runSeed, standardWatchers } from '@quorate/sim';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWithPeer } from '../../../test-support/peers.ts';
import { PageHouse, pressTo, stepOf } from './support/browser.ts';

describeWithPeer('chromium', 'the page', () => {
  let house: PageHouse;

  beforeAll(async () => {
    house = await PageHouse.start();
  });
  afterEach(() => house.closePages());
  afterAll(() => house.end());

  it('steps a cluster forward and back by the keyboard, and complains about nothing', async () => {
    const { page, complaints } = await house.open();
    await pressTo(page, 'n', 1);
    await pressTo(page, 'N', 11);
    await pressTo(page, 'p', 10);
    await pressTo(page, 'Home', 0);
    await pressTo(page, 'End', 11);
    expect(complaints).toEqual([]);
  });

  it('plays until it is stopped', async () => {
    const { page } = await house.open();
    await page.keyboard.press(' ');
    await page.getByRole('img', { name: /is leader in term/ }).waitFor();
    await page.keyboard.press(' ');
    await page.getByRole('button', { name: 'Play', exact: true, pressed: false }).waitFor();
    // The time beside the step goes on with every picture.
    const stopped = await page.locator('.clock').innerText();
    await page.waitForTimeout(300);
    expect(await page.locator('.clock').innerText()).toBe(stopped);
  });

  it('runs until somebody leads, crashes that server from its menu, and begins a branch for it', async () => {
    const { page } = await house.open();
    await page.keyboard.press('u');
    await page.getByRole('button', { name: 'Continue until then' }).click();
    const said = await page.locator('.message', { hasText: 'leads term' }).innerText();
    const leader = /(n\d) leads term 1/.exec(said)?.[1] ?? '';
    const led = await stepOf(page);
    await pressTo(page, 'N', led + 10);
    for (let back = 0; back < 10; back++) await page.keyboard.press('p');
    await page.locator('.clock span', { hasText: `step ${led} of` }).waitFor();

    await page.getByRole('button', { name: `Server ${leader}` }).click();
    await page
      .getByRole('group', { name: 'What to do with it' })
      .getByRole('button', { name: 'crash', exact: true })
      .click();
    await page.getByRole('button', { name: `${leader} crashes` }).waitFor();
    await page.getByRole('img', { name: new RegExp(`${leader} is down`) }).waitFor();

    // The other future is still there.
    await page.getByRole('button', { name: 'main' }).click();
    await page.getByRole('img', { name: new RegExp(`${leader} is leader`) }).waitFor();
  });

  it('cuts the links that a drawn line crosses', async () => {
    const { page } = await house.open();
    const ring = await page.locator('.cluster').boundingBox();
    if (ring === null) throw new Error('There is no ring.');
    await page.mouse.move(ring.x + 40, ring.y + ring.height / 2 - 100);
    await page.mouse.down();
    await page.mouse.move(ring.x + ring.width - 40, ring.y + ring.height / 2 - 100, { steps: 4 });
    await page.mouse.up();
    await page.getByRole('img', { name: /; 8 links cut/ }).waitFor();
    await page.keyboard.press('h');
    await page.getByRole('img', { name: /; 0 links cut/ }).waitFor();
  });

  it('delivers, drops, duplicates and holds up a message', async () => {
    const { page } = await house.open();
    await page.keyboard.press('u');
    await page.getByRole('button', { name: 'Continue until then' }).click();
    await page.locator('.message', { hasText: 'leads term' }).waitFor();
    const headline = page.locator('.inspector .headline');
    for (const [choice, said] of [
      ['duplicate', /is doubled/],
      ['delay', /is held up/],
      ['drop', /is lost/],
      ['deliver', /arrives/],
    ] as const) {
      const before = await stepOf(page);
      await page.locator('.item.message').first().getByRole('button', { name: choice }).click();
      await page.locator('.clock span', { hasText: `step ${before + 1} of` }).waitFor();
      expect(await headline.innerText()).toMatch(said);
    }
  });

  it('pauses, resumes, crashes at the next write and restarts a server', async () => {
    const { page } = await house.open();
    await pressTo(page, 'N', 10);
    const process = page.locator('.item', { hasText: 'n1: process' });
    const ring = (what: RegExp): Promise<void> => page.getByRole('img', { name: what }).waitFor();
    await process.getByRole('button', { name: 'pause' }).click();
    await process.getByRole('button', { name: 'resume' }).click();
    await process.getByRole('button', { name: 'crash at next write' }).click();
    await page.keyboard.press('u');
    await page.getByRole('radio', { name: /entry 1 is committed/ }).check();
    await page.getByRole('button', { name: 'Continue until then' }).click();
    await ring(/n1 is down/);
    await process.getByRole('button', { name: 'restart' }).click();
    await ring(/n1 is follower/);
  });

  it('goes to a moment by the time line, by its number and by the branch', async () => {
    const { page } = await house.open();
    for (let step = 10; step <= 60; step += 10) await pressTo(page, 'N', step);
    const line = page.getByRole('slider', { name: 'Step' });
    const box = await line.boundingBox();
    if (box === null) throw new Error('There is no time line.');
    await page.mouse.click(box.x + box.width / 2, box.y + 12);
    await page.locator('.clock span', { hasText: 'step 30 of 60' }).waitFor();
    expect(await line.getAttribute('aria-valuenow')).toBe('30');
    await page.keyboard.press('g');
    await page.getByRole('textbox', { name: 'Step, from 0 to 60' }).fill('17');
    await page.keyboard.press('Enter');
    await page.locator('.clock span', { hasText: 'step 17 of 60' }).waitFor();
  });

  it('has the bars of a history that are in sight, and others where one scrolls or tabs', async () => {
    const { page, complaints } = await house.open();
    for (let taken = 0; taken < 3_000; taken += 80) {
      for (let press = 0; press < 8; press++) await page.keyboard.press('N');
      await page.locator('.clock span', { hasText: `step ${taken + 80} of` }).waitFor();
    }
    await page.keyboard.press('4');
    const verdict = await page.getByText(/Linearizable: \d+ operations/).innerText();
    const operations = Number(/(\d+) operations/.exec(verdict)?.[1]);
    const bars = page.locator('.bar-row');
    expect(operations).toBeGreaterThan(60);
    await bars.first().waitFor();
    expect(await bars.count()).toBeLessThan(operations);
    expect(await bars.first().getAttribute('aria-label')).toContain('operation 1,');

    // From bar to bar, further than there were any.
    await bars.first().focus();
    for (let next = 2; next <= 50; next++) {
      await page.keyboard.press('Tab');
      await page.locator('.bar-row:focus', { hasText: `c${next} ` }).waitFor();
    }
    await page.keyboard.press('Enter');
    await page.locator('.said', { hasText: 'c50 at' }).waitFor();

    await page.locator('.bar-row:focus').hover();
    await page.mouse.wheel(0, 100_000);
    await page.locator('.bar-row', { hasText: `c${operations} ` }).waitFor();
    expect(await bars.count()).toBeLessThan(operations);
    expect(complaints).toEqual([]);
  });

  it('shows a run of whole nodes: cores, the history of its clients, what was judged', async () => {
    const seed = 7;
    const result = runSeed(seed, { servers: 3, faultSeconds: 5 }, standardWatchers);
    const { options, actions } = result;
    const { header, records } = planTrace(
      { plan: { seed, options, actions }, ending: endingOf(result) },
      'test',
      'a test',
    );
    const text = [...encodeTrace(header, records)].join('\n');
    const { page, complaints } = await house.open({ name: 'seed-7.json', text }, { waitsFor: '.item' });
    await page.locator('.item', { hasText: 's1: faults' }).waitFor();
    await page.keyboard.press('End');
    await page.getByRole('img', { name: /s1 is (?:leader|follower) in term/ }).waitFor();
    for (const [key, says] of [
      ['4', /Linearizable: \d+ operations in/],
      ['5', /All \d+ hold after each of the \d+ steps/],
    ] as const) {
      await page.keyboard.press(key);
      await page.getByText(says).waitFor();
    }
    await page.keyboard.press('s');
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Trace of this branch' }).click();
    expect((await saved).suggestedFilename()).toBe('run.trace.json');
    expect(complaints).toEqual([]);
  });

  it('makes a run of whole nodes of a seed, in which a person takes the adversary’s place', async () => {
    const { page, complaints } = await house.open();
    const process = page.locator('.item', { hasText: 'n1: process' });
    const full = process.getByRole('button', { name: /fill its disk/ });
    expect(await full.getAttribute('title')).toContain('open a run of whole nodes');
    await page.keyboard.press('o');
    await page.getByRole('combobox', { name: 'Servers' }).selectOption('3');
    await page.getByRole('textbox', { name: 'Seed' }).fill('50');
    await page.getByRole('button', { name: 'Run of whole nodes' }).click();
    const faults = page.locator('.item', { hasText: 's1: faults' });
    await faults.waitFor({ timeout: 20_000 });
    for (let press = 0; press < 10; press++) await page.keyboard.press('N');
    await faults.getByRole('button', { name: 'fill its disk' }).click();
    await page.getByRole('button', { name: 'the disk of s1 is full but for 0 bytes' }).waitFor({ timeout: 20_000 });
    await page.locator('.inspector .headline', { hasText: 'the disk of s1 is full' }).waitFor();
    await faults.getByRole('button', { name: 'wall clock back' }).click();
    await page.getByRole('button', { name: 'the wall clock of s1 jumps by -3600000 ms' }).waitFor({ timeout: 20_000 });
    expect(complaints).toEqual([]);
  }, 60_000);

  it('counts a leader’s lease down, and says when it has run out', async () => {
    const { page } = await house.open();
    await page.keyboard.press('o');
    await page.getByRole('checkbox', { name: 'leases' }).check();
    await page.getByRole('button', { name: 'Begin', exact: true }).click();
    await page.getByText('5 servers, seed 1, leases').waitFor();
    await page.keyboard.press('u');
    await page.getByRole('button', { name: 'Continue until then' }).click();
    const leader = /(n\d) leads/.exec(await page.locator('.message', { hasText: 'leads term' }).innerText())?.[1] ?? '';
    const ring = (what: string): Promise<void> => page.getByRole('img', { name: new RegExp(what) }).waitFor();
    for (let press = 0; press < 4; press++) await page.keyboard.press('N');
    await ring(`${leader} is leader in term 1 and holds a lease`);
    await page
      .locator('.item', { hasText: `${leader}: process` })
      .getByRole('button', { name: 'pause' })
      .click();
    await page.getByRole('button', { name: `Server ${leader}` }).click();
    await page.getByRole('group', { name: 'What to inspect' }).getByRole('button', { name: leader }).click();
    await page.getByRole('cell', { name: /for .* more/ }).waitFor();
    for (let press = 0; press < 12; press++) await page.keyboard.press('N');
    await page.getByRole('cell', { name: /ran out .* ago/ }).waitFor();
  });

  it('tells what cannot be opened, and goes on with a cluster to play with', async () => {
    const { page } = await house.open(null, { hash: 'd=nonsense' });
    await page.getByRole('alert').getByText('The link cannot be read').waitFor();
    await pressTo(page, 'n', 1);
  });

  it('says why what is disabled cannot be done', async () => {
    const { page } = await house.open();
    const client = page.locator('.item', { hasText: 'n1: clients' });
    const snapshot = client.getByRole('button', { name: /snapshot/ });
    expect(await snapshot.getAttribute('title')).toContain('has applied nothing');
  });

  it('opens a shared link at the very moment that was shared', async () => {
    const { page } = await house.open();
    await pressTo(page, 'N', 10);
    await page.locator('.item.message').first().getByRole('button', { name: 'drop' }).click();
    await page.locator('.clock span', { hasText: 'step 11 of 11' }).waitFor();
    const shown = await page.locator('.inspector').innerText();
    await page.keyboard.press('s');
    const link = page.getByRole('textbox', { name: 'Link' });
    await expect.poll(() => link.inputValue()).toContain('#d=');
    const hash = (await link.inputValue()).split('#')[1] ?? '';
    const again = await house.open(null, { hash });
    await again.page.locator('.clock span', { hasText: 'step 11 of 11' }).waitFor();
    expect(await again.page.locator('.inspector').innerText()).toBe(shown);
  });
});
