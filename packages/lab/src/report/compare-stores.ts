/** Figures of the key-value part beside those that others have published. */
import { publishedStores, type StoreRow, type StoreRun, storeSources } from './published-store.ts';

const NAME_WIDTH = 56;
const CELL_WIDTH = 20;

/** Of one test: the middle of its runs, as it is printed. */
export interface StoreFigures {
  readonly seconds: number;
  readonly calls: number;
  readonly operations: number;
}

/** Empty where nothing of the part was run. */
export function compareStoreLines(here: ReadonlyMap<string, StoreFigures>): string[] {
  const rows = Object.entries(publishedStores).flatMap(([test, row]) => {
    const figures = here.get(test);
    return figures === undefined ? [] : [{ test, figures, row, better: betterOf(figures, row) }];
  });
  if (rows.length === 0) return [];
  const beaten = rows.filter(({ better }) => better.length > 0);
  const sources = storeSources.map((source) => source.padStart(CELL_WIDTH)).join('');
  return [
    `${'seconds/RPCs/operations'.padEnd(NAME_WIDTH)}${'here'.padStart(CELL_WIDTH)}${sources}  better in both`,
    ...rows.map(({ test, figures: { seconds, calls, operations }, row, better }) => {
      const cells = [[seconds, calls, operations] as StoreRun, ...row.runs].map((run) =>
        cell(run).padStart(CELL_WIDTH),
      );
      return `${test.padEnd(NAME_WIDTH)}${cells.join('')}  ${better.length === 0 ? 'none' : better.join(', ')}`;
    }),
    `${rows.length} tests compared; in ${rows.length - beaten.length} of them nobody published better figures in both: time and RPCs, ` +
      'or where clients have so much time, operations and RPCs for each',
  ];
}

function betterOf(figures: StoreFigures, { isTimed, runs }: StoreRow): string[] {
  return storeSources.filter((_, at) => {
    const run = runs[at];
    return run !== undefined && (isTimed ? doesMore(run, figures) : takesLess(run, figures));
  });
}

function takesLess([seconds, calls]: StoreRun, here: StoreFigures): boolean {
  return calls !== null && seconds < here.seconds && calls < here.calls;
}

function doesMore([, calls, operations]: StoreRun, here: StoreFigures): boolean {
  if (calls === null || operations === null) return false;
  return operations > here.operations && calls / operations < here.calls / here.operations;
}

function cell([seconds, calls, operations]: StoreRun): string {
  return `${seconds.toFixed(1)}/${calls ?? '-'}/${operations ?? '-'}`;
}
