/** A plot of an experiment: a Vega-Lite specification with its data, and the words that belong to it. */
export interface Figure {
  /** Names its files. */
  readonly id: string;
  readonly title: string;
  /** What is to be seen, in which unit, and what the marks are. */
  readonly caption: string;
  /** Without `$schema`, background, fonts and title, which are the same for all. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** What one would expect to see and does not, and why. One sentence each. */
  readonly missing: readonly string[];
}

/** A column on an axis, with the unit of its values. */
export interface Axis {
  readonly field: string;
  /** With its unit in brackets, where it has one. */
  readonly title: string;
}
