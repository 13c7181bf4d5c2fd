/** What happened while something was measured: a dashed line across the plot for each, and its words above it, where nothing else stands. */

const ofEvents = { transform: [{ filter: "datum.part === 'event'" }] };

/** Lines where rows whose `part` is `event` stand on the axis `x`. */
export function eventLines(x: object, color: string): object {
  return { ...ofEvents, mark: { type: 'rule', color, strokeDash: [4, 3] }, encoding: { x } };
}

/** Their words: the column `what`. Slanted, so that those of neighbours do not meet. */
export function eventWords(x: object, color: string): object {
  return {
    ...ofEvents,
    mark: { type: 'text', angle: 325, align: 'left', baseline: 'bottom', dx: 2, fontSize: 11, color },
    encoding: { x, y: { value: -3 }, text: { field: 'what', type: 'nominal' } },
  };
}
