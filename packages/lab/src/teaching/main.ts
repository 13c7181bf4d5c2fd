/**
 * `npm run teaching`: whether search teaches, measured on Rafts with a mistake. What is measured is kept as it comes, so that it may be ended at
 * any time and goes on later.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { rowsOf } from './explanation.ts';
import { runSeeds, searchSide } from './measure.ts';
import { type Mistake, mistaken } from './mistake.ts';
import { mistakes } from './mistakes.ts';
import { codeOfText, emptyResults, readResults, type Results, writeResults } from './results.ts';
import { pageWith, tablesOf } from './table.ts';

const SEEDS = 100;
const SEEDS_QUICK = 3;

const usage = `npm run teaching -- [options]

  --raft NAME   only this one; may be given several times
  --quick       ${SEEDS_QUICK} seeds in place of ${SEEDS}, into a folder of its own: a look at whether all of it works
  --seeds N     so many seeds; what was measured of fewer goes on
  --table       measure nothing, and make the tables anew
`;

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const page = join(root, 'docs/teaching.md');
const right = readFileSync(join(root, 'packages/lab/implementations/handlers.mjs'), 'utf8');

async function main(): Promise<void> {
  const options = optionsGiven();
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const scratch = mkdtempSync(join(tmpdir(), 'quorate-teaching-'));
  const data = options.isQuick ? join(scratch, 'data') : join(root, 'docs/teaching/data');
  try {
    for (const mistake of options.isTableOnly ? [] : options.rafts) {
      await measure(mistake, { data, scratch, seeds: options.seeds, signal: stop.signal });
      if (stop.signal.aborted) break;
      if (!options.isQuick) writeTables(data);
    }
    if (options.isQuick) process.stdout.write(`${tables(data)}\n`);
    else writeTables(data);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  if (stop.signal.aborted) process.stderr.write('\nStopped. What was measured is kept: the same command goes on.\n');
  process.exitCode = stop.signal.aborted ? 130 : 0;
}

interface Options {
  readonly rafts: readonly Mistake[];
  readonly seeds: number;
  readonly isQuick: boolean;
  readonly isTableOnly: boolean;
}

function optionsGiven(): Options {
  const { values } = parseArgs({
    options: {
      raft: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
      seeds: { type: 'string' },
      table: { type: 'boolean', default: false },
    },
  });
  const seeds = values.seeds === undefined ? (values.quick ? SEEDS_QUICK : SEEDS) : Number(values.seeds);
  if (!Number.isSafeInteger(seeds) || seeds < 0)
    throw new UsageError(`--seeds is a whole number, not ${values.seeds}.`);
  const rafts = values.raft?.map(raftNamed) ?? mistakes;
  return { rafts, seeds, isQuick: values.quick, isTableOnly: values.table };
}

function raftNamed(name: string): Mistake {
  const found = mistakes.find((mistake) => mistake.name === name);
  if (found !== undefined) return found;
  throw new UsageError(`There is no Raft ${name}. There are: ${mistakes.map((each) => each.name).join(', ')}.`);
}

class UsageError extends Error {}

interface Work {
  readonly data: string;
  readonly scratch: string;
  readonly seeds: number;
  readonly signal: AbortSignal;
}

/** The search first: it is the shorter half. */
async function measure(mistake: Mistake, { data, scratch, seeds, signal }: Work): Promise<void> {
  const text = mistaken(right, mistake);
  const code = codeOfText(text);
  const path = join(scratch, `${mistake.name}.mjs`);
  writeFileSync(path, text);
  let results: Results = readResults(data, mistake.name, code) ?? emptyResults(mistake, code);
  const measured = { path, signal, onProgress: (what: string) => progress(mistake, results, seeds, what) };
  if (results.search === null) {
    const search = await searchSide(measured);
    if (search === null) return;
    results = { ...results, search };
    writeResults(data, results);
  }
  await runSeeds(measured, results.runs, seeds, (runs) => {
    results = { ...results, runs };
    writeResults(data, results);
    progress(mistake, results, seeds, `seed ${runs.seeds} done`);
  });
  if (signal.aborted) return;
  progress(mistake, results, seeds, 'done', '\n');
}

/** One line, written over at a terminal; elsewhere only what is done. */
function progress({ name }: Mistake, { runs, search }: Results, seeds: number, what: string, end = ''): void {
  if (end === '' && !process.stderr.isTTY) return;
  const at = `${mistakes.findIndex((mistake) => mistake.name === name) + 1} of ${mistakes.length}`;
  const searched = search === null ? 'not searched' : (search.caught[0]?.test ?? 'no search fails');
  const line = `${at}  ${name}: ${searched}; ${runs.caught.length} of ${runs.seeds} runs (of ${seeds})  ${what}`;
  process.stderr.write(process.stderr.isTTY ? `\r\u001B[2K${line}${end}` : `${line}${end}`);
}

/** Null also where the Raft has become another since. */
function resultsOf(data: string, mistake: Mistake): Results | null {
  return readResults(data, mistake.name, codeOfText(mistaken(right, mistake)));
}

function tables(data: string): string {
  const folder = join(root, 'docs/lab');
  const guide = rowsOf(readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8')));
  return tablesOf(
    mistakes.map((mistake) => ({ mistake, results: resultsOf(data, mistake) })),
    guide,
  );
}

function writeTables(data: string): void {
  writeFileSync(page, pageWith(readFileSync(page, 'utf8'), tables(data)));
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError) && !isParseError(error)) throw error;
  process.stderr.write(`${(error as Error).message}\n\n${usage}`);
  process.exitCode = 2;
}

function isParseError(error: unknown): boolean {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
