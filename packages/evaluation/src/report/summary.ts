/** Count, median and percentiles of each measure, for each cell. */
import { summarize, type Summary } from '../data/statistics.ts';
import type { CellResult, Experiment, Measure, Row } from '../experiment.ts';

export function valuesOf(rows: readonly Row[], { column, where = {} }: Measure): readonly number[] {
  return rows
    .filter((row) => Object.entries(where).every(([key, wanted]) => row[key] === wanted))
    .flatMap((row) => {
      const value = row[column];
      return typeof value === 'number' ? [value] : [];
    });
}

export function summaryOf(cell: CellResult, measure: Measure): Summary | null {
  return summarize(valuesOf(cell.rows, measure));
}

/** As rows for a table of its own: a row for each cell and measure that has values. */
export function summaryRows(results: {
  readonly experiment: Experiment;
  readonly cells: readonly CellResult[];
}): readonly Row[] {
  return results.cells.flatMap((cell) =>
    results.experiment.measures.flatMap((measure) => {
      const summary = summaryOf(cell, measure);
      if (summary === null) return [];
      return [{ cell: cell.key, ...cell.settings, measure: measure.label, unit: measure.unit, ...summary }];
    }),
  );
}
