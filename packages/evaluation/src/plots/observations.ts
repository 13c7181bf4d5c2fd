import type { CellResult, Row } from '../experiment.ts';

/** The rows of all cells, each with the settings of its cell; only those with these values. */
export function observations(results: readonly CellResult[], where: Row = {}): readonly Row[] {
  return results.flatMap(({ settings, rows }) =>
    rows
      .filter((row) => Object.entries(where).every(([key, wanted]) => row[key] === wanted))
      .map((row) => ({ ...settings, ...row })),
  );
}

/** The values of a column, in the order in which they first come. */
export function distinct(rows: readonly Row[], field: string): readonly string[] {
  return [...new Set(rows.map((row) => String(row[field])))];
}

/** What to say of settings that nothing was measured of; nothing if there are none. */
export function lacking(rows: readonly Row[], field: string, wanted: readonly (string | number)[]): readonly string[] {
  const absent = wanted.filter((value) => !rows.some((row) => row[field] === value));
  return absent.length === 0 ? [] : [`Not measured in this run: ${absent.join(', ')}.`];
}
