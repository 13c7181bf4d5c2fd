/** A table drawn as etcdctl draws its own. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`;
  const draw = (cells: readonly string[], place: (text: string, width: number) => string): string =>
    `|${cells.map((cell, column) => ` ${place(cell, widths[column] ?? 0)} `).join('|')}|`;
  return [
    rule,
    draw(
      heading.map((title) => title.toUpperCase()),
      centred,
    ),
    rule,
    ...rows.map((row) => draw(row, aligned)),
    ...(rows.length > 0 ? [rule] : []),
  ].join('\n');
}

/** Numbers to the right, everything else to the left. */
function aligned(text: string, width: number): string {
  return /^-?\d+$/.test(text) ? text.padStart(width) : text.padEnd(width);
}

function centred(text: string, width: number): string {
  return text.padStart(Math.ceil((width - text.length) / 2) + text.length).padEnd(width);
}
