/** The records of one server, from the files of its flight recorder. */
import type { FlightFile } from '@quorate/runtime';
import type { CheckpointRecord, InputRecord } from './trace.ts';

export type ServerRecord = CheckpointRecord | InputRecord;

export interface ServerRecording {
  readonly server: string;
  /** In the order in which they happened, in each life without a gap from a checkpoint on. May be walked more than once. */
  records(): Generator<ServerRecord, void, undefined>;
  /** What is missing, a sentence each. */
  readonly notes: readonly string[];
}

/** Files of one server, in any order. */
export function serverRecording(files: readonly FlightFile[]): ServerRecording {
  const sorted = files.toSorted((a, b) => a.header.sequence - b.header.sequence);
  const server = sorted[0]?.header.member ?? '';
  const notes: string[] = [];
  const usable: FlightFile[] = [];
  for (const file of sorted) {
    const { sequence } = file.header;
    if (file.note !== null) notes.push(`Server ${server}, file ${sequence}: ${file.note}`);
    if (continues(usable[usable.length - 1], file) || beginsAnew(file)) usable.push(file);
    else
      notes.push(
        `Server ${server}, file ${sequence}: its checkpoint was not complete when it ended, so it is left out.`,
      );
  }
  return { server, notes, records: () => recordsOf(usable) };
}

function continues(before: FlightFile | undefined, file: FlightFile): boolean {
  return before !== undefined && before.header.life === file.header.life && before.endInput === file.header.firstInput;
}

function beginsAnew(file: FlightFile): boolean {
  for (const record of file.records()) return record.kind === 'checkpoint' && record.checkpoint !== null;
  return false;
}

function* recordsOf(files: readonly FlightFile[]): Generator<ServerRecord, void, undefined> {
  for (const file of files) {
    const { member: server, life, firstInput, codeVersion } = file.header;
    let number = firstInput;
    let open: OpenRecord | null = null;
    for (const record of file.records()) {
      if (record.kind === 'output') open?.outputs.push(record.fingerprint);
      else if (record.kind === 'sent') open?.sent.push({ to: record.to, fingerprint: record.fingerprint });
      else {
        if (open !== null) yield open;
        open = null;
        if (record.kind === 'input') {
          number += 1;
          open = { kind: 'input', server, life, number, input: record.input, outputs: [], sent: [] };
        } else if (record.checkpoint !== null) {
          open = { kind: 'checkpoint', server, life, number, codeVersion, ...record.checkpoint, outputs: [], sent: [] };
        }
      }
    }
    if (open !== null) yield open;
  }
}

type Growing<R extends ServerRecord> = Omit<R, 'outputs' | 'sent'> & {
  readonly outputs: number[];
  readonly sent: { readonly to: string; readonly fingerprint: number }[];
};
type OpenRecord = Growing<CheckpointRecord> | Growing<InputRecord>;
