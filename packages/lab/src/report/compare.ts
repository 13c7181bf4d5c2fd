/** Our figures, or a student's, beside those that others have published. */
import type { Outcome } from '../session/protocol.ts';
import { compareStoreLines } from './compare-stores.ts';
import { published, type PublishedRun, publishedSources } from './published.ts';

const NAME_WIDTH = 26;
const CELL_WIDTH = 12;

/** Of one test: the middle of its runs, as it is printed. */
interface Figures {
  readonly seconds: number;
  readonly calls: number;
  readonly bytes: number;
  /** Of clients, in the key-value part. */
  readonly operations: number;
}

/** A table of all tests that have published figures, then what it comes to; and one of the key-value part. Failed runs have no figures. */
export function compareLines(outcomes: readonly Outcome[]): string[] {
  const here = byTest(outcomes);
  const stores = compareStoreLines(here);
  const rafts = compareRaftLines(here);
  if (stores.length === 0) return rafts;
  return Object.keys(published).some((test) => here.has(test)) ? [...rafts, '', ...stores] : stores;
}

function compareRaftLines(here: ReadonlyMap<string, Figures>): string[] {
  const rows = Object.entries(published).flatMap(([test, others]) => {
    const figures = here.get(test);
    return figures === undefined ? [] : [{ test, figures, others, better: betterOf(figures, others) }];
  });
  const beaten = rows.filter(({ better }) => better.length > 0);
  const sources = publishedSources.map((source) => source.padStart(CELL_WIDTH)).join('');
  return [
    `${'seconds/RPCs'.padEnd(NAME_WIDTH)}${'here'.padStart(CELL_WIDTH)} ${sources}${'bytes here'.padStart(CELL_WIDTH)}${'others from'.padStart(CELL_WIDTH)}  better in both`,
    ...rows.map(({ test, figures, others, better }) => {
      const cells = others.map((run) => (run === null ? '-' : cell(run[0], run[1])).padStart(CELL_WIDTH)).join('');
      const own = cell(figures.seconds, figures.calls).padStart(CELL_WIDTH);
      const bytes = [String(figures.bytes), fewestBytes(others)].map((each) => each.padStart(CELL_WIDTH)).join('');
      return `${test.padEnd(NAME_WIDTH)}${own} ${cells}${bytes}  ${better.length === 0 ? 'none' : better.join(', ')}`;
    }),
    `${rows.length} tests compared; in ${rows.length - beaten.length} of them nobody published better figures in both time and RPCs`,
  ];
}

function byTest(outcomes: readonly Outcome[]): Map<string, Figures> {
  const passed = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    if (outcome.failure !== null || outcome.notOffered !== null) continue;
    const runs = passed.get(outcome.test) ?? [];
    passed.set(outcome.test, runs);
    runs.push(outcome);
  }
  return new Map(
    [...passed].map(([test, runs]) => [
      test,
      {
        seconds: Math.round(middle(runs.map(({ elapsed }) => elapsed)) / 100) / 10,
        calls: middle(runs.map(({ calls }) => calls)),
        bytes: middle(runs.map(({ bytes }) => bytes)),
        operations: middle(runs.map(({ agreed }) => agreed)),
      },
    ]),
  );
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Who needed less time and fewer RPCs, to the tenth of a second that they print. */
function betterOf({ seconds, calls }: Figures, others: readonly (PublishedRun | null)[]): string[] {
  return publishedSources.filter((_, at) => {
    const run = others[at] ?? null;
    return run !== null && run[0] < seconds && run[1] < calls;
  });
}

function fewestBytes(others: readonly (PublishedRun | null)[]): string {
  const printed = others.flatMap((run) => (run === null || run[2] === null ? [] : [run[2]]));
  return printed.length === 0 ? '-' : String(Math.min(...printed));
}

function cell(seconds: number, calls: number): string {
  return `${seconds.toFixed(1)}/${calls}`;
}
