/** Reads what a run begins with from data of anywhere: links and files. */
import { type CoreWorldOptions, CoreWorld } from '@quorate/sim';
import type { RunSetup } from './setup.ts';

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const longestTitle = 200;

/** Null for what describes no run. */
export function readRunSetup(value: unknown): RunSetup | null {
  if (!isPlainObject(value)) return null;
  const { title, options, bug, requestEvery } = value;
  const isSetup =
    typeof title === 'string' &&
    title.length <= longestTitle &&
    isPlainObject(options) &&
    (bug === null || typeof bug === 'string') &&
    (requestEvery === null || (typeof requestEvery === 'number' && requestEvery > 0));
  if (!isSetup) return null;
  return { title, options: readOptions(options), bug, requestEvery };
}

/** A world can be made of them. Throws RangeError, in words for a person, where not. */
export function readOptions(options: Readonly<Record<string, unknown>>): CoreWorldOptions {
  const read = options as unknown as CoreWorldOptions;
  settles(read);
  return read;
}

function settles(options: CoreWorldOptions): void {
  const { servers } = new CoreWorld(options);
  if (servers.length === 0) throw new RangeError('A cluster has at least one server.');
}
