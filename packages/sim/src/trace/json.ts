/**
 * The JSON form: one document, one record a line, so that long traces are written and read piece by piece and compared with line tools.
 * A document that was laid out anew is read as well, as a whole.
 */
import type { Plain } from '@quorate/runtime';
import { fromJson, toJson } from './plain-json.ts';
import { TraceError, traceFormat, type TraceHeader, type TraceRecord, traceVersion } from './trace.ts';

const opening = ',"records":[';
const closing = ']}';

/** The document's lines, without line ends. */
export function* encodeTrace(header: TraceHeader, records: Iterable<TraceRecord>): Generator<string, void, undefined> {
  yield JSON.stringify(toJson(header)).slice(0, -1) + opening;
  let line: string | null = null;
  for (const record of records) {
    if (line !== null) yield `${line},`;
    line = JSON.stringify(toJson(record));
  }
  if (line !== null) yield line;
  yield closing;
}

export interface DecodedTrace {
  readonly header: TraceHeader;
  /** Read as they are asked for; may be walked once. Throws TraceError where a record is none. */
  readonly records: Iterable<TraceRecord>;
}

/** Reads a document from its lines. Throws TraceError when it is no trace of a version that this build reads. */
export function decodeTrace(lines: Iterable<string>): DecodedTrace {
  const iterator = lines[Symbol.iterator]();
  const first = iterator.next();
  const line = first.done === true ? '' : first.value.trimEnd();
  if (line.endsWith(opening)) {
    const header = checkHeader(parse(`${line.slice(0, -opening.length)}}`, 1));
    return { header, records: decodeLines(iterator) };
  }
  return decodeWhole(line, iterator);
}

function* decodeLines(iterator: Iterator<string>): Generator<TraceRecord, void, undefined> {
  for (let number = 2; ; number++) {
    const next = iterator.next();
    if (next.done === true) {
      throw new TraceError(
        'Truncated',
        'The trace ends before its closing bracket: the file is not whole.',
        number - 1,
      );
    }
    const text = next.value.trimEnd();
    if (text === closing) return;
    yield checkRecord(parse(text.endsWith(',') ? text.slice(0, -1) : text, number), number);
  }
}

function decodeWhole(first: string, rest: Iterator<string>): DecodedTrace {
  const lines = [first];
  for (let next = rest.next(); next.done !== true; next = rest.next()) lines.push(next.value);
  const { records, ...header } = asObject(parse(lines.join('\n'), 0), 0);
  if (!Array.isArray(records)) throw notATrace(0);
  return { header: checkHeader(header), records: records.map((record: Plain) => checkRecord(record, 0)) };
}

function parse(text: string, line: number): Plain {
  try {
    return fromJson(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (line <= 1) throw notATrace(line, reason, error);
    throw new TraceError('Malformed', `This is not a line of a trace: ${reason}.`, line, { cause: error });
  }
}

function checkHeader(value: Plain): TraceHeader {
  const header = asObject(value, 1);
  const { format, version, codeVersion, createdBy, configuration } = header;
  if (format !== traceFormat) throw notATrace(1);
  if (version !== traceVersion) {
    throw new TraceError(
      'UnsupportedVersion',
      `The trace has format version ${JSON.stringify(version)}, this build reads ${traceVersion}. Use the build that made it.`,
      1,
    );
  }
  if (typeof codeVersion !== 'string' || typeof createdBy !== 'string') throw notATrace(1);
  return { format, version, codeVersion, createdBy, configuration: asObject(configuration ?? null, 1) };
}

/** The record's outline. What stands in inputs, states and actions is for those to judge who use them. */
function checkRecord(value: Plain, line: number): TraceRecord {
  const record = asObject(value, line);
  if (!isSound(record, line)) throw new TraceError('Malformed', 'This is not a record of a trace.', line);
  return record as unknown as TraceRecord;
}

function isSound(record: Fields, line: number): boolean {
  switch (record['kind']) {
    case 'decision':
      return isNumber(record['at']) && isNumber(record['step']) && hasKind(record['action'], line);
    case 'seen':
      return (
        isNumber(record['at']) &&
        (record['server'] === null || typeof record['server'] === 'string') &&
        hasKind(record['event'], line)
      );
    default:
      return isOfServer(record) && isBody(record, line);
  }
}

function hasKind(value: Plain | undefined, line: number): boolean {
  return typeof asObject(value ?? null, line)['kind'] === 'string';
}

function isOfServer({ server, life, number, outputs, sent }: Fields): boolean {
  return (
    typeof server === 'string' &&
    typeof life === 'string' &&
    isNumber(number) &&
    Array.isArray(outputs) &&
    outputs.every(isNumber) &&
    Array.isArray(sent)
  );
}

function isBody(record: Fields, line: number): boolean {
  if (record['kind'] === 'input') {
    const input = asObject(record['input'] ?? null, line);
    return typeof input['kind'] === 'string' && isNumber(input['now']);
  }
  if (record['kind'] !== 'checkpoint') return false;
  const anchor = asObject(record['anchor'] ?? null, line);
  asObject(asObject(record['state'] ?? null, line)['log'] ?? null, line);
  asObject(record['options'] ?? null, line);
  return isNumber(anchor['wallTime']) && isNumber(anchor['now']);
}

type Fields = { readonly [field: string]: Plain };

function asObject(value: Plain, line: number): Fields {
  const isObject =
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Map) &&
    !(value instanceof Uint8Array);
  if (!isObject) throw new TraceError('Malformed', 'Where an object belongs there is none.', line);
  return value as Fields;
}

function isNumber(value: Plain | undefined): value is number {
  return typeof value === 'number';
}

function notATrace(line: number, reason = 'its first line is another', cause?: unknown): TraceError {
  const message = `This is no Quorate trace (${reason}). \`quorate trace export\` and \`quorate sim\` make them.`;
  return new TraceError('NotATrace', message, line, { cause });
}
