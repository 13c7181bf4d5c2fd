// Which branches of the algorithm and of the log does the simulator reach? Runs seeds under V8's precise coverage and lists the branches
// that none of them took: each is a situation that no proof by simulation speaks of.
//
//   npm run sim-coverage -- [--seeds 300] [--first-seed 0] [--seconds 20] [--all]
//
// Without --all, guards that never had to speak are counted and not listed: branches that do nothing but throw, and values for what
// the compiler thinks may be missing.
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { SourceMap } from 'node:module';
import { basename, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { branchesOf, counterOf, judge } from './lib/branches.mjs';
import { root } from './lib/files.mjs';

/** What is measured: the built files of these folders. */
const MEASURED = ['packages/raft/dist/', 'packages/runtime/dist/wal/'];
const SHOWN_CHARACTERS = 90;

async function main() {
  const flag = (fallback) => ({ type: /** @type {const} */ ('string'), default: String(fallback) });
  const { values } = parseArgs({
    options: { seeds: flag(300), 'first-seed': flag(0), seconds: flag(20), all: { type: 'boolean', default: false } },
  });
  const whole = (name) => {
    const number = Number(values[name]);
    if (!Number.isSafeInteger(number) || number < 0) throw new Error(`--${name} needs a whole number.`);
    return number;
  };
  const [seeds, firstSeed, seconds] = [whole('seeds'), whole('first-seed'), whole('seconds')];
  const files = await measure(() => runSeeds(seeds, firstSeed, seconds));
  const reports = files.map(report).sort((a, b) => a.path.localeCompare(b.path));
  for (const folder of MEASURED)
    print(
      folder,
      reports.filter(({ path }) => path.startsWith(source(folder))),
      values.all,
    );
}

/** Runs seeds on this thread; a failure is said, and is another tool's business. */
async function runSeeds(seeds, firstSeed, seconds) {
  const { reportSeed, standardWatchers } = await import('@quorate/sim');
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const { failure } = reportSeed(seed, { faultSeconds: seconds }, standardWatchers);
    if (failure !== null)
      console.log(`seed ${seed} failed: ${failure.invariant} ${failure.first}; but ${failure.second}`);
    if (process.stderr.isTTY) process.stderr.write(`\r${seed - firstSeed + 1} of ${seeds} seeds`);
  }
  if (process.stderr.isTTY) process.stderr.write('\r');
}

/** V8's coverage of the measured files while `run` runs, loading included. */
async function measure(run) {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  await run();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  session.disconnect();
  return result.flatMap(({ url, functions }) => {
    if (!url.startsWith('file:')) return [];
    const path = fileURLToPath(url);
    const name = relative(root, path);
    return MEASURED.some((folder) => name.startsWith(folder)) ? [{ path, functions }] : [];
  });
}

function report({ path, functions }) {
  const code = readFileSync(path, 'utf8');
  const { missed, ...counts } = judge(branchesOf(path, code), counterOf(functions));
  const map = new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8')));
  const lines = startsOfLines(code);
  return {
    ...counts,
    path: source(relative(root, path)).replace(/\.js$/, '.ts'),
    missed: missed.map((branch) => {
      const offset = branch.unless ?? branch.at;
      const line = lines.findLastIndex((start) => start <= offset);
      const entry = map.findEntry(line, offset - (lines[line] ?? 0));
      const originalLine = 'originalLine' in entry ? entry.originalLine : line;
      const end = code.indexOf('\n', offset);
      const text = code.slice(offset, end < 0 ? code.length : end).replace(/^\{$/, firstLineInside(code, offset));
      return { ...branch, line: originalLine + 1, text: text.trim().slice(0, SHOWN_CHARACTERS) };
    }),
  };
}

function startsOfLines(code) {
  const starts = [0];
  for (let at = code.indexOf('\n'); at >= 0; at = code.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** What a block does first says more than its brace. */
function firstLineInside(code, offset) {
  return (
    code
      .slice(offset + 1)
      .trimStart()
      .split('\n', 1)[0] ?? ''
  );
}

function print(folder, reports, showsGuards) {
  const sum = (part) => reports.reduce((total, each) => total + part(each), 0);
  const missed = reports.flatMap((each) => each.missed);
  const [taken, total] = [sum((each) => each.taken), sum((each) => each.total)];
  console.log(`\n${source(folder)}: ${taken} of ${total} branches (${((100 * taken) / total).toFixed(1)} %)`);
  for (const each of reports) {
    const silent = each.missed.filter(({ guards }) => guards).length;
    const name = basename(each.path).padEnd(28);
    console.log(
      `  ${name}${`${each.taken} of ${each.total}`.padStart(12)}${silent === 0 ? '' : `   ${silent} guards silent`}`,
    );
    for (const { line, what, text, guards } of each.missed) {
      if (guards && !showsGuards) continue;
      console.log(`    ${each.path}:${line}  ${what}  ${text}`);
    }
  }
  const silent = missed.filter(({ guards }) => guards).length;
  console.log(`  ${missed.length - silent} places never reached, ${silent} guards that never had to speak`);
}

/** Where a built file comes from. */
function source(path) {
  return path.replace('/dist/', '/src/');
}

await main();
