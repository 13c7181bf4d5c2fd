/** The tables of docs/teaching.md, made from what was measured. */
import { explanationOf } from './explanation.ts';
import type { Mistake } from './mistake.ts';
import type { CaughtRun, CaughtSearch, Results, RunSide } from './results.ts';

/** A mistake, and what was measured of it; null: nothing yet. */
export interface Row {
  readonly mistake: Mistake;
  readonly results: Results | null;
}

const none = '—';

export function tablesOf(rows: readonly Row[], guide: ReadonlyMap<string, string>): string {
  return [summaryOf(rows, guide), catching(rows), lengths(rows), explanations(rows, guide)].join('\n\n');
}

/** What the rows come to, in one sentence a question. */
function summaryOf(rows: readonly Row[], guide: ReadonlyMap<string, string>): string {
  const runs = rows.flatMap(({ results }) => (results === null || results.runs.seeds === 0 ? [] : [results.runs]));
  const searched = rows.flatMap(({ results }) => (results === null || results.search === null ? [] : [results.search]));
  const each = runs.map(({ caught, seeds }) => caught.length / seeds);
  const count = (test: (share: number) => boolean): number => each.filter(test).length;
  const named = rows.map((row) => explainedBySearch(row, guide)).filter((said) => said !== null);
  return [
    `- ${rows.length} Rafts, ${runs.length} of them run${seedsOf(runs)}, ${searched.length} of them searched.`,
    `- Runs: ${count((share) => share === 1)} are caught by every run, ${count((share) => share > 0 && share < 1)} by some, ${count((share) => share === 0)} by none.`,
    `- Search: ${searched.filter(({ caught }) => caught.length > 0).length} of ${searched.length} are caught.`,
    `- Of these, the guide's words on the search that fails first name the broken rule for ${named.filter(({ isInGuide }) => isInGuide).length}; the verdict's own sentence does for ${named.filter(({ isInVerdict }) => isInVerdict).length}.`,
  ].join('\n');
}

function seedsOf(runs: readonly RunSide[]): string {
  const seeds = runs.map((run) => run.seeds);
  const [least, most] = [Math.min(...seeds), Math.max(...seeds)];
  if (seeds.length === 0) return '';
  return least === most ? ` (${most} seeds each)` : ` (${least} to ${most} seeds each)`;
}

function catching(rows: readonly Row[]): string {
  const head = [
    '| Raft | runs that catch it | without the part beyond | first by | search that fails first | states | seconds |',
    '|---|---:|---:|---|---|---:|---:|',
  ];
  const lines = rows.map(({ mistake: { name, does }, results }) => {
    const runs = results?.runs;
    const first = firstCaught(results);
    const cells = [
      `${name}: ${does}`,
      runs === undefined || runs.seeds === 0 ? none : `${runs.caught.length} of ${runs.seeds}`,
      runs === undefined || runs.seeds === 0 ? none : `${ofTheCourse(runs.caught)} of ${runs.seeds}`,
      mostOften(runs?.caught ?? []),
      (results?.search ?? null) === null ? none : (first?.test ?? 'no search'),
      first === null ? none : first.states.toLocaleString('en'),
      first === null ? none : first.seconds.toFixed(2),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return ['### Who catches it', '', ...head, ...lines].join('\n');
}

function lengths(rows: readonly Row[]): string {
  const head = [
    '| Raft | events of the failing run: median | least | steps of the way found at random | shortened | found breadth first |',
    '|---|---:|---:|---:|---:|---:|',
  ];
  const lines = rows.map(({ mistake: { name }, results }) => {
    const events = (results?.runs.caught ?? []).map((run) => run.events).toSorted((a, b) => a - b);
    const rerun = firstCaught(results)?.rerun;
    const cells = [
      name,
      events.length === 0 ? none : (events[Math.floor(events.length / 2)] ?? 0).toLocaleString('en'),
      events.length === 0 ? none : (events[0] ?? 0).toLocaleString('en'),
      rerun?.found ?? none,
      rerun?.shortened ?? none,
      firstCaught(results)?.steps ?? none,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return ['### How long the way is', '', ...head, ...lines].join('\n');
}

function explanations(rows: readonly Row[], guide: ReadonlyMap<string, string>): string {
  const head = [
    '| Raft | the rule it breaks | search says | the guide on that search | the guide on the run test that fails most |',
    '|---|---|---|---|---|',
  ];
  const lines = rows.map((row) => {
    const { mistake, results } = row;
    const bySearch = explainedBySearch(row, guide);
    const run = mostOften(results?.runs.caught ?? []);
    const byRun = run === none ? null : explanationOf(mistake.rule, '', guide.get(run) ?? '');
    const cells = [
      mistake.name,
      mistake.rule,
      bySearch === null ? none : `${bySearch.isInVerdict ? 'the rule' : 'what came of it'}: ${verdictOf(results)}`,
      bySearch === null ? none : naming(bySearch),
      byRun === null ? none : naming(byRun),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return ['### Whether it is explained', '', ...head, ...lines].join('\n');
}

function naming({ isInGuide, rulesInGuide }: { readonly isInGuide: boolean; readonly rulesInGuide: number }): string {
  if (!isInGuide) return 'no';
  return rulesInGuide === 1 ? 'names it' : `names it, among ${rulesInGuide} rules`;
}

function explainedBySearch({ mistake, results }: Row, guide: ReadonlyMap<string, string>) {
  const first = firstCaught(results);
  return first === null ? null : explanationOf(mistake.rule, first.message, guide.get(first.test) ?? '');
}

/** What a verdict calls the rule that was seen to be broken. */
function verdictOf(results: Results | null): string {
  const message = firstCaught(results)?.message ?? '';
  return /no order of events leads there/.test(message)
    ? 'no order of events leads there'
    : (message.split(':')[0] ?? '');
}

function firstCaught(results: Results | null): CaughtSearch | null {
  return results?.search?.caught[0] ?? null;
}

function ofTheCourse(caught: readonly CaughtRun[]): number {
  return caught.filter(({ part }) => part !== 'beyond').length;
}

/** The test that fails first most often; the earlier one by name where two do. */
function mostOften(caught: readonly CaughtRun[]): string {
  const counts = new Map<string, number>();
  for (const { test } of caught) counts.set(test, (counts.get(test) ?? 0) + 1);
  const [most] = [...counts].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return most?.[0] ?? none;
}

const begin = '<!-- made by npm run teaching -->';
const end = '<!-- end of what is made -->';

/** The page with these tables in it. @throws Error if it has no place for them. */
export function pageWith(page: string, tables: string): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from)
    throw new Error(`docs/teaching.md has no place for its tables: between ${begin} and ${end}.`);
  return `${page.slice(0, from + begin.length)}\n\n${tables}\n\n${page.slice(to)}`;
}
