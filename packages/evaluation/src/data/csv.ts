/** Comma-separated values as RFC 4180 has them, one header line, columns in the order in which they first appear. */
import type { Row } from '../experiment.ts';

export function toCsv(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column] ?? null))];
  return lines.map((line) => `${line.map(field).join(',')}\n`).join('');
}

/** Digits that a number keeps: all that was measured, and none of what binary fractions leave behind (1081.9999999999998). */
const DIGITS = 12;

function field(value: string | number | boolean | null): string {
  const exact = typeof value === 'number' ? Number(value.toPrecision(DIGITS)) : value;
  const text = exact === null ? '' : String(exact);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
