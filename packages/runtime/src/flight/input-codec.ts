/**
 * Inputs of a core as bytes, for recordings: kind (one byte), the clock as the difference to the input before, then the fields.
 * Kind numbers stand in files: never reuse one. Between the two, writer and reader keep what repeats: clock and routes.
 */
import type { Input, TimerName } from '@quorate/raft';
import { ByteReader } from '../codec/byte-reader.ts';
import type { ByteWriter } from '../codec/byte-writer.ts';
import { readChanges, writeChanges } from '../codec/change-codec.ts';
import { readEntries, writeEntries } from '../codec/entries-codec.ts';
import {
  type MessageRoute,
  readMessage,
  readSnapshotMetadata,
  writeMessage,
  writeSnapshotMetadata,
} from '../codec/message-codec.ts';

const kindNumbers: Readonly<Record<Input['kind'], number>> = {
  timeout: 1,
  message: 2,
  propose: 3,
  read: 4,
  persisted: 5,
  applied: 6,
  loaded: 7,
  loadFailed: 8,
  compacted: 9,
  snapshotSent: 10,
  unreachable: 11,
  faulty: 12,
  change: 13,
  transfer: 14,
  peerGone: 15,
};
const kinds = new Map(Object.entries(kindNumbers).map(([kind, number]) => [number, kind as Input['kind']]));

const timerNames: readonly TimerName[] = [
  'election',
  'heartbeat',
  'quorumCheck',
  'stickiness',
  'commitNotice',
  'transfer',
  'repair',
  'quiet',
];

const maxIdBytes = 256;

/** Writes inputs one after another; `reset` where a reader begins anew. */
export class InputEncoder {
  #now = 0;
  #routes = new Map<string, MessageRoute & { readonly number: number }>();
  #lastRoute = 0;

  reset(): void {
    this.#now = 0;
    this.#routes = new Map();
    this.#lastRoute = 0;
  }

  write(writer: ByteWriter, input: Input): void {
    writer.u8(kindNumbers[input.kind]);
    const passed = input.now - this.#now;
    // The clock that an input bears may lie a little before that of the one stepped last.
    writer.varint(passed < 0 ? -2 * passed - 1 : 2 * passed);
    this.#now = input.now;
    this.#writeBody(writer, input);
  }

  #writeBody(writer: ByteWriter, input: Input): void {
    switch (input.kind) {
      case 'timeout':
        writer.u8(timerNames.indexOf(input.name));
        writer.varint(input.generation);
        return;
      case 'message': {
        this.#writeRoute(writer, input.message);
        const lengthAt = writer.length;
        writer.u32(0);
        writeMessage(writer, input.message, null);
        writer.u32At(lengthAt, writer.length - lengthAt - 4);
        return;
      }
      case 'propose':
        writer.varint(input.id);
        writer.varint(input.commands.length);
        for (const command of input.commands) writer.counted(command);
        return;
      case 'read':
      case 'persisted':
        return writer.varint(input.id);
      case 'applied':
      case 'faulty':
        return writer.varint(input.index);
      case 'loaded':
        writer.varint(input.id);
        writeEntries(writer, input.entries);
        return;
      case 'loadFailed':
        writer.varint(input.id);
        writer.bool(input.reason === 'compacted');
        return;
      case 'compacted':
        writeSnapshotMetadata(writer, input.snapshot);
        writer.varint(input.through);
        return;
      case 'snapshotSent':
        writer.string(input.peer);
        writer.bool(input.delivered);
        return;
      case 'unreachable':
      case 'peerGone':
        return writer.string(input.peer);
      case 'change':
        writer.varint(input.id);
        // One more than the version: 0 stands for none.
        writer.varint(input.version === null ? 0 : input.version + 1);
        writeChanges(writer, input.changes);
        return;
      case 'transfer':
        writer.varint(input.id);
        writer.bool(input.target !== null);
        writer.string(input.target ?? '');
        return;
    }
  }

  /** A number for sender and receiver, or 0 and what they are, which gives them the next one. */
  #writeRoute(writer: ByteWriter, { group, from, to, incarnation }: MessageRoute): void {
    const known = this.#routes.get(from);
    if (known !== undefined && known.incarnation === incarnation && known.to === to && known.group === group) {
      return writer.varint(known.number);
    }
    this.#routes.set(from, { group, from, to, incarnation, number: ++this.#lastRoute });
    writer.varint(0);
    writer.varint(group);
    for (const text of [from, to, incarnation]) writer.string(text);
  }
}

