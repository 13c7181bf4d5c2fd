/** Vega-Lite → SVG → PNG, without a browser. Loaded only when something is drawn. */
import { Resvg } from '@resvg/resvg-js';
import { logger, parse, View, Warn } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Figure } from './figure.ts';
import { themed } from './theme.ts';

export interface Rendered {
  /** The specification, as JSON. */
  readonly spec: string;
  readonly svg: string;
  readonly png: Uint8Array;
}

/** Pixels a unit of the drawing. */
const PNG_SCALE = 2;

/** Rejects when the specification cannot be drawn as it stands: a figure that lacks a field must not pass for one that is empty. */
export async function render(figure: Figure): Promise<Rendered> {
  const spec = themed(figure);
  const complaints: string[] = [];
  const listener = logger(Warn, 'warn', (_method, _level, words: readonly unknown[]) => {
    complaints.push(words.map(String).join(' '));
  });
  // The specifications are ours, plain JSON; the type of all that Vega-Lite takes is of no help here.
  const { spec: vega } = compile(spec as unknown as TopLevelSpec, { logger: listener });
  const view = new View(parse(vega), { renderer: 'none', logger: listener });
  const svg = await view.toSVG();
  view.finalize();
  if (complaints.length > 0) throw new Error(`Figure ${figure.id} cannot be drawn as it is: ${complaints.join('; ')}`);
  const png = new Resvg(svg, { fitTo: { mode: 'zoom', value: PNG_SCALE } }).render().asPng();
  return { spec: `${JSON.stringify(spec, null, 1)}\n`, svg, png };
}
