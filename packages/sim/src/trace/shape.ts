/** What data of another build looks like. */
import type { Plain } from '@quorate/runtime';

type Fields = { readonly [name: string]: Plain };

/** Data that is plain by its type, told to the compiler; the JSON form refuses it if it is not. */
export function asPlain<Value extends object>(value: Value): Value & Fields {
  return value as Value & Fields;
}

/**
 * What of `ours` the data has not, or has as something else; null if nothing. What is null here may be anything there, and lists show
 * nothing of their members.
 */
export function shapeDifference(found: unknown, ours: unknown, path: string): string | null {
  if (ours === null) return found === undefined ? `${path} is absent` : null;
  if (kindOf(found) !== kindOf(ours)) return `${path} is ${kindOf(found)}, here ${kindOf(ours)}`;
  if (kindOf(ours) !== 'an object') return null;
  for (const [name, value] of Object.entries(ours as object)) {
    const difference = shapeDifference((found as Fields)[name], value, `${path}.${name}`);
    if (difference !== null) return difference;
  }
  return null;
}

/** Which fields a kind of data needs, and of what type each is, as `typeof` says it. */
export type WantedFields = Readonly<Record<string, string>>;

/** `needs a number as index`: the first wanted field that is not there, or is something else; null if all are there. */
export function lackIn(found: object, wanted: WantedFields): string | null {
  for (const [name, type] of Object.entries(wanted)) {
    if (typeof (found as Readonly<Record<string, unknown>>)[name] !== type) return `needs a ${type} as ${name}`;
  }
  return null;
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'absent';
  if (value === null) return 'null';
  if (value instanceof Map) return 'a map';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
