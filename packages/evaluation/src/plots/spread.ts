/** Every observation as a point, its median as a bar and the span of the middle four fifths as a line: one strip for each setting. */
import { summarize } from '../data/statistics.ts';
import type { Row } from '../experiment.ts';
import type { Axis } from './figure.ts';

export interface SpreadOptions {
  readonly rows: readonly Row[];
  /** `labelAngle`: for long labels. Degrees. */
  readonly x: Axis & { readonly order: readonly string[]; readonly labelAngle?: number };
  readonly y: Axis & { readonly scale?: 'linear' | 'log' };
  readonly colour: Axis & { readonly order: readonly string[] };
  readonly column?: Axis & { readonly order: readonly string[] };
  readonly row?: Axis & { readonly order: readonly string[] };
  /** Column that tells what came from what never did, which is drawn as a triangle. */
  readonly censored?: string;
  /** What that column says where it came and where it did not. */
  readonly outcomes?: readonly [string, string];
  readonly width?: number;
  readonly height?: number;
  /** Figures that others have published, drawn as crosses: the same columns, but for the colour's. */
  readonly published?: readonly Row[];
}

const OUTCOMES = ['served', 'none'] as const;

export function spread(options: SpreadOptions): Readonly<Record<string, unknown>> {
  const {
    rows,
    x,
    y,
    colour,
    column,
    row,
    censored,
    outcomes = OUTCOMES,
    width = 260,
    height = 260,
    published = [],
  } = options;
  const keys = [x, colour, ...(column === undefined ? [] : [column]), ...(row === undefined ? [] : [row])].map(
    ({ field }) => field,
  );
  const points = rows.map((each) => ({ ...each, part: 'observation' }));
  const sums = groups(rows, keys, y.field);
  const position = {
    x: {
      field: x.field,
      type: 'ordinal',
      sort: x.order,
      title: x.title,
      axis: { labelAngle: x.labelAngle ?? 0, labelLimit: 240 },
    },
    xOffset: { field: colour.field, sort: colour.order },
    color: { field: colour.field, type: 'nominal', sort: colour.order, title: colour.title },
  };
  const scale = y.scale === 'log' ? { type: 'log' } : { zero: true };
  const vertical = { field: y.field, type: 'quantitative', title: y.title, scale };
  const layer = [
    {
      transform: [{ filter: "datum.part === 'span'" }],
      mark: { type: 'rule', strokeWidth: 1.5 },
      encoding: { ...position, y: { ...vertical, field: 'p10' }, y2: { field: 'p90' } },
    },
    {
      transform: [{ filter: "datum.part === 'span'" }],
      mark: { type: 'tick', thickness: 3, size: 16 },
      encoding: { ...position, y: { ...vertical, field: 'median' } },
    },
    // On top: an observation that never came must not hide behind the bar at the limit.
    {
      transform: [{ filter: "datum.part === 'observation'" }],
      mark: { type: 'point', opacity: 0.6, size: 26, filled: true, stroke: 'white', strokeWidth: 0.4 },
      encoding: {
        ...position,
        y: vertical,
        ...(censored === undefined
          ? {}
          : {
              size: { condition: { test: `datum['${censored}'] === '${outcomes[1]}'`, value: 80 }, value: 26 },
              shape: {
                field: censored,
                type: 'nominal',
                title: 'outcome',
                sort: outcomes,
                scale: { domain: outcomes, range: ['circle', 'triangle-up'] },
              },
            }),
      },
    },
    ...(published.length === 0 ? [] : [crosses(x, y)]),
  ];
  const data = { values: [...points, ...sums, ...published.map((each) => ({ ...each, part: 'published' }))] };
  if (column === undefined && row === undefined) return { data, width, height, layer };
  return {
    data,
    facet: {
      ...(column === undefined ? {} : { column: facet(column) }),
      ...(row === undefined ? {} : { row: facet(row) }),
    },
    spec: { width, height, layer },
  };
}

function crosses(x: SpreadOptions['x'], y: Axis): Readonly<Record<string, unknown>> {
  return {
    transform: [{ filter: "datum.part === 'published'" }],
    mark: { type: 'point', shape: 'cross', size: 70, color: '#444444', filled: true },
    encoding: {
      x: { field: x.field, type: 'ordinal', sort: x.order },
      y: { field: y.field, type: 'quantitative' },
    },
  };
}

function facet({ field, title, order }: Axis & { readonly order: readonly string[] }) {
  return { field, type: 'ordinal', title, sort: order };
}

/** Median and span of each strip. Where observations ended without an outcome, they count as at least the limit. */
function groups(rows: readonly Row[], keys: readonly string[], value: string) {
  const strips = new Map<string, Row[]>();
  for (const row of rows) {
    const name = keys.map((key) => String(row[key])).join('\n');
    strips.set(name, [...(strips.get(name) ?? []), row]);
  }
  return [...strips.values()].flatMap((strip) => {
    const [first] = strip;
    const values = strip.map((row) => row[value]).filter((each) => typeof each === 'number');
    const summary = summarize(values);
    if (first === undefined || summary === null) return [];
    const { p10, median, p90 } = summary;
    const same = Object.fromEntries(keys.map((key) => [key, first[key] ?? null]));
    return [{ ...same, part: 'span', p10, median, p90 }];
  });
}
