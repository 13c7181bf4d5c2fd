/** The guide speaks of every test, and its table of points is the one that is used. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { allTests, weights } from '../src/index.ts';

const folder = fileURLToPath(new URL('../../../docs/lab/', import.meta.url));
const pages = readdirSync(folder).map((name) => readFileSync(`${folder}${name}`, 'utf8'));
/** First cells of the tables' rows: names of tests, several in one cell now and then. */
const rows = pages.flatMap((page) =>
  [...page.matchAll(/^\| ([A-Z][\w, ]+) \|/gm)].flatMap(([, cell = '']) => cell.split(', ')),
);

test.each(allTests.map(({ name }) => name))('%s stands in a table of the guide', (name) => {
  expect(rows).toContain(name);
});

test('the points of each part stand in the page on grading', () => {
  const page = readFileSync(`${folder}grading.md`, 'utf8');
  for (const [part, points] of Object.entries(weights)) {
    const count = allTests.filter((each) => each.part === part).length;
    expect(page).toMatch(new RegExp(`^\\| ${part}[^|]*\\| ${points} \\| ${count} \\| ${points * count} \\|$`, 'm'));
  }
});
