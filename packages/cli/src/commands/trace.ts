import { encodeTrace, mergeRecordings, traceFormat, type TraceHeader, traceVersion } from '@quorate/sim';
import { readRecordings, writeLines } from '@quorate/sim/node';
import { quorateVersion } from '@quorate/server';

/** Notes go to standard error, so that the trace may go to standard output. */
export function runTraceExport(directories: readonly string[], output: string | null): void {
  const recordings = readRecordings(directories);
  for (const note of recordings.flatMap(({ notes }) => notes)) process.stderr.write(`${note}\n`);
  const header: TraceHeader = {
    format: traceFormat,
    version: traceVersion,
    codeVersion: quorateVersion,
    createdBy: 'quorate trace export',
    configuration: { servers: recordings.map(({ server }) => server) },
  };
  let records = 0;
  const counted = function* (): ReturnType<typeof mergeRecordings> {
    for (const record of mergeRecordings(recordings)) {
      records += 1;
      yield record;
    }
  };
  const lines = encodeTrace(header, counted());
  if (output === null) for (const line of lines) process.stdout.write(`${line}\n`);
  else writeLines(output, lines);
  process.stderr.write(
    `${records} records of ${recordings.length} ${recordings.length === 1 ? 'server' : 'servers'}\n`,
  );
}
