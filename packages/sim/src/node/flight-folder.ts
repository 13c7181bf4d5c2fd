/** Recordings as they lie in data directories. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FLIGHT_DIRECTORY, type FlightFile, FlightFormatError, flightSequence, readFlightFile } from '@quorate/runtime';
import { serverRecording, type ServerRecording, TraceError } from '../index.ts';

/**
 * The recordings in data directories, or in their `flight` folders, one for each server; a server may be spread over several. Throws
 * TraceError where there is none, or where two clusters are mixed. Whole files are held in memory.
 */
export function readRecordings(directories: readonly string[]): readonly ServerRecording[] {
  const byServer = new Map<string, FlightFile[]>();
  const clusters = new Set<string>();
  const damaged: string[] = [];
  for (const directory of directories) {
    for (const path of flightFiles(directory)) {
      const file = readFile(path, damaged);
      if (file === null) continue;
      clusters.add(file.header.cluster);
      byServer.set(file.header.member, [...(byServer.get(file.header.member) ?? []), file]);
    }
  }
  if (clusters.size > 1) {
    throw new TraceError(
      'NotReplayable',
      `These are recordings of ${clusters.size} clusters: ${[...clusters].join(', ')}.`,
    );
  }
  if (byServer.size === 0) throw new TraceError('NotATrace', ['No recording can be read.', ...damaged].join(' '));
  const recordings = [...byServer.values()].map(serverRecording);
  const [first, ...rest] = recordings;
  return first === undefined ? [] : [{ ...first, notes: [...damaged, ...first.notes] }, ...rest];
}

function readFile(path: string, damaged: string[]): FlightFile | null {
  try {
    return readFlightFile(readFileSync(path));
  } catch (error) {
    // One file that a failing disk spoiled must not hide the others; none at all is an error of its own.
    if (!(error instanceof FlightFormatError)) throw error;
    damaged.push(`${path}: ${error.message}`);
    return null;
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
