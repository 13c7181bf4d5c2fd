/** Gets the flight recording of the server that serves this page. */
import type { FlightBytes } from '@quorate/sim';
import { isPlainObject } from '../../engine/read-setup.ts';

/** The newest files, up to so many bytes: what is shown of a recording is its end. */
const mostBytes = 32 << 20;

interface FileInfo {
  readonly sequence: number;
  readonly bytes: number;
}

/** Which files there are, oldest first. Rejects with what the server says where it keeps none, or does not hand it out. */
async function listFlights(): Promise<readonly FileInfo[]> {
  const answer = await fetch('../flight', { signal: AbortSignal.timeout(10_000) });
  const said: unknown = await answer.json();
  if (!isPlainObject(said)) throw new Error(`The answer of /debug/flight (${answer.status}) is not understood.`);
  if (!answer.ok) throw new Error(`${String(said['error'])}.`);
  const { files } = said;
  if (!Array.isArray(files) || !files.every(isFileInfo)) throw new Error('The list of files is not understood.');
  if (files.length === 0) throw new Error('Nothing has been recorded yet: try again in a moment.');
  return files;
}

function isFileInfo(value: unknown): value is FileInfo {
  return isPlainObject(value) && typeof value['sequence'] === 'number' && typeof value['bytes'] === 'number';
}

export async function fetchFlights(): Promise<readonly FlightBytes[]> {
  const files = await listFlights();
  const wanted: FileInfo[] = [];
  let bytes = 0;
  for (const file of files.toReversed()) {
    bytes += file.bytes;
    if (wanted.length > 0 && bytes > mostBytes) break;
    wanted.unshift(file);
  }
  return Promise.all(wanted.map(fetchFlight));
}

async function fetchFlight({ sequence }: FileInfo): Promise<FlightBytes> {
  const name = `file ${sequence}`;
  const answer = await fetch(`../flight?file=${sequence}`);
  if (!answer.ok) throw new Error(`The recording's ${name} cannot be had: the server says ${answer.status}.`);
  return { name, bytes: new Uint8Array(await answer.arrayBuffer()) };
}

/** Null if the recording can be opened; otherwise why not, in words. */
export async function whyNoFlight(): Promise<string | null> {
  try {
    await listFlights();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
