/**
 * Plain data as JSON. What JSON has no word for is an object with one field: `{"$bytes": base64}`, `{"$map": [[key, value], …]}`,
 * `{"$number": "Infinity"}`. No field of ours begins with a dollar.
 */
import type { Plain } from '@quorate/runtime';
import { decodeBase64, encodeBase64 } from './base64.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [field: string]: Json };

/** Throws TypeError for what is not plain data. */
export function toJson(value: unknown): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return numberToJson(value);
  if (value instanceof Uint8Array) return { $bytes: encodeBase64(value) };
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Map) return { $map: [...value].map(([key, each]) => [toJson(key), toJson(each)]) };
  if (typeof value !== 'object') throw new TypeError(`A value of type ${typeof value} is not plain data.`);
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => {
      if (name.startsWith('$')) throw new TypeError(`A field of plain data must not begin with a dollar: ${name}.`);
      return [name, toJson(each)];
    }),
  );
}

function numberToJson(value: number): Json {
  if (Number.isSafeInteger(value)) return value;
  if (value === Number.POSITIVE_INFINITY) return { $number: 'Infinity' };
  if (value === Number.NEGATIVE_INFINITY) return { $number: '-Infinity' };
  throw new TypeError(`${value} is no safe integer: it cannot be written as plain data.`);
}

/** What `toJson` made, from parsed JSON. Throws TypeError that says what does not fit. */
export function fromJson(value: unknown): Plain {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return value;
    throw new TypeError(`${value} is no safe integer`);
  }
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value !== 'object') throw new TypeError(`a value of type ${typeof value} is not plain data`);
  const fields: readonly (readonly [string, unknown])[] = Object.entries(value);
  const [name, special] = fields[0] ?? ['', null];
  if (name.startsWith('$')) return fields.length === 1 ? specialFromJson(name, special) : unknownSpecial(name);
  return Object.fromEntries(fields.map(([field, each]) => [checkedName(field), fromJson(each)]));
}

function checkedName(name: string): string {
  return name.startsWith('$') ? unknownSpecial(name) : name;
}

function specialFromJson(name: string, value: unknown): Plain {
  if (name === '$bytes' && typeof value === 'string') {
    const bytes = decodeBase64(value);
    if (bytes !== null) return bytes;
    throw new TypeError('bytes that are not base64');
  }
  if (name === '$number' && value === 'Infinity') return Number.POSITIVE_INFINITY;
  if (name === '$number' && value === '-Infinity') return Number.NEGATIVE_INFINITY;
  if (name === '$map' && Array.isArray(value)) return new Map(value.map(pairFromJson));
  return unknownSpecial(name);
}

function pairFromJson(pair: unknown): [Plain, Plain] {
  if (!Array.isArray(pair) || pair.length !== 2) throw new TypeError('a map whose entries are not pairs');
  return [fromJson(pair[0]), fromJson(pair[1])];
}

function unknownSpecial(name: string): never {
  throw new TypeError(`a field named ${name} where none can be, or with a value it cannot have`);
}
