/** Lines for operators: text for eyes, JSON lines for machines. */
import type { Logger, LogLevel } from '@quorate/runtime';
import type { LineSink } from './line-sink.ts';

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: 'text' | 'json';
  readonly sink: LineSink;
  /** Milliseconds since 1970. */
  readonly wallTime: () => number;
}

const rank: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export function createLogger(options: LoggerOptions): Logger {
  const { level, format, sink, wallTime } = options;
  const render = format === 'json' ? jsonLine : textLine;
  return {
    log(at, message, fields) {
      if (rank[at] >= rank[level]) sink.line(render(new Date(wallTime()).toISOString(), at, message, fields ?? {}));
    },
  };
}

function textLine(time: string, level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): string {
  let line = `${time} ${level.padEnd(5)} ${oneLine(message)}`;
  for (const [name, value] of Object.entries(fields)) line += ` ${name}=${textValue(value)}`;
  return line;
}

function textValue(value: unknown): string {
  const text = typeof value === 'string' || typeof value === 'bigint' ? String(value) : json(value);
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

function oneLine(message: string): string {
  return message.replaceAll(/[\r\n]+/g, ' ');
}

function jsonLine(time: string, level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): string {
  return json({ ts: time, level, msg: message, ...fields });
}

/** JSON with bigints as decimal text and errors as their message: a log line must never throw. */
function json(value: unknown): string {
  return (
    JSON.stringify(value, (_name, each: unknown) => {
      if (typeof each === 'bigint') return each.toString();
      return each instanceof Error ? each.message : each;
    }) ?? String(value)
  );
}
