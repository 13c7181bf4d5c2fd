/** The files that an experiment's results become: JSON, CSV, a summary, and the plots. */
import { toCsv } from '../data/csv.ts';
import { ResultsDirectory, type StoredCell } from '../data/results-directory.ts';
import type { Experiment, Row } from '../experiment.ts';
import type { Figure } from '../plots/figure.ts';
import { summaryRows } from './summary.ts';

/** What is there of an experiment. */
export interface Results {
  readonly experiment: Experiment;
  readonly scale: string;
  readonly seed: number;
  /** As they were named, where servers did not run on this machine. */
  readonly hosts: readonly string[] | null;
  readonly cells: readonly StoredCell[];
  /** Keys of cells that are planned and not there. */
  readonly absent: readonly string[];
  readonly figures: readonly DrawnFigure[];
}

export interface DrawnFigure {
  readonly figure: Figure;
  readonly svg: string;
}

/** Reads what has been measured; null if there is nothing of this experiment below `out`. */
export function readResults(out: string, experiment: Experiment): Omit<Results, 'figures'> | null {
  const found = ResultsDirectory.find(out, experiment.name);
  if (found === null) return null;
  const { scale, seed, hosts = null } = found.plan;
  const planned = experiment.cells(scale);
  const cells = planned.flatMap((cell) => found.directory.read(cell) ?? []);
  const absent = planned.filter(({ key }) => !cells.some((each) => each.key === key)).map(({ key }) => key);
  return { experiment, scale, seed, hosts, cells, absent };
}

/** Writes everything that follows from the cells, and draws the plots. Null if there is nothing. */
export async function writeResults(out: string, experiment: Experiment): Promise<Results | null> {
  const results = readResults(out, experiment);
  if (results === null) return null;
  const directory = ResultsDirectory.find(out, experiment.name)?.directory;
  if (directory === undefined) return null;
  const rows = results.cells.flatMap(({ key, settings, rows: own }) =>
    own.map((row): Row => ({ cell: key, ...settings, ...row })),
  );
  directory.write('results.csv', toCsv(rows));
  directory.write('summary.csv', toCsv(summaryRows(results)));
  directory.write('results.json', `${JSON.stringify(jsonOf(results), null, 1)}\n`);
  // Drawing loads some megabytes: not before there is something to draw.
  const { render } = await import('../plots/render.ts');
  const figures: DrawnFigure[] = [];
  for (const figure of results.cells.length === 0 ? [] : experiment.figures(results.cells)) {
    const { spec, svg, png } = await render(figure);
    directory.write(`plots/${figure.id}.vl.json`, spec);
    directory.write(`plots/${figure.id}.svg`, svg);
    directory.write(`plots/${figure.id}.png`, png);
    figures.push({ figure, svg });
  }
  return { ...results, figures };
}

function jsonOf({ experiment, scale, seed, hosts, cells, absent }: Omit<Results, 'figures'>) {
  const { name, title, question, method } = experiment;
  return {
    experiment: name,
    title,
    question,
    method,
    scale,
    seed,
    hosts,
    absent,
    cells: cells.map(({ key, settings, rows, end }) => ({ key, settings, ...end, rows })),
  };
}
