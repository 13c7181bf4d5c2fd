import { UsageError } from '../usage-error.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** "500ms", "5s", "1m30s" or a plain number of seconds, as milliseconds. */
export function parseDuration(flag: string, text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length > 0 && parts.map(([part]) => part).join('') === text) {
    return positive(
      flag,
      text,
      parts.reduce((sum, [, number, unit = 's']) => sum + Number(number) * (UNITS[unit] ?? 0), 0),
    );
  }
  return positive(flag, text, /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Number.NaN);
}

function positive(flag: string, text: string, ms: number): number {
  if (ms > 0) return ms;
  throw new UsageError(`${flag} is "${text}"; it takes a duration above zero, such as 500ms, 5s or 1m30s.`);
}
