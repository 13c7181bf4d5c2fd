/**
 * Every observation as a point, its median as a bar and the span of the middle four fifths as a line: one strip for each setting. Points
 * stand beside each other where there are many, so that none hides behind the next; across a strip their place means nothing.
 */
import { summarize } from '../data/statistics.ts';
import type { Row } from '../experiment.ts';
import type { Axis } from './figure.ts';

export interface SpreadOptions {
  readonly rows: readonly Row[];
  /** Labels are broken after a comma. `labelAngle`: for long ones. Degrees. */
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

/** Of medians and spans, which stand on the points. */
const SUM_COLOUR = '#1a1a1a';

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
  const observed = stripsOf(rows, keys).flatMap((strip) =>
    inLane(strip, colour, y.field, (row) => censored === undefined || row[censored] === outcomes[0]),
  );
  const place = {
    x: {
      field: x.field,
      type: 'ordinal',
      sort: x.order,
      title: x.title,
      axis: { labelAngle: x.labelAngle ?? 0, labelLimit: 240, labelExpr: "split(datum.label, ', ')" },
    },
    xOffset: {
      field: LANE,
      type: 'quantitative',
      scale: { domain: [-0.5, colour.order.length - 0.5], zero: false, nice: false },
    },
  };
  const position = {
    ...place,
    color: {
      field: colour.field,
      type: 'nominal',
      sort: colour.order,
      title: colour.title,
      ...(colour.order.length === 1 ? { legend: null } : {}),
    },
  };
  const isAlwaysServed = censored === undefined || rows.every((each) => each[censored] === outcomes[0]);
  const scale = y.scale === 'log' ? { type: 'log' } : { zero: true };
  const vertical = { field: y.field, type: 'quantitative', title: y.title, scale };
  const layer = [
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
                ...(isAlwaysServed ? { legend: null } : {}),
              },
            }),
      },
    },
    // Where nothing ever came there is nothing to sum up, and an axis of no values has no end.
    ...(observed.some(({ part }) => part === 'span') ? sums(place, vertical) : []),
    ...(published.length === 0 ? [] : [crosses(x, y)]),
  ];
  const data = { values: [...observed, ...published.map((each) => ({ ...each, part: 'published' }))] };
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

/** The median of a strip, and the span of its middle four fifths. */
function sums(place: object, vertical: object): readonly object[] {
  const transform = [{ filter: "datum.part === 'span'" }];
  return [
    {
      transform,
      mark: { type: 'rule', strokeWidth: 1.5, color: SUM_COLOUR },
      encoding: { ...place, y: { ...vertical, field: 'p10' }, y2: { field: 'p90' } },
    },
    {
      transform,
      mark: { type: 'tick', thickness: 2.5, size: 18, color: SUM_COLOUR },
      encoding: { ...place, y: { ...vertical, field: 'median' } },
    },
  ];
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

function stripsOf(rows: readonly Row[], keys: readonly string[]): readonly (readonly Row[])[] {
  const strips = new Map<string, Row[]>();
  for (const row of rows) {
    const name = keys.map((key) => String(row[key])).join('\n');
    const strip = strips.get(name) ?? [];
    strips.set(name, strip);
    strip.push(row);
  }
  return [...strips.values()];
}

/** Where a mark stands among the strips of one place on the x axis, counted in strips. */
const LANE = 'lane';
/** Of a strip, what the points of a hundred observations take. */
const FULL_WIDTH = 0.7;

/**
 * The points of a strip with their places, its median and its span. Where observations ended without an outcome, they count as at least the
 * limit; where none came, there is no median. In order of their values points step by the golden ratio, which keeps those next to each other apart.
 */
function inLane(
  strip: readonly Row[],
  colour: SpreadOptions['colour'],
  value: string,
  hasCome: (row: Row) => boolean,
): readonly Row[] {
  const [first] = strip;
  if (first === undefined) return [];
  const middle = Math.max(0, colour.order.indexOf(String(first[colour.field])));
  const width = FULL_WIDTH * Math.min(1, Math.sqrt((strip.length - 1) / 100));
  const points = strip
    .toSorted((a, b) => Number(a[value]) - Number(b[value]))
    .map((row, i): Row => ({ ...row, part: 'observation', [LANE]: middle + width * (((i * GOLDEN) % 1) - 0.5) }));
  const summary = summarize(strip.map((row) => row[value]).filter((each) => typeof each === 'number'));
  if (summary === null || !strip.some(hasCome)) return points;
  const { p10, median, p90 } = summary;
  return [...points, { ...first, part: 'span', [LANE]: middle, p10, median, p90 }];
}

const GOLDEN = (Math.sqrt(5) - 1) / 2;
