/** Recordings as they lie in data directories. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FLIGHT_DIRECTORY, flightSequence } from '@quorate/runtime';
import { type FlightBytes, readFlights, type ServerRecording, TraceError } from '../index.ts';

/**
 * The recordings in data directories, or in their `flight` folders, one for each server; a server may be spread over several. Throws
 * TraceError where there is none, or where two clusters are mixed. Whole files are held in memory.
 */
export function readRecordings(directories: readonly string[]): readonly ServerRecording[] {
  return readFlights(flightsIn(directories));
}

function* flightsIn(directories: readonly string[]): Generator<FlightBytes, void, undefined> {
  for (const directory of directories) {
    for (const path of flightFiles(directory)) yield { name: path, bytes: readFileSync(path) };
  }
}

function flightFiles(directory: string): readonly string[] {
  const folders = [join(directory, FLIGHT_DIRECTORY), directory];
  for (const folder of folders) {
    const paths = namesIn(folder)
      .filter((name) => flightSequence(name) !== null)
      .map((name) => join(folder, name));
    if (paths.length > 0) return paths;
  }
  throw new TraceError(
    'NotATrace',
    `${directory} holds no recording. Give the data directory of a server that was started with --flight-recorder.`,
  );
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