/** Reads what one InputEncoder wrote from its `reset` on. */
export class InputDecoder {
  #now = 0;
  readonly #routes: MessageRoute[] = [];

  /** Null, with `failed` set, where the bytes are not an input. Byte runs are views. */
  read(reader: ByteReader): Input | null {
    const kind = kinds.get(reader.u8());
    const passed = reader.varint();
    this.#now += passed % 2 === 0 ? passed / 2 : -(passed + 1) / 2;
    const input = kind === undefined || reader.failed ? null : this.#readBody(reader, kind, this.#now);
    if (input === null || reader.failed) {
      reader.fail();
      return null;
    }
    return input;
  }

  #readBody(reader: ByteReader, kind: Input['kind'], now: number): Input | null {
    switch (kind) {
      case 'timeout': {
        const name = timerNames[reader.u8()];
        return name === undefined ? null : { kind, now, name, generation: reader.varint() };
      }
      case 'message': {
        const message = this.#readMessage(reader);
        return message === null ? null : { kind, now, message };
      }
      case 'propose':
        return { kind, now, id: reader.varint(), commands: readCommands(reader) };
      case 'read':
      case 'persisted':
        return { kind, now, id: reader.varint() };
      case 'applied':
      case 'faulty':
        return { kind, now, index: reader.varint() };
      case 'loaded':
        return { kind, now, id: reader.varint(), entries: readEntries(reader) };
      case 'loadFailed':
        return { kind, now, id: reader.varint(), reason: reader.bool() ? 'compacted' : 'faulty' };
      case 'compacted': {
        const snapshot = readSnapshotMetadata(reader);
        return snapshot === null ? null : { kind, now, snapshot, through: reader.varint() };
      }
      case 'snapshotSent':
        return { kind, now, peer: reader.string(maxIdBytes), delivered: reader.bool() };
      case 'unreachable':
      case 'peerGone':
        return { kind, now, peer: reader.string(maxIdBytes) };
      case 'change': {
        const id = reader.varint();
        const version = reader.varint();
        return { kind, now, id, version: version === 0 ? null : version - 1, changes: readChanges(reader) };
      }
      case 'transfer': {
        const id = reader.varint();
        const hasTarget = reader.bool();
        const target = reader.string(maxIdBytes);
        return { kind, now, id, target: hasTarget ? target : null };
      }
    }
  }

  #readMessage(reader: ByteReader): (Input & { kind: 'message' })['message'] | null {
    const number = reader.varint();
    if (number === 0) {
      const group = reader.varint();
      const [from, to, incarnation] = [0, 1, 2].map(() => reader.string(maxIdBytes)) as [string, string, string];
      this.#routes.push({ group, from, to, incarnation });
    }
    const route = this.#routes[(number === 0 ? this.#routes.length : number) - 1];
    const bytes = reader.take(reader.u32());
    return route === undefined || reader.failed ? null : readMessage(new ByteReader(bytes), route);
  }
}

function readCommands(reader: ByteReader): readonly Uint8Array[] {
  const count = reader.varint();
  if (count > reader.remaining) reader.fail();
  const commands: Uint8Array[] = [];
  for (let position = 0; position < count && !reader.failed; position++)
    commands.push(reader.counted(reader.remaining));
  return commands;
}
