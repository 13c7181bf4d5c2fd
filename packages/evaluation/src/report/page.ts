/** One page for all experiments: what was asked, on what it ran, what was seen. Needs nothing but itself. */
import type { Conditions } from './conditions.ts';
import { summaryOf } from './summary.ts';
import type { Results } from './write-results.ts';

export function page(all: readonly Results[]): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Quorate: evaluation</title><style>${STYLE}</style></head><body>
<h1>Evaluation</h1>
<nav>${all.map(({ experiment }) => `<a href="#${experiment.name}">${text(experiment.title)}</a>`).join(' · ')}</nav>
${all.map(section).join('\n')}
</body></html>
`;
}

function section(results: Results): string {
  const { experiment, scale, seed, figures } = results;
  return `<section id="${experiment.name}"><h2>${text(experiment.title)}</h2>
<p class="question">${text(experiment.question)}</p>
<p>${text(experiment.method)}</p>
${scale === 'quick' ? '<p class="warning">A quick run: few observations of few settings. It shows that the experiment works, and roughly what it finds.</p>' : ''}
${hostsWarning(results)}
${figures.map(figureBlock).join('\n')}
${summaryTable(results)}
${remarks(results)}
<p class="small">Repeat it: <code>quorate lab experiment ${experiment.name}${scale === 'quick' ? ' --quick' : ''} --seed ${seed}${hostsFlag(results)}</code>.
Data: <a href="${experiment.name}/results.csv">CSV</a>, <a href="${experiment.name}/results.json">JSON</a>,
<a href="${experiment.name}/summary.csv">summary</a>.</p>
${conditionsTable(results)}
</section>`;
}

function hostsFlag({ hosts }: Results): string {
  return hosts === null ? '' : ` --hosts ${text(hosts.join(','))}`;
}

function hostsWarning({ cells }: Results): string {
  const names = new Set(cells.flatMap(({ end }) => end.hosts ?? []).map(({ host }) => host));
  if (names.size === 0) return '';
  return `<p class="warning">Servers ran on ${names.size} hosts (${[...names].map(text).join(', ')}), dealt out in turn; the load came from the machine
that ran the experiment. Where the text speaks of one machine or of loopback, these hosts and their network are meant.</p>`;
}

function figureBlock({ figure, svg }: Results['figures'][number]): string {
  const missing = figure.missing.map((each) => ` <em>${text(each)}</em>`).join('');
  return `<figure>${svg}<figcaption>${text(figure.caption)}${missing}</figcaption></figure>`;
}

function summaryTable({ experiment, cells }: Results): string {
  const [first] = cells;
  if (first === undefined) return '<p class="warning">Nothing has been measured yet.</p>';
  const settings = Object.keys(first.settings);
  const rows = experiment.measures.flatMap((measure) =>
    cells.flatMap((cell) => {
      const summary = summaryOf(cell, measure);
      if (summary === null) return [];
      const { count, median, p10, p90, p99, min, max } = summary;
      const figures = [median, p10, p90, p99, min, max].map((value) => `<td class="n">${figureText(value)}</td>`);
      const columns = settings.map((name) => `<td>${text(String(cell.settings[name] ?? ''))}</td>`);
      const label = `${measure.label}${measure.unit === '' ? '' : ` (${measure.unit})`}`;
      return [`<tr>${columns.join('')}<td>${text(label)}</td><td class="n">${count}</td>${figures.join('')}</tr>`];
    }),
  );
  const heads = [...settings, 'measure', 'n', 'median', 'p10', 'p90', 'p99', 'least', 'most'];
  return `<details><summary>Figures of every cell</summary><table><tr>${heads
    .map((head) => `<th>${text(head)}</th>`)
    .join('')}</tr>${rows.join('')}</table></details>`;
}

/** Four significant digits, no exponent. */
export function figureText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const digits = Math.max(0, 3 - Math.floor(Math.log10(Math.max(1e-3, Math.abs(value)))));
  return value.toFixed(Math.min(3, digits));
}

function remarks({ cells, absent }: Results): string {
  const lines = [
    ...cells.flatMap(({ key, notes }) => notes.map((note) => `${key}: ${note}`)),
    ...cells.flatMap(({ key, failure }) => (failure === null ? [] : [`${key} failed: ${failure}`])),
    ...(absent.length === 0 ? [] : [`Not measured (yet): ${absent.join(', ')}`]),
  ];
  return lines.length === 0 ? '' : `<ul class="small">${lines.map((line) => `<li>${text(line)}</li>`).join('')}</ul>`;
}

function conditionsTable({ cells }: Results): string {
  const distinct = new Set(
    cells.flatMap(({ end }) => [
      describe(end.conditions),
      ...(end.hosts ?? []).map((host) => `${host.host} (${host.address}): ${describe(host)}`),
    ]),
  );
  const loads = cells.map(({ end }) => end.load.before);
  const range = loads.length === 0 ? '' : `${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`;
  const lines = [...distinct].map((line) => `<li>${text(line)}</li>`);
  return `<details class="small"><summary>Conditions</summary><ul>${lines.join('')}</ul>
<p>One-minute load average when the cells began: ${range}. Whatever is above 1 before a cell is other work on the machine, or what the
cell before left of it.</p></details>`;
}

function describe(conditions: Conditions): string {
  const { system, processors, memoryGiB, node, quorate, source, etcd, syncMs } = conditions;
  const parts = [
    system,
    processors,
    `${memoryGiB} GiB`,
    `Node ${node}`,
    `Quorate ${quorate}${source === null ? '' : ` (${source})`}`,
    etcd ?? 'no etcd',
    `fdatasync ${syncMs} ms`,
  ];
  return parts.join(', ');
}

export function text(raw: string): string {
  return raw.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:#222}
h2{margin-top:2.5em;border-top:1px solid #ccc;padding-top:1em}.question{font-size:1.15em}figure{margin:1.5em 0}
figure svg{max-width:100%;height:auto}figcaption{color:#444;font-size:.93em}table{border-collapse:collapse;font-size:.85em}
td,th{border-bottom:1px solid #ddd;padding:2px 8px;text-align:left}.n{text-align:right;font-variant-numeric:tabular-nums}
.small{font-size:.88em;color:#444}.warning{background:#fff4d6;padding:.5em 1em;border-left:4px solid #e69f00}`;
