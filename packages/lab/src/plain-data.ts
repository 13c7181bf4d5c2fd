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

/**
 * `former`: a copy of before, which nobody changes. The copy shares with it how a list begins, as far as that is equal: a log that is saved
 * again and again is copied once. @throws NotPlainError that names what it is, and where.
 */
export function copyPlain(value: unknown, former?: PlainData): Copied {
  return handOn(value, false, former);
}

/** As copyPlain; but what nobody is going to change (`isSharing`) is only measured. */
export function handOn(value: unknown, isSharing: boolean, former?: PlainData): Copied {
  const measure: Measure = { bytes: 0, isSharing };
  try {
    return { value: copy(value, former, 0, measure), bytes: measure.bytes };
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

interface Measure {
  bytes: number;
  /** The copy is the value itself. */
  readonly isSharing: boolean;
}

function copy(value: unknown, former: PlainData | undefined, depth: number, measure: Measure): PlainData {
  if (depth > MAX_DEPTH) throw new Refusal(tooDeep);
  switch (typeof value) {
    case 'number':
    case 'string':
    case 'boolean':
      measure.bytes += sizeOf(value);
      return value;
    case 'object':
      return copyObject(value, former, depth, measure);
    default:
      throw new Refusal(`is ${value === undefined ? 'undefined' : `a ${typeof value}`}`);
  }
}

function sizeOf(value: number | string | boolean): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value === 'boolean') return value ? 4 : 5;
  return Number.isInteger(value) ? digits(value) : String(value).length;
}

function copyObject(value: object | null, former: PlainData | undefined, depth: number, measure: Measure): PlainData {
  if (value === null) {
    measure.bytes += 4;
    return null;
  }
  if (value instanceof Uint8Array) {
    measure.bytes += value.length;
    return measure.isSharing ? value : value.slice();
  }
  if (Array.isArray(value)) return copyArray(value, isList(former) ? former : [], depth, measure);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new Refusal(`is a ${value.constructor.name}`);
  return copyRecord(value as Record<string, unknown>, isRecord(former) ? former : {}, depth, measure);
}

function copyArray(
  value: readonly unknown[],
  former: readonly PlainData[],
  depth: number,
  measure: Measure,
): PlainData {
  measure.bytes += 1 + Math.max(1, value.length);
  const { isSharing } = measure;
  const same = isSharing ? 0 : sameBeginning(value, former, measure);
  if (!isSharing && same === value.length && same === former.length) return former;
  const copied = former.slice(0, same);
  let at = same;
  try {
    for (; at < value.length; at++) {
      const item = copy(value[at], former[at], depth + 1, measure);
      if (!isSharing) copied.push(item);
    }
  } catch (error) {
    throw error instanceof Refusal ? error.passes(`[${at}]`) : error;
  }
  return isSharing ? (value as readonly PlainData[]) : copied;
}

/** How many of the first items are equal to the former ones. */
function sameBeginning(value: readonly unknown[], former: readonly PlainData[], measure: Measure): number {
  const most = Math.min(value.length, former.length);
  for (let at = 0; at < most; at++) {
    const size = sizeIfSame(value[at], former[at] ?? null);
    if (size < 0) return at;
    measure.bytes += size;
  }
  return most;
}

/** What a record of numbers, words and the like takes if it is equal to the former one; -1 for whatever else: that is copied. */
function sizeIfSame(value: unknown, former: PlainData): number {
  if (typeof value !== 'object' || value === null || !isRecord(former)) return -1;
  if (Object.getPrototypeOf(value) !== Object.prototype) return -1;
  let bytes = 1;
  let fields = 0;
  for (const at in value) {
    const item = (value as Record<string, unknown>)[at];
    if (item === undefined || !Object.is(item, former[at])) return -1;
    if (item === null) bytes += 4;
    else if (typeof item === 'object') return -1;
    else bytes += sizeOf(item as number | string | boolean);
    bytes += at.length + 4;
    fields += 1;
  }
  for (const _ in former) fields -= 1;
  return fields === 0 && bytes > 1 ? bytes : -1;
}

function isList(value: PlainData | undefined): value is readonly PlainData[] {
  return Array.isArray(value);
}

function isRecord(value: PlainData | undefined): value is { readonly [key: string]: PlainData | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function copyRecord(
  value: Record<string, unknown>,
  former: { readonly [key: string]: PlainData | undefined },
  depth: number,
  measure: Measure,
): PlainData {
  const copied: Record<string, PlainData> = {};
  measure.bytes += 1;
  let isEmpty = true;
  let at = '';
  try {
    // Its prototype has nothing that could be counted here.
    for (at in value) {
      const item = value[at];
      if (item === undefined) continue;
      isEmpty = false;
      measure.bytes += at.length + 4;
      if (measure.isSharing) copy(item, undefined, depth + 1, measure);
      else copied[at] = copy(item, Object.hasOwn(former, at) ? former[at] : undefined, depth + 1, measure);
    }
  } catch (error) {
    throw error instanceof Refusal ? error.passes(`.${at}`) : error;
  }
  measure.bytes += isEmpty ? 1 : 0;
  return measure.isSharing ? (value as { readonly [key: string]: PlainData }) : copied;
}

/** Of a whole number. Logs of thousands of entries are measured at every step, so nothing is divided here. */
function digits(value: number): number {
  if (value < 0) return 1 + digits(-value);
  if (value < 10_000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1_000 ? 3 : 4;
  if (value < 100_000_000) return value < 1_000_000 ? (value < 100_000 ? 5 : 6) : value < 10_000_000 ? 7 : 8;
  return value < 1e9 ? 9 : String(value).length;
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
