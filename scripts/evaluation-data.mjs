// Takes the results of `quorate lab experiment` over into docs/evaluation/data: what the report shows, and what anyone needs to check it.
//
//   npm run evaluation:data -- DIRECTORY   the --out of that command
//
// For each experiment: results.csv (every observation), summary.csv, plan.json, and the plots as SVG. What else the command wrote can be
// made again from these settings and seeds, or is the same in another form.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/files.mjs';

const [from] = process.argv.slice(2);
if (from === undefined) throw new Error('Name the directory that quorate lab experiment wrote to.');
const names = readdirSync(from).filter((name) => existsSync(join(from, name, 'plan.json')));
if (names.length === 0) throw new Error(`${from} holds no results of experiments.`);

for (const name of names) {
  const to = join(root, 'docs/evaluation/data', name);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const file of ['plan.json', 'results.csv', 'summary.csv']) cpSync(join(from, name, file), join(to, file));
  const plots = readdirSync(join(from, name, 'plots')).filter((file) => file.endsWith('.svg'));
  for (const file of plots) cpSync(join(from, name, 'plots', file), join(to, file));
  console.log(`${name}: ${plots.length} plots`);
}
