import type { Logger, LogLevel } from '../environment.ts';

const order: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Lines on standard error: time, level, message, then the fields as key=value. */
export function stderrLogger(lowest: LogLevel = 'info'): Logger {
  return {
    log(level, message, fields) {
      if (order[level] < order[lowest]) return;
      const rest = Object.entries(fields ?? {}).map(([key, value]) => ` ${key}=${fieldText(value)}`);
      process.stderr.write(`${new Date().toISOString()} ${level} ${message}${rest.join('')}\n`);
    },
  };
}

function fieldText(value: unknown): string {
  return typeof value === 'string' && !/[\s"=]/.test(value) ? value : (JSON.stringify(value) ?? 'undefined');
}
