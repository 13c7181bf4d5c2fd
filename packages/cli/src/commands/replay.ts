import { statSync } from 'node:fs';
import {
  decodeTrace,
  endingOf,
  endsAlike,
  isCoreRun,
  mergeRecordings,
  type PlanTrace,
  readCoreRun,
  readPlan,
  replay,
  type ReplayResult,
  runPlan,
  type ServerRecord,
  standardWatchers,
  TraceError,
  type TraceRecord,
} from '@quorate/sim';
import { readLines, readRecordings } from '@quorate/sim/node';
import { table } from '../output/table.ts';
import { replayCoreRun } from './check-replay.ts';
import { print } from './session.ts';

/** Runs a trace or recordings again; exit code 1 when they go another way. */
export async function runReplay(paths: readonly string[]): Promise<void> {
  const [path] = paths;
  const trace = path === undefined || paths.length > 1 || isDirectory(path) ? null : decodeTrace(readLines(path));
  if (trace === null) replayRecordings(recorded(paths));
  else if (isCoreRun(trace.header)) await replayCoreRun(readCoreRun(trace.header, trace.records));
  else if (trace.header.configuration['world'] === 'seen')
    throw new TraceError(
      'NotReplayable',
      'Of this run it is known what was seen from outside: look at it with quorate debug, or run the test again with its seed.',
    );
  else if ('world' in trace.header.configuration) replayPlan(readPlan(trace.header, trace.records));
  else replayRecordings(serverRecords(trace.records));
}

function isDirectory(path: string): boolean {
  return statSync(path).isDirectory();
}

/** Exact to the state's hash in the build that wrote it; in another at least the same must break. */
function replayPlan({ plan, ending }: PlanTrace): void {
  const found = endingOf(runPlan(plan, standardWatchers));
  const [first, second] = found.facts;
  if (first !== undefined) print(`${found.invariant}: ${first}${second === undefined ? '' : `, but ${second}`}`);
  if (!endsAlike(found, ending)) {
    const wanted = ending.invariant === '' ? 'nothing broke' : `${ending.invariant} broke`;
    print(
      `This build goes another way: ${wanted} when the trace was made, ${found.invariant || 'nothing'} breaks now.`,
    );
    process.exitCode = 1;
  } else if (found.stateHash !== ending.stateHash) {
    print('The same, but not step by step: this build is another than the one that made the trace.');
  } else print('Everything went as it went, to the last bit of state.');
}

function replayRecordings(records: Iterable<ServerRecord>): void {
  const result = replay(records);
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

function recorded(directories: readonly string[]): Iterable<ServerRecord> {
  const recordings = readRecordings(directories);
  for (const note of recordings.flatMap(({ notes }) => notes)) process.stderr.write(`${note}\n`);
  return mergeRecordings(recordings);
}

function* serverRecords(records: Iterable<TraceRecord>): Generator<ServerRecord, void, undefined> {
  for (const record of records) {
    if (record.kind === 'decision' || record.kind === 'seen') {
      throw new TraceError('NotReplayable', 'This trace holds something else than inputs of real servers among them.');
    }
    yield record;
  }
}
