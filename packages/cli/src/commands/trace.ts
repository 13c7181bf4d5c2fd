import { encodeTrace, mergeRecordings, traceHeader, type TraceHeader } from '@quorate/sim';
import { readRecordings, writeLines } from '@quorate/sim/node';
import { quorateVersion } from '@quorate/server';

/** Recordings of several servers in one order, as a trace. */
export function exportRecordings(
  directories: readonly string[],
  createdBy: string,
): {
  readonly header: TraceHeader;
  readonly records: ReturnType<typeof mergeRecordings>;
  readonly servers: number;
  /** What is missing, a sentence each. */
  readonly notes: readonly string[];
} {
  const recordings = readRecordings(directories);
  const header = traceHeader({ servers: recordings.map(({ server }) => server) }, quorateVersion, createdBy);
  const notes = recordings.flatMap((recording) => recording.notes);
  return { header, records: mergeRecordings(recordings), servers: recordings.length, notes };
}

/** Notes go to standard error, so that the trace may go to standard output. */
export function runTraceExport(directories: readonly string[], output: string | null): void {
  const { header, records: merged, servers, notes } = exportRecordings(directories, 'quorate trace export');
  for (const note of notes) process.stderr.write(`${note}\n`);
  let records = 0;
  const counted = function* (): ReturnType<typeof mergeRecordings> {
    for (const record of merged) {
      records += 1;
      yield record;
    }
  };
  const lines = encodeTrace(header, counted());
  if (output === null) for (const line of lines) process.stdout.write(`${line}\n`);
  else writeLines(output, lines);
  process.stderr.write(`${records} records of ${servers} ${servers === 1 ? 'server' : 'servers'}\n`);
}
