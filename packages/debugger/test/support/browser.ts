/** The page in a real browser: served as `quorate debug` serves it, looked at as a person does. */
import { servePage, type Served } from '@quorate/debugger/node';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findPeer } from '../../../../test-support/peers.ts';

export interface Opened {
  readonly page: Page;
  /** What the page complained about: errors, and files that its policy refused. */
  readonly complaints: readonly string[];
}

export class PageHouse {
  readonly #browser: Browser;
  readonly #closing: (() => Promise<void>)[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start(): Promise<PageHouse> {
    return new PageHouse(
      await chromium.launch({ executablePath: findPeer('chromium') ?? '', args: ['--no-sandbox', '--disable-gpu'] }),
    );
  }

  async open(
    trace: Served['trace'] = null,
    options: {
      readonly colorScheme?: 'dark' | 'light';
      readonly reducedMotion?: 'reduce';
      readonly hash?: string;
      /** What is there once the page has opened something. */
      readonly waitsFor?: string;
    } = {},
  ): Promise<Opened> {
    const { hash, waitsFor = '.item', ...look } = options;
    const server = await servePage({ trace, port: 0 });
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 }, ...look });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    this.#closing.push(async () => {
      await context.close();
      await server.close();
    });
    await page.goto(hash === undefined ? server.url : `${server.url.split('#')[0] ?? ''}#${hash}`);
    await page.locator(waitsFor).first().waitFor();
    return { page, complaints };
  }

  async closePages(): Promise<void> {
    for (const close of this.#closing.splice(0)) await close();
  }

  async end(): Promise<void> {
    await this.closePages();
    await this.#browser.close();
  }
}

/** The number of the step that is looked at. */
export async function stepOf(page: Page): Promise<number> {
  const text = await page.locator('.clock span').innerText();
  return Number(/step (\d+)/.exec(text)?.[1]);
}

/** Presses a key, and waits until the moment is another. */
export async function pressTo(page: Page, key: string, step: number): Promise<void> {
  await page.keyboard.press(key);
  await page.locator('.clock span', { hasText: new RegExp(`step ${step} of`) }).waitFor();
}
