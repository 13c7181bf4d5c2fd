import { statSync } from 'node:fs';
import { decodeTrace, mergeRecordings, replay, type ReplayResult, type ServerRecord, TraceError } from '@quorate/sim';
import { readLines, readRecordings } from '@quorate/sim/node';
import { table } from '../output/table.ts';
import { print } from './session.ts';

/** Runs recordings again; exit code 1 when they go another way. */
export function runReplay(paths: readonly string[]): void {
  const result = replay(recordsOf(paths));
  print(table(['server', 'starts', 'inputs', 'outputs', 'checkpoints', 'ends as'], result.servers.map(row)));
  if (result.parting === null) {
    print('Everything went as recorded.');
    return;
  }
  const { server, life, number, what } = result.parting;
  print(`Server ${server} (life ${life}) parts from its recording at input ${number}: ${what}.`);
  process.exitCode = 1;
}

function row(server: ReplayResult['servers'][number]): readonly string[] {
  const { role, term, lastIndex, commitIndex } = server.end;
  return [
    server.server,
    String(server.stretches),
    String(server.inputs),
    String(server.outputs),
    String(server.checkpoints),
    `${role}, term ${term}, last ${lastIndex}, committed ${commitIndex}`,
  ];
}

function recordsOf(paths: readonly string[]): Iterable<ServerRecord> {
  const [path] = paths;
  if (path === undefined || paths.length > 1 || statSync(path).isDirectory()) {
    const recordings = readRecordings(paths);
    for (const note of recordings.flatMap(({ notes }) => notes)) process.stderr.write(`${note}\n`);
    return mergeRecordings(recordings);
  }
  return serverRecords(path);
}

function* serverRecords(path: string): Generator<ServerRecord, void, undefined> {
  for (const record of decodeTrace(readLines(path)).records) {
    if (record.kind === 'decision') {
      throw new TraceError('NotReplayable', 'This trace holds the decisions of a simulated world, no recording.');
    }
    yield record;
  }
}
