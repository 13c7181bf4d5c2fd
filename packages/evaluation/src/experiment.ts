/** What an experiment is: a question, the cells that answer it, and what is drawn of them. */
import type { Harness } from './harness/harness.ts';
import type { Figure } from './plots/figure.ts';

/** One observation, and the settings of one cell: plain columns, so that they become JSON and CSV without a word of translation. */
export type Row = Readonly<Record<string, string | number | boolean | null>>;

/** `quick` answers in about a minute, with few observations of few cells; `full` is what a paper would cite. */
export type Scale = 'full' | 'quick';

/** One combination of settings. */
export interface Cell {
  /** Names its files: lower-case letters, digits, dots and dashes. */
  readonly key: string;
  /** The settings, as columns. */
  readonly settings: Row;
  /** Servers that it starts at most: bounds the ports that are needed. */
  readonly servers: number;
  /** About how long it takes, for the estimate of time left. */
  readonly seconds: number;
  /** Makes the observations: each goes to `harness.record` as it comes. */
  run(harness: Harness): Promise<void>;
}

/** What became of a cell. */
export interface CellResult {
  readonly key: string;
  readonly settings: Row;
  readonly rows: readonly Row[];
  /** What the harness had to say, e.g. why something is missing. */
  readonly notes: readonly string[];
  /** Null if the cell ended as planned. */
  readonly failure: string | null;
}

/** A column of the rows that the tables sum up: count, median and percentiles for each cell. */
export interface Measure {
  readonly column: string;
  readonly label: string;
  readonly unit: string;
  /** Only rows with these values count. */
  readonly where?: Row;
}

export interface Experiment {
  /** As on the command line. */
  readonly name: string;
  readonly title: string;
  readonly question: string;
  /** What was done, how it was measured, and what it cannot show. */
  readonly method: string;
  readonly measures: readonly Measure[];
  cells(scale: Scale): readonly Cell[];
  /** Drawn from what there is; a figure that lacks cells says so itself. */
  figures(results: readonly CellResult[]): readonly Figure[];
}
