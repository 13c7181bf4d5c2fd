/** One look for all plots. */
import type { Figure } from './figure.ts';

/** Colours that people with colour-blindness tell apart (Okabe and Ito). */
export const PALETTE = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#6b6b6b', '#000000'];

const FONT = 'DejaVu Sans, Liberation Sans, Arial, sans-serif';

/** The whole specification, as it is written beside the data. */
export function themed({ title, spec }: Figure): Record<string, unknown> {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    padding: 12,
    title: { text: title, anchor: 'start', fontSize: 15, offset: 14 },
    config: {
      font: FONT,
      axis: { labelFontSize: 11, labelLimit: 300, titleFontSize: 12, titleFontWeight: 'normal', gridColor: '#e6e6e6' },
      header: { labelFontSize: 12, titleFontSize: 12, titleFontWeight: 'normal' },
      legend: { labelFontSize: 11, titleFontSize: 12, titleFontWeight: 'normal', labelLimit: 400, titleLimit: 400 },
      range: { category: PALETTE },
      view: { stroke: '#cccccc' },
    },
    ...spec,
  };
}
