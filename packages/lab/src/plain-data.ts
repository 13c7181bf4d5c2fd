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

/** @throws NotPlainError that names what it is, and where. */
export function copyPlain(value: unknown): Copied {
  const measure = { bytes: 0 };
  try {
    return { value: copy(value, 0, measure), bytes: measure.bytes };
  } catch (error) {
    throw error instanceof Refusal ? error.toError() : error;
  }
}

/** On its way out, where it passes what holds the value it speaks of, one after the other. Paths are made for nothing else. */
class Refusal extends Error {
  #path = '';

  passes(step: string): this {
    this.#path = step + this.#path;
    return this;
  }

  toError(): NotPlainError {
    if (this.message === tooDeep) return new NotPlainError(`${this.#path.slice(0, 60)}… ${tooDeep}.`);
    const where = this.#path === '' ? 'The value' : `What stands at ${this.#path}`;
    return new NotPlainError(
      `${where} ${this.message}. Only null, booleans, numbers, strings, Uint8Arrays, and arrays and objects of these can be sent or saved.`,
    );
  }
}

const tooDeep = 'is nested too deeply, or contains itself';

function copy(value: unknown, depth: number, measure: { bytes: number }): PlainData {
  if (depth > MAX_DEPTH) throw new Refusal(tooDeep);
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
      return copyObject(value, depth, measure);
    default:
      throw new Refusal(`is ${value === undefined ? 'undefined' : `a ${typeof value}`}`);
  }
}

function copyObject(value: object | null, depth: number, measure: { bytes: number }): PlainData {
  if (value === null) {
    measure.bytes += 4;
    return null;
  }
  if (value instanceof Uint8Array) {
    measure.bytes += value.length;
    return value.slice();
  }
  if (Array.isArray(value)) return copyArray(value, depth, measure);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new Refusal(`is a ${value.constructor.name}`);
  return copyRecord(value as Record<string, unknown>, depth, measure);
}

function copyArray(value: readonly unknown[], depth: number, measure: { bytes: number }): PlainData {
  measure.bytes += 1 + Math.max(1, value.length);
  const copied: PlainData[] = [];
  try {
    for (const item of value) copied.push(copy(item, depth + 1, measure));
  } catch (error) {
    throw error instanceof Refusal ? error.passes(`[${copied.length}]`) : error;
  }
  return copied;
}

function copyRecord(value: Record<string, unknown>, depth: number, measure: { bytes: number }): PlainData {
  const copied: Record<string, PlainData> = {};
  measure.bytes += 1;
  let isEmpty = true;
  let at = '';
  try {
    for (at of Object.keys(value)) {
      const item = value[at];
      if (item === undefined) continue;
      isEmpty = false;
      measure.bytes += at.length + 4;
      copied[at] = copy(item, depth + 1, measure);
    }
  } catch (error) {
    throw error instanceof Refusal ? error.passes(`.${at}`) : error;
  }
  measure.bytes += isEmpty ? 1 : 0;
  return copied;
}

function digits(value: number): number {
  if (value < 0) return 1 + digits(-value);
  let count = 1;
  for (let rest = value; rest >= 10; rest /= 10) count += 1;
  return count;
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
