/** Recordings from the bytes of their files, wherever those were read. */
import { type FlightFile, FlightFormatError, readFlightFile } from '@quorate/runtime';
import { serverRecording, type ServerRecording } from './recording.ts';
import { TraceError } from './trace.ts';

export interface FlightBytes {
  /** Where it comes from: a path, or an address. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** One recording for each server; a server may be spread over several files. Throws TraceError where none can be read, or where two clusters are mixed. */
export function readFlights(files: Iterable<FlightBytes>): readonly ServerRecording[] {
  const byServer = new Map<string, FlightFile[]>();
  const clusters = new Set<string>();
  const damaged: string[] = [];
  for (const each of files) {
    const file = readFile(each, damaged);
    if (file === null) continue;
    clusters.add(file.header.cluster);
    byServer.set(file.header.member, [...(byServer.get(file.header.member) ?? []), file]);
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

function readFile({ name, bytes }: FlightBytes, damaged: string[]): FlightFile | null {
  try {
    return readFlightFile(bytes);
  } catch (error) {
    // One file that a failing disk spoiled must not hide the others; none at all is an error of its own.
    if (!(error instanceof FlightFormatError)) throw error;
    damaged.push(`${name}: ${error.message}`);
    return null;
  }
}
