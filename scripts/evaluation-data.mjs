// Takes the results of `quorate lab experiment` over into docs/evaluation/data: what the report shows, and what anyone needs to check it.
//
//   npm run evaluation:data -- DIRECTORY   the --out of that command
//
// For each experiment: plan.json, cells/ (every observation), summary.csv, and the plots as SVG; for all of them the report, index.html,
// with the conditions of every cell, which shows these plots. What else the command wrote is the same in another form, and it makes that
// again from a copy of what lies here (--report-only), where it can also go on.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/files.mjs';

const [from] = process.argv.slice(2);
if (from === undefined) throw new Error('Name the directory that quorate lab experiment wrote to.');
const names = readdirSync(from).filter((name) => existsSync(join(from, name, 'plan.json')));
if (names.length === 0) throw new Error(`${from} holds no results of experiments.`);

let report = readFileSync(join(from, 'index.html'), 'utf8');
for (const name of names) {
  const to = join(root, 'docs/evaluation/data', name);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const file of ['plan.json', 'cells', 'summary.csv'])
    cpSync(join(from, name, file), join(to, file), { recursive: true });
  const plots = readdirSync(join(from, name, 'plots')).filter((file) => file.endsWith('.svg'));
  for (const file of plots) {
    const drawing = readFileSync(join(from, name, 'plots', file), 'utf8');
    const inReport = report.split(drawing);
    if (inReport.length !== 2) {
      throw new Error(`The report shows ${name}/${file} ${inReport.length - 1} times: write it anew (--report-only).`);
    }
    report = inReport.join(`<img src="${name}/${file}" alt="">`);
    writeFileSync(join(to, file), drawing);
  }
  report = report.replace(
    `<a href="${name}/results.csv">CSV</a>, <a href="${name}/results.json">JSON</a>`,
    `<a href="${name}/cells/">cells</a>`,
  );
  console.log(`${name}: ${plots.length} plots`);
}
// Of the plots there must be one copy: inside the report they would be a second.
if (report.includes('<svg')) throw new Error('The report shows plots that no file holds.');
writeFileSync(join(root, 'docs/evaluation/data/index.html'), report.replace('figure svg{', 'figure img{'));
