/** Recordings of real servers, as `quorate trace export` puts them together. */
import { Raft } from '@quorate/raft';
import {
  type CheckpointRecord,
  copyState,
  type DecodedTrace,
  type FlightBytes,
  latestRecords,
  mergeRecordings,
  readFlights,
  TraceError,
  traceHeader,
} from '@quorate/sim';
import { codeVersion } from './version.ts';
import { CommonTime, maxEvents, type RecordedEvent, type Recording } from './recording.ts';

/** Of long recordings the end is shown: what a page can hold. */
const latest = 30_000;

/** The files of flight recorders, put in one order. Throws TraceError for what is none. */
export function readFlightRecording(files: readonly FlightBytes[], name: string): Recording {
  const recordings = readFlights(files);
  const notes = recordings.flatMap((recording) => recording.notes);
  const header = traceHeader({}, codeVersion, 'a flight recorder');
  const recording = readRecording({ header, records: latestRecords(mergeRecordings(recordings), latest) }, name);
  const remark = [...notes, ...(recording.remark === null ? [] : [recording.remark])].join(' ');
  return { ...recording, remark: remark === '' ? null : remark };
}

/** Throws TraceError for a trace with decisions in it. */
export function readRecording({ header, records }: DecodedTrace, name: string): Recording {
  const events: RecordedEvent[] = [];
  const lives = new Map<string, string>();
  const time = new CommonTime();
  let isFull = false;
  for (const record of records) {
    if (record.kind === 'decision' || record.kind === 'seen') {
      throw new TraceError('NotReplayable', 'This trace holds something else than inputs of real servers among them.');
    }
    if (events.length >= maxEvents) {
      isFull = true;
      break;
    }
    const { server, life } = record;
    if (record.kind === 'input') {
      const at = time.of(server, record.input.now);
      events.push({ kind: 'input', at, server, input: record.input, takes: record.outputs.length });
    } else if (lives.get(server) !== life) {
      lives.set(server, life);
      events.push(startOf(record, time));
    }
  }
  return {
    source: 'servers',
    title: `${name}, recorded by ${header.createdBy}`,
    servers: [...lives.keys()].sort(),
    events,
    unjudged:
      'Not judged: what real servers wrote down does not show their disks, and may begin anywhere. A core that breaks a rule of its own stops by itself.',
    violation: null,
    history: 'A recording holds what the cores saw, and not what clients asked and were told.',
    forking:
      'A recording of real servers can be looked at, and cannot go another way: what disks and networks would have done then is not recorded.',
    remark: isFull ? `The recording is longer than ${maxEvents} steps: this is its beginning.` : null,
  };
}

function startOf({ server, options, state, anchor, outputs }: CheckpointRecord, time: CommonTime): RecordedEvent {
  const at = time.begin(server, anchor.now);
  const begin = (): Raft => Raft.fromState(options, copyState(state));
  return { kind: 'start', at, server, options, begin, takes: outputs.length };
}
