// Prints docs/evaluation/README.md, its figures included, as a PDF by Chromium (Debian: chromium).
//
//   npm run evaluation:pdf [-- FILE]   docs/evaluation/evaluation.pdf if not given
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { marked } from 'marked';
import { chromium } from 'playwright-core';
import { root } from './lib/files.mjs';

const STYLE = `
  @page { size: A4; margin: 22mm 20mm }
  body { font: 10.5pt/1.45 'DejaVu Serif', 'Liberation Serif', serif; color: #111; margin: 0 }
  h1 { font-size: 19pt; line-height: 1.2; margin: 0 0 4mm } h2 { font-size: 13.5pt; margin: 8mm 0 2mm; break-after: avoid }
  h3 { font-size: 11.5pt; margin: 6mm 0 1mm; break-after: avoid }
  p, li { text-align: justify; hyphens: auto } img { max-width: 100%; max-height: 95mm; display: block; margin: 3mm auto 1mm }
  p:has(img) { break-inside: avoid } em { color: #333 }
  table { border-collapse: collapse; font-size: 9pt; margin: 2mm 0; width: 100% } td, th { border-bottom: 0.3pt solid #888; padding: 1mm 2mm; text-align: left }
  tr { break-inside: avoid } code { font: 9pt 'DejaVu Sans Mono', monospace } a { color: inherit; text-decoration: none }`;

const folder = join(root, 'docs/evaluation');
const target = resolve(process.argv[2] ?? join(folder, 'evaluation.pdf'));
const page = join(folder, '.print.html');
const body = await marked.parse(readFileSync(join(folder, 'README.md'), 'utf8'));
// Beside the report, so that its figures are found; the browser may read files only from a file.
writeFileSync(
  page,
  `<!doctype html><html lang="en"><meta charset="utf-8"><style>${STYLE}</style><body>${body}</body></html>`,
);
try {
  await print();
} finally {
  rmSync(page);
}
console.log(target);

async function print() {
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox'] });
  try {
    const tab = await browser.newPage();
    const lost = [];
    tab.on('requestfailed', (request) => lost.push(request.url()));
    await tab.goto(pathToFileURL(page).href, { waitUntil: 'load' });
    if (lost.length > 0) throw new Error(`The report shows what is not there: ${lost.join(', ')}`);
    const footerTemplate =
      '<div style="font-size:8px;width:100%;text-align:center"><span class="pageNumber"></span></div>';
    await tab.pdf({
      path: target,
      preferCSSPageSize: true,
      displayHeaderFooter: true,
      headerTemplate: '<span></span>',
      footerTemplate,
    });
  } finally {
    await browser.close();
  }
}

function chromiumPath() {
  const paths = (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, 'chromium'));
  const found = paths.find((path) => existsSync(path));
  if (found === undefined)
    throw new Error('Chromium prints the PDF and is not on PATH. Install it (Debian: apt-get install chromium).');
  return found;
}
