// The page in Chromium: its first paint, and how many pictures a second it keeps while it plays a run of five servers with many steps behind it.
//
//   npm run build && node packages/debugger/bench/page.bench.mjs [steps] [seconds]
import process from 'node:process';
import { servePage } from '@quorate/debugger/node';
import { chromium } from 'playwright-core';

const [steps = 10_000, seconds = 5] = process.argv.slice(2).map(Number);
const stepsAtPress = 10;
/** As many as the page lets wait. */
const pressesAtOnce = 8;

async function main() {
  const server = await servePage({ trace: null, port: 0 });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(server.url);
    await page.locator('.item').first().waitFor();
    const [paint] = await page.evaluate(
      `performance.getEntriesByName('first-contentful-paint').map((e) => e.startTime)`,
    );
    console.log(`first paint after ${Math.round(paint)} ms`);
    const began = performance.now();
    let taken = 0;
    while (taken < steps) {
      for (let press = 0; press < pressesAtOnce; press++) await page.keyboard.press('N');
      taken = await comesTo(page, taken + pressesAtOnce * stepsAtPress);
    }
    const each = (performance.now() - began) / taken;
    console.log(`${taken} steps, ${each.toFixed(2)} ms each`);
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Performance.enable');
    for (const [key, tab] of [
      ['1', 'Cluster'],
      ['2', 'Logs'],
      ['3', 'Space-time'],
      ['4', 'History'],
    ]) {
      await page.keyboard.press(key);
      await page.waitForTimeout(500);
      await page.keyboard.press(' ');
      const before = await busyOf(devtools);
      const { median, late, pictures } = await page.evaluate(watch, seconds * 1000);
      const busy = ((await busyOf(devtools)) - before) / pictures;
      await page.keyboard.press(' ');
      console.log(
        `${tab}: ${(pictures / seconds).toFixed(0)} pictures a second, median ${median.toFixed(1)} ms, ${((100 * late) / pictures).toFixed(0)} % later than 25 ms; ` +
          `${busy.toFixed(1)} ms of the page's thread for each`,
      );
    }
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Milliseconds in which the page's thread has had something to do. */
async function busyOf(devtools) {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return 1000 * metrics.find(({ name }) => name === 'TaskDuration').value;
}

/** The step that is looked at, once it is at least `wanted`. */
async function comesTo(page, wanted) {
  for (;;) {
    const step = Number(/step (\d+)/.exec(await page.locator('.clock span').innerText())?.[1]);
    if (step >= wanted) return step;
    await page.waitForTimeout(5);
  }
}

/** In the page: the time between two pictures. */
function watch(milliseconds) {
  return new Promise((resolve) => {
    const gaps = [];
    const began = performance.now();
    let last = began;
    const turn = (now) => {
      gaps.push(now - last);
      last = now;
      if (now - began < milliseconds) requestAnimationFrame(turn);
      else {
        const sorted = gaps.slice(1).sort((a, b) => a - b);
        resolve({
          median: sorted[Math.floor(sorted.length / 2)],
          late: sorted.filter((gap) => gap > 25).length,
          pictures: sorted.length,
        });
      }
    };
    requestAnimationFrame(turn);
  });
}

await main();
