/** What is kept of a Raft with a mistake: one file each, in docs/teaching/data. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mistake } from './mistake.ts';

/** Of the files: one of another version is made anew. */
const VERSION = 1;

/** A run of the suite that failed: one seed, up to the first test that fails. */
export interface CaughtRun {
  readonly seed: number;
  readonly test: string;
  readonly part: string;
  readonly message: string;
  /** Events that the recording of the failed test has. */
  readonly events: number;
}

/** The side of the tests that are run. */
export interface RunSide {
  /** Seeds 1 to this one were run. */
  readonly seeds: number;
  /** Seconds of the processor. */
  readonly seconds: number;
  readonly caught: readonly CaughtRun[];
}

/** A search that failed. */
export interface CaughtSearch {
  readonly test: string;
  readonly message: string;
  readonly states: number;
  readonly seconds: number;
  /** Steps of the way there; null where a goal was not reached, so that there is no way. */
  readonly steps: number | null;
  /** Null: by rerun it is not found. */
  readonly rerun: CaughtRerun | null;
}

/** The same scenario by runs that begin anew each time, drawn at random and then shortened. */
export interface CaughtRerun {
  readonly runs: number;
  readonly seconds: number;
  /** Null where a goal was not reached. */
  readonly found: number | null;
  readonly shortened: number | null;
}

/** The side of the tests that are searched. */
export interface SearchSide {
  /** All searches together, those that pass as well. */
  readonly states: number;
  readonly seconds: number;
  /** In the order of the suite. */
  readonly caught: readonly CaughtSearch[];
}

export interface Results {
  readonly version: typeof VERSION;
  readonly name: string;
  /** Of the Raft that was measured: results of another text are made anew. */
  readonly code: string;
  readonly runs: RunSide;
  readonly search: SearchSide | null;
}

/** Tells the text of a Raft from any other. */
export function codeOfText(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

export function emptyResults({ name }: Mistake, code: string): Results {
  return { version: VERSION, name, code, runs: { seeds: 0, seconds: 0, caught: [] }, search: null };
}

/** Null if there are none, or if they are of another text or version. @throws Error if the file cannot be read as JSON. */
export function readResults(folder: string, name: string, code: string): Results | null {
  const path = fileOf(folder, name);
  if (!existsSync(path)) return null;
  const results = parsed(path);
  return results.version === VERSION && results.code === code ? results : null;
}

function parsed(path: string): Results {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Results;
  } catch (cause) {
    throw new Error(`${path} holds no results: remove it, and they are made anew.`, { cause });
  }
}

/** Replaces the file at once, so that whoever is ended meanwhile leaves the former. */
export function writeResults(folder: string, results: Results): void {
  mkdirSync(folder, { recursive: true });
  const path = fileOf(folder, results.name);
  writeFileSync(`${path}.new`, `${JSON.stringify(results, null, 2)}\n`);
  renameSync(`${path}.new`, path);
}

function fileOf(folder: string, name: string): string {
  return join(folder, `${name}.json`);
}
