/** Observations over a quantity, each a point, with lines that join their medians. */
import type { Row } from '../experiment.ts';
import type { Axis } from './figure.ts';
import { distinct } from './observations.ts';

export interface CurvesOptions {
  readonly rows: readonly Row[];
  readonly x: Axis & { readonly scale: 'linear' | 'log' };
  readonly y: Axis & { readonly scale: 'linear' | 'log' };
  readonly colour: Axis;
  readonly dash?: Axis;
  readonly column?: Axis;
  readonly row?: Axis;
  /** Draws y = x up to here. */
  readonly diagonal?: number;
  /** Points of every observation; false where they would hide the lines. */
  readonly points?: boolean;
  /** Lines that join the medians; false where hardly two observations share an x. */
  readonly lines?: boolean;
  readonly width?: number;
  readonly height?: number;
}

export function curves(options: CurvesOptions): Readonly<Record<string, unknown>> {
  const {
    rows,
    x,
    y,
    colour,
    dash,
    column,
    row,
    diagonal,
    points = true,
    lines = true,
    width = 330,
    height = 260,
  } = options;
  const encoding = {
    x: { field: x.field, type: 'quantitative', title: x.title, scale: { type: x.scale, nice: x.scale === 'linear' } },
    color: { field: colour.field, type: 'nominal', title: colour.title, sort: null },
  };
  // Of the lines alone: with points, the legend would show points, which look all alike.
  const dashes = dash === undefined ? {} : { strokeDash: dashesOf(dash) };
  const vertical = { field: y.field, type: 'quantitative', title: y.title, scale: { type: y.scale } };
  const layer = [
    ...(lines
      ? [
          {
            mark: { type: 'line', strokeWidth: 2 },
            encoding: { ...encoding, ...dashes, y: { ...vertical, aggregate: 'median', title: y.title } },
          },
        ]
      : []),
    ...(points
      ? [{ mark: { type: 'point', filled: true, opacity: 0.5, size: 24 }, encoding: { ...encoding, y: vertical } }]
      : []),
    ...(diagonal === undefined ? [] : [diagonalUpTo(diagonal)]),
  ];
  const data = { values: rows };
  if (column === undefined && row === undefined) return { data, width, height, layer };
  return {
    data,
    facet: {
      ...(column === undefined ? {} : { column: facet(column, rows) }),
      ...(row === undefined ? {} : { row: facet(row, rows) }),
    },
    spec: { width, height, layer },
  };
}

function dashesOf({ field, title }: Axis) {
  const legend = { symbolType: 'stroke', symbolSize: 700, symbolStrokeColor: '#555555', symbolStrokeWidth: 2 };
  return { field, type: 'nominal', title, sort: null, legend };
}

/** In the order in which the rows come. */
function facet({ field, title }: Axis, rows: readonly Row[]) {
  return { field, type: 'nominal', title, sort: distinct(rows, field) };
}

function diagonalUpTo(most: number): Readonly<Record<string, unknown>> {
  return {
    data: { values: [{ at: 0 }, { at: most }] },
    mark: { type: 'line', color: '#999999', strokeWidth: 1, strokeDash: [4, 4] },
    encoding: { x: { field: 'at', type: 'quantitative' }, y: { field: 'at', type: 'quantitative' } },
  };
}
