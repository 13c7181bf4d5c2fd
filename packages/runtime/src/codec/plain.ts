/**
 * Plain data as bytes, whatever its shape: null, booleans, numbers, strings, byte arrays, arrays, maps and objects. For what grows
 * with every chapter (a core's whole state) and must come back exactly; hot paths have codecs of their own.
 *
 * Layout: a tag (one byte), then the value. Numbers from 0 on are varints, other safe integers are negated first; names of fields stand
 * once and are referred to by number after that.
 */
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

export type Plain =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Plain[]
  | ReadonlyMap<Plain, Plain>
  | { readonly [field: string]: Plain };

const tags = {
  null: 0,
  false: 1,
  true: 2,
  natural: 3,
  negative: 4,
  infinity: 5,
  minusInfinity: 6,
  string: 7,
  bytes: 8,
  array: 9,
  map: 10,
  object: 11,
} as const;

/** Deeper than any state is; what claims to be deeper is rubbish. */
const maxDepth = 64;
const maxNameBytes = 256;

/** Throws TypeError for anything that is not plain data (undefined, functions, fractions, instances of classes). */
export function writePlain(writer: ByteWriter, value: unknown): void {
  writeValue(writer, value, new Map(), 0);
}

/** What `writePlain` wrote; null, with `failed` set, for anything else. Byte arrays are views. */
export function readPlain(reader: ByteReader): Plain {
  return readValue(reader, [], 0);
}

function writeValue(writer: ByteWriter, value: unknown, names: Map<string, number>, depth: number): void {
  if (depth > maxDepth) throw new TypeError(`Plain data is nested more than ${maxDepth} deep.`);
  if (value === null) writer.u8(tags.null);
  else if (typeof value === 'boolean') writer.u8(value ? tags.true : tags.false);
  else if (typeof value === 'number') writeNumber(writer, value);
  else if (typeof value === 'string') {
    writer.u8(tags.string);
    writer.string(value);
  } else if (value instanceof Uint8Array) {
    writer.u8(tags.bytes);
    writer.counted(value);
  } else if (Array.isArray(value)) {
    writer.u8(tags.array);
    writer.varint(value.length);
    for (const each of value) writeValue(writer, each, names, depth + 1);
  } else if (value instanceof Map) {
    writer.u8(tags.map);
    writer.varint(value.size);
    for (const [key, each] of value) {
      writeValue(writer, key, names, depth + 1);
      writeValue(writer, each, names, depth + 1);
    }
  } else writeObject(writer, value, names, depth);
}

function writeNumber(writer: ByteWriter, value: number): void {
  if (Number.isSafeInteger(value)) {
    writer.u8(value < 0 ? tags.negative : tags.natural);
    writer.varint(Math.abs(value));
  } else if (value === Number.POSITIVE_INFINITY) writer.u8(tags.infinity);
  else if (value === Number.NEGATIVE_INFINITY) writer.u8(tags.minusInfinity);
  else throw new TypeError(`${value} is no safe integer: it cannot be written as plain data.`);
}

function writeObject(writer: ByteWriter, value: unknown, names: Map<string, number>, depth: number): void {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    throw new TypeError(`A value of type ${typeof value} is not plain data.`);
  }
  const fields = Object.entries(value);
  writer.u8(tags.object);
  writer.varint(fields.length);
  for (const [name, each] of fields) {
    const known = names.get(name);
    if (known === undefined) {
      names.set(name, names.size + 1);
      writer.varint(0);
      writer.string(name);
    } else writer.varint(known);
    writeValue(writer, each, names, depth + 1);
  }
}

function readValue(reader: ByteReader, names: string[], depth: number): Plain {
  const tag = reader.u8();
  if (depth > maxDepth) reader.fail();
  if (reader.failed) return null;
  switch (tag) {
    case tags.null:
      return null;
    case tags.false:
      return false;
    case tags.true:
      return true;
    case tags.natural:
      return reader.varint();
    case tags.negative:
      return -reader.varint();
    case tags.infinity:
      return Number.POSITIVE_INFINITY;
    case tags.minusInfinity:
      return Number.NEGATIVE_INFINITY;
    case tags.string:
      return reader.string(reader.remaining);
    case tags.bytes:
      return reader.counted(reader.remaining);
    case tags.array:
      return readArray(reader, names, depth);
    case tags.map:
      return readMap(reader, names, depth);
    case tags.object:
      return readObject(reader, names, depth);
    default:
      reader.fail();
      return null;
  }
}

/** Everything takes a byte at least, so a larger count is a lie and must not size anything. */
function readCount(reader: ByteReader): number {
  const count = reader.varint();
  if (count > reader.remaining) reader.fail();
  return reader.failed ? 0 : count;
}

function readArray(reader: ByteReader, names: string[], depth: number): readonly Plain[] {
  const count = readCount(reader);
  const values: Plain[] = [];
  for (let position = 0; position < count && !reader.failed; position++) {
    values.push(readValue(reader, names, depth + 1));
  }
  return values;
}

function readMap(reader: ByteReader, names: string[], depth: number): ReadonlyMap<Plain, Plain> {
  const count = readCount(reader);
  const map = new Map<Plain, Plain>();
  for (let position = 0; position < count && !reader.failed; position++) {
    const key = readValue(reader, names, depth + 1);
    map.set(key, readValue(reader, names, depth + 1));
  }
  return map;
}

function readObject(reader: ByteReader, names: string[], depth: number): { readonly [field: string]: Plain } {
  const count = readCount(reader);
  const object: Record<string, Plain> = {};
  for (let position = 0; position < count && !reader.failed; position++) {
    const number = reader.varint();
    if (number === 0) names.push(reader.string(maxNameBytes));
    const name = names[(number === 0 ? names.length : number) - 1];
    // A field of this name would not be a field.
    if (name === undefined || name === '__proto__') {
      reader.fail();
      return object;
    }
    object[name] = readValue(reader, names, depth + 1);
  }
  return object;
}
