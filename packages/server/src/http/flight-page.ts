/**
 * The flight recording of this server, for the debugger's page: what files there are, and their bytes as they lie on the disk. With
 * `--redact-values` what clients wrote is not in them. Open to the server's own machine only, like all that the files themselves are not open to.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { flightSequence } from '@quorate/runtime';
import type { HttpAnswer, HttpRequest } from './http-server.ts';

export interface FlightRecording {
  /** The folder of its files. */
  readonly directory: string;
  readonly isRedacted: boolean;
}

interface RecordingFile {
  readonly sequence: number;
  readonly name: string;
  readonly bytes: number;
}

/** Without a query which files there are, oldest first; `?file=N` is the one with that number, as far as it has been written. */
export async function flightAnswer(flight: FlightRecording | null, request: HttpRequest): Promise<HttpAnswer> {
  if (!isNameOfMachine(request.host)) {
    return refused(403, 'Ask under 127.0.0.1 or localhost: another name may be that of a page elsewhere');
  }
  if (flight === null) {
    return refused(404, 'This server keeps no flight recording; start it with --flight-recorder');
  }
  const files = await filesIn(flight.directory);
  const wanted = request.query.get('file');
  if (wanted === null) {
    const list = files.map(({ sequence, bytes }) => ({ sequence, bytes }));
    return { status: 200, body: { redacted: flight.isRedacted, files: list } };
  }
  const file = files.find(({ sequence }) => String(sequence) === wanted);
  if (file === undefined) return refused(404, `The recording has no file ${wanted} (any more)`);
  return { status: 200, body: null, file: { path: join(flight.directory, file.name), bytes: file.bytes } };
}

/** A page whose own name leads to this machine must not read on. */
function isNameOfMachine(host: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/.test(host);
}

async function filesIn(directory: string): Promise<readonly RecordingFile[]> {
  const files: RecordingFile[] = [];
  for (const name of await namesIn(directory)) {
    const sequence = flightSequence(name);
    if (sequence === null) continue;
    const bytes = await sizeOf(join(directory, name));
    if (bytes !== null) files.push({ sequence, name, bytes });
  }
  return files.sort((a, b) => a.sequence - b.sequence);
}

/** A server that has just started has not made the folder yet. */
async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** Null: the ring has just given it up. */
async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function refused(status: number, error: string): HttpAnswer {
  return { status, body: { error } };
}
