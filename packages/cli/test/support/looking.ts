/** Follows the command that a failure prints, and looks at what it opens as a person does: in a browser. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { findPeer } from '../../../../test-support/peers.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** The program and where it runs. */
export interface Place {
  readonly bin: string;
  readonly folder: string;
}

/** Runs `quorate debug …` as the output says it, opens the page, and ends both. Complaints of the page fail the test. */
export async function lookBy(output: string, place: Place, look: (page: Page) => Promise<void>): Promise<void> {
  const command = /in a browser: quorate (debug .+)$/m.exec(output)?.[1];
  if (command === undefined) throw new Error(`No command opens it: ${output}`);
  const child = spawn(process.execPath, [place.bin, ...command.split(' '), '--no-open'], { cwd: place.folder });
  try {
    await withPage(await addressOf(child), look);
  } finally {
    child.kill('SIGINT');
  }
}

/** The page at that address, in a browser of its own. */
export async function withPage(url: string, look: (page: Page) => Promise<void>): Promise<void> {
  const browser = await chromium.launch({
    executablePath: findPeer('chromium') ?? '',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: 'dark' });
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url);
    await look(page);
    if (complaints.length > 0) throw new Error(`The page complains: ${complaints.join('; ')}`);
  } finally {
    await browser.close();
  }
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (chunk: Buffer): void => {
      said += chunk.toString();
      const url = /http:\/\/\S+/.exec(said)?.[0];
      if (url !== undefined) resolve(url);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.on('close', (code) => reject(new Error(`quorate debug ended with ${code}: ${said}`)));
  });
}

/** With QUORATE_SCREENSHOTS=1 the pictures of docs/debugger.md are taken anew. */
export async function picture(page: Page, name: string): Promise<void> {
  if (process.env['QUORATE_SCREENSHOTS'] !== '1') return;
  await page.screenshot({ path: join(root, `docs/images/debugger-${name}.png`) });
}
