/** The report as one page that needs nothing else. */
import { plots } from './plots.ts';
import type { ReportData } from './report.ts';

/** Shown at once: what comes first mostly explains the rest. */
const FIRST_FINDINGS = 4;

export function page(data: ReportData): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Quorate under faults: ${verdictWord(data)}</title>
<style>${STYLE}</style>
<h1>Quorate under faults</h1>
<p class="verdict ${verdictClass(data)}">${escape(verdict(data))}</p>
${findings(data)}
${facts(data)}
${plots(data)}
<div class="columns">${counts(data)}${gaps(data)}</div>
<h2>Again</h2><pre>${escape(data.again)}</pre>
<p class="small">The seed gives the same faults in the same order and the same calls; what the servers make of them is up to the machine.
All figures: <a href="report.json">report.json</a>.</p>
</html>
`;
}

function verdictClass({ findings: found, undecided }: ReportData): string {
  if (found.length > 0) return 'bad';
  return undecided.length > 0 ? 'open' : 'good';
}

function verdictWord(data: ReportData): string {
  return { bad: 'violations', open: 'undecided', good: 'no violation' }[verdictClass(data)] ?? '';
}

function verdict({ findings: found, undecided, operations, linearizable }: ReportData): string {
  if (found.length > 0) return `${found.length} violations`;
  if (undecided.length > 0)
    return `No violation, but ${undecided.length} parts of the history were too hard to decide: no pass`;
  return `No violation: ${figure(operations)} operations in ${figure(linearizable)} parts, each linearizable; no write lost, none invented`;
}

function findings({ findings: found }: ReportData): string {
  if (found.length === 0) return '';
  const items = found.map(({ invariant, first, second, history }) => {
    const lines = history.length === 0 ? '' : historyOf(history);
    return `<li><b>${escape(invariant)}</b> ${escape(first)};<br>but ${escape(second)}${lines}</li>`;
  });
  const more = items.slice(FIRST_FINDINGS);
  const rest =
    more.length === 0
      ? ''
      : `<details><summary>${more.length} more</summary>${list(more, FIRST_FINDINGS + 1)}</details>`;
  return list(items.slice(0, FIRST_FINDINGS), 1) + rest;
}

function list(items: readonly string[], from: number): string {
  return `<ol class="findings" start="${from}">${items.join('')}</ol>`;
}

function historyOf(history: ReportData['findings'][number]['history']): string {
  const lines = history.map((operation) => escape(JSON.stringify(operation))).join('\n');
  return `<details><summary>the ${history.length} operations on these keys</summary><pre>${lines}</pre></details>`;
}

function facts(data: ReportData): string {
  const { seconds, faults, gaps: pauses } = data;
  const longest = Math.max(0, ...pauses.map(({ from, to }) => to - from)) / 1e6;
  const rows: readonly (readonly [string, string])[] = [
    ['lasted', `${figure(seconds.length)} s${data.interrupted ? ', ended early by hand' : ''}`],
    ['servers, clients', `${data.flags.servers}, ${data.flags.clients}`],
    ['place', data.place],
    ['faults', `${faults.length}${data.missing.length === 0 ? '' : `; not possible here: ${data.missing.join(', ')}`}`],
    ['looks at servers', figure(data.polls)],
    ['keys at the end', `${figure(data.keys)} at revision ${figure(data.revision)}`],
    ['stores at the end, SHA-256', hashes(data)],
    ['longest pause of writes', `${longest.toFixed(1)} s`],
    ['seed', String(data.flags.seed)],
    ['versions', `Quorate ${data.versions.quorate}, Node.js ${data.versions.node}, ${data.versions.system}`],
  ];
  return table(rows.map(([name, value]) => [name, escape(value)]));
}

function hashes({ hashes: stores }: ReportData): string {
  if (stores.length === 0) return 'not compared: the servers never agreed';
  const different = [...new Set(stores.map(({ hash }) => hash))];
  const namesOf = (wanted: string): string =>
    stores.flatMap(({ name, hash }) => (hash === wanted ? [name] : [])).join(', ');
  return different.map((hash) => `${hash.slice(0, 16)}… on ${namesOf(hash)}`).join('; ');
}

function counts({ counts: byFault, faults }: ReportData): string {
  const rows = Object.entries(byFault).map(([kind, { ok, refused, unknown }]) => {
    const struck = kind === 'none' ? '' : figure(faults.filter((fault) => fault.kind === kind).length);
    return [kind, struck, figure(ok), figure(refused), figure(unknown)];
  });
  return `<div><h2>Calls by the fault that was there</h2>${table([['fault', 'times', 'ok', 'refused', 'unknown'], ...rows], true)}</div>`;
}

function gaps({ gaps: pauses, faults }: ReportData): string {
  const longest = pauses.toSorted((a, b) => b.to - b.from - (a.to - a.from)).slice(0, 12);
  const rows = longest.map(({ from, to }) => {
    const during = faults.filter((fault) => fault.from < to && (fault.to ?? to) > from);
    const names = during.map(({ kind, targets }) => `${kind} ${targets.join('+')}`).join(', ');
    return [`${(from / 1e6).toFixed(1)} s`, `${((to - from) / 1e6).toFixed(2)} s`, escape(names)];
  });
  return `<div><h2>Longest pauses of writes</h2>${table([['at', 'lasted', 'during'], ...rows], true)}</div>`;
}

function table(rows: readonly (readonly string[])[], hasHead = false): string {
  const lines = rows.map((row, at) => {
    const tag = hasHead && at === 0 ? 'th' : 'td';
    return `<tr>${row.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  });
  return `<table>${lines.join('')}</table>`;
}

function figure(value: number): string {
  return value.toLocaleString('en');
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const STYLE = `
body { font: 14px/1.45 system-ui, sans-serif; color: #1c2230; max-width: 1120px; margin: 28px auto; padding: 0 16px; }
h1 { font-size: 24px; margin: 0 0 12px; } h2 { font-size: 14px; margin: 22px 0 6px; }
.verdict { font-size: 16px; padding: 10px 14px; border-radius: 6px; color: #fff; margin: 0 0 14px; }
.good { background: #2c7a4b; } .bad { background: #b3322a; } .open { background: #a8791a; }
table { border-collapse: collapse; } td, th { text-align: left; padding: 2px 16px 2px 0; vertical-align: top; font-weight: normal; }
td:first-child, th { color: #5b6475; }
svg { width: 100%; display: block; background: #fafbfd; } svg text { font-size: 10.5px; fill: #5b6475; }
.axis { stroke: #aab2c0; } .grid { stroke: #e3e7ee; } .gap { fill: #f6d5d2; }
.key { font-weight: normal; margin-left: 12px; color: #5b6475; } .key i { display: inline-block; width: 10px; height: 10px; margin-right: 4px; }
.columns { display: flex; gap: 48px; flex-wrap: wrap; } pre { background: #f2f4f8; padding: 8px 12px; overflow-x: auto; }
.findings li { margin-bottom: 8px; overflow-wrap: anywhere; } .small { color: #5b6475; font-size: 13px; }`;
