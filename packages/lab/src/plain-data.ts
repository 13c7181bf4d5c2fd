/** Copies and measures plain data, in one walk. What is no plain data is refused, by the path to it. */
import type { PlainData } from './interface.ts';

export interface Copied {
  readonly value: PlainData;
  /** The length of the value as JSON without spaces, bytes counted as they are. What was saved or sent is measured so. */
  readonly bytes: number;
}

/** Somebody sends, saves or proposes what cannot leave its memory. */
export class NotPlainError extends TypeError {
  override readonly name = 'NotPlainError';
}

/** Nesting beyond this is taken for a circle. */
const MAX_DEPTH = 100;

export function copyPlain(value: unknown): Copied {
  const measure = { bytes: 0 };
  return { value: copy(value, '', 0, measure), bytes: measure.bytes };
}

/** @throws NotPlainError that names what it is, and where. */
function copy(value: unknown, path: string, depth: number, measure: { bytes: number }): PlainData {
  if (depth > MAX_DEPTH) throw new NotPlainError(`${path.slice(0, 60)}… is nested too deeply, or contains itself.`);
  switch (typeof value) {
    case 'number':
      measure.bytes += Number.isInteger(value) ? digits(value) : String(value).length;
      return value;
    case 'string':
      measure.bytes += value.length + 2;
      return value;
    case 'boolean':
      measure.bytes += value ? 4 : 5;
      return value;
    case 'object':
      return copyObject(value, path, depth, measure);
    default:
      throw refusal(`is ${value === undefined ? 'undefined' : `a ${typeof value}`}`, path);
  }
}

function copyObject(value: object | null, path: string, depth: number, measure: { bytes: number }): PlainData {
  if (value === null) {
    measure.bytes += 4;
    return null;
  }
  if (value instanceof Uint8Array) {
    measure.bytes += value.length;
    return value.slice();
  }
  if (Array.isArray(value)) {
    measure.bytes += 1 + Math.max(1, value.length);
    return value.map((item: unknown, at) => copy(item, `${path}[${at}]`, depth + 1, measure));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw refusal(`is a ${value.constructor.name}`, path);
  }
  const copied: Record<string, PlainData> = {};
  measure.bytes += 1;
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    measure.bytes += key.length + 4;
    copied[key] = copy(item, `${path}.${key}`, depth + 1, measure);
  }
  measure.bytes += Object.keys(copied).length === 0 ? 1 : 0;
  return copied;
}

function digits(value: number): number {
  if (value < 0) return 1 + digits(-value);
  let count = 1;
  for (let rest = value; rest >= 10; rest /= 10) count += 1;
  return count;
}

function refusal(what: string, path: string): NotPlainError {
  const where = path === '' ? 'The value' : `What stands at ${path}`;
  return new NotPlainError(
    `${where} ${what}. Only null, booleans, numbers, strings, Uint8Arrays, and arrays and objects of these can be sent or saved.`,
  );
}

/** Whether two values say the same. */
export function samePlain(a: PlainData | undefined, b: PlainData | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  }
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return left.length === right.size && left.every(([key, value]) => samePlain(value, right.get(key)));
}
