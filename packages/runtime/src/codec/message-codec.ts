/**
 * Messages as flat binary. What the handshake of a connection has settled (group, sender, receiver, incarnation) is not
 * repeated: the decoder takes it from the connection, so a peer can speak for nobody but itself.
 *
 * Layout: kind (one byte), term, then the fields in the order below. Kind numbers stand on the wire: never reuse one.
 */
import {
  decodeConfiguration,
  encodeConfiguration,
  type Incarnation,
  type MemberId,
  type Message,
  type MessageKind,
  type RefusalReason,
  type SnapshotMetadata,
} from '@quorate/raft';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { readChanges, readRefusal, writeChanges, writeRefusal } from './change-codec.ts';
import { type EntriesEncoder, readEntries, writeEntries } from './entries-codec.ts';
import { readAnswers, readPositions, writeAnswers, writePositions } from './fetch-codec.ts';

/** They stand on the wire and in recordings: never reuse one. */
export const messageKindNumbers: Readonly<Record<MessageKind, number>> = {
  preVote: 1,
  preVoteReply: 2,
  requestVote: 3,
  requestVoteReply: 4,
  appendEntries: 5,
  appendEntriesReply: 6,
  heartbeat: 7,
  heartbeatReply: 8,
  installSnapshot: 9,
  installSnapshotReply: 10,
  readIndex: 11,
  readIndexReply: 12,
  propose: 13,
  proposeReply: 14,
  timeoutNow: 15,
  fetchEntries: 16,
  fetchEntriesReply: 17,
  changeMembers: 18,
  changeMembersReply: 19,
};

const refusalNumbers: Readonly<Record<RefusalReason, number>> = {
  noLeader: 1,
  leadershipLost: 2,
  busy: 3,
  tooLarge: 4,
  foreignIncarnation: 5,
  recovering: 6,
  leaderDiskFull: 7,
};

const kindByNumber = invert(messageKindNumbers);
const refusalByNumber = invert(refusalNumbers);

/** What a connection knows about every message on it. */
export interface MessageRoute {
  readonly group: number;
  readonly from: MemberId;
  readonly to: MemberId;
  readonly incarnation: Incarnation;
}

/** `runs` shares the encoding of runs that go to several peers; null where nobody else needs them. */
export function writeMessage(writer: ByteWriter, message: Message, runs: EntriesEncoder | null): void {
  writer.u8(messageKindNumbers[message.kind]);
  writer.varint(message.term);
  switch (message.kind) {
    case 'preVote':
      writer.varint(message.round);
      writer.varint(message.lastIndex);
      writer.varint(message.lastTerm);
      return;
    case 'preVoteReply':
      writer.varint(message.round);
      writer.bool(message.granted);
      return;
    case 'requestVote':
      writer.varint(message.lastIndex);
      writer.varint(message.lastTerm);
      writer.bool(message.transfer);
      return;
    case 'requestVoteReply':
      writer.bool(message.granted);
      return;
    case 'appendEntries':
      writer.varint(message.prevIndex);
      writer.varint(message.prevTerm);
      writer.varint(message.commit);
      if (runs === null) writeEntries(writer, message.entries);
      else writer.raw(runs.encode(message.entries));
      return;
    case 'appendEntriesReply':
      writer.bool(message.accepted);
      writer.varint(message.index);
      writer.varint(message.hintIndex);
      writer.varint(message.hintTerm);
      return;
    case 'heartbeat':
      writer.varint(message.commit);
      writer.varint(message.round);
      return;
    case 'heartbeatReply':
      writer.varint(message.round);
      writer.varint(message.speaks);
      writer.bool(message.behind);
      return;
    case 'installSnapshot':
      writeSnapshotMetadata(writer, message.snapshot);
      return;
    case 'installSnapshotReply':
      writer.varint(message.snapshotIndex);
      writer.varint(message.index);
      return;
    case 'readIndex':
      writer.varint(message.id);
      return;
    case 'readIndexReply':
      writer.varint(message.id);
      writer.varint(message.index);
      writeRefused(writer, message.refused);
      return;
    case 'propose':
      writer.varint(message.id);
      writer.varint(message.commands.length);
      for (const command of message.commands) writer.counted(command);
      return;
    case 'proposeReply':
      writer.varint(message.id);
      writer.varint(message.count);
      writer.varint(message.index);
      writeRefused(writer, message.refused);
      return;
    case 'changeMembers':
      writer.varint(message.id);
      writer.varint(message.version);
      writeChanges(writer, message.changes);
      return;
    case 'changeMembersReply':
      writer.varint(message.id);
      writer.varint(message.index);
      writeRefusal(writer, message.refused);
      return;
    case 'timeoutNow':
      return;
    case 'fetchEntries':
      writer.varint(message.round);
      writer.varint(message.applied);
      writer.varint(message.snapshot);
      writePositions(writer, message.wanted);
      return;
    case 'fetchEntriesReply':
      writer.varint(message.round);
      writeAnswers(writer, message.answers);
      return;
  }
}

/** Reads one message that fills the rest of `reader`, or null if the bytes are not one. Byte runs are views. */
export function readMessage(reader: ByteReader, route: MessageRoute): Message | null {
  const kind = kindByNumber.get(reader.u8());
  const term = reader.varint();
  if (kind === undefined || reader.failed) return null;
  const message = readBody(reader, kind, {
    group: route.group,
    from: route.from,
    to: route.to,
    incarnation: route.incarnation,
    term,
  });
  return reader.complete ? message : null;
}

function readBody(reader: ByteReader, kind: MessageKind, envelope: MessageRoute & { term: number }): Message | null {
  // The four that come all the time are written out: a spread costs more than all the rest of them.
  const { group, from, to, incarnation, term } = envelope;
  switch (kind) {
    case 'preVote':
      return {
        kind,
        ...envelope,
        round: reader.varint(),
        lastIndex: reader.varint(),
        lastTerm: reader.varint(),
      };
    case 'preVoteReply':
      return { kind, ...envelope, round: reader.varint(), granted: reader.bool() };
    case 'requestVote':
      return {
        kind,
        ...envelope,
        lastIndex: reader.varint(),
        lastTerm: reader.varint(),
        transfer: reader.bool(),
      };
    case 'requestVoteReply':
      return { kind, ...envelope, granted: reader.bool() };
    case 'appendEntries': {
      const prevIndex = reader.varint();
      const prevTerm = reader.varint();
      const commit = reader.varint();
      const entries = readEntries(reader);
      return { kind, group, from, to, incarnation, term, prevIndex, prevTerm, entries, commit };
    }
    case 'appendEntriesReply':
      return {
        kind,
        group,
        from,
        to,
        incarnation,
        term,
        accepted: reader.bool(),
        index: reader.varint(),
        hintIndex: reader.varint(),
        hintTerm: reader.varint(),
      };
    case 'heartbeat':
      return { kind, group, from, to, incarnation, term, commit: reader.varint(), round: reader.varint() };
    case 'heartbeatReply':
      return {
        kind,
        group,
        from,
        to,
        incarnation,
        term,
        round: reader.varint(),
        speaks: reader.varint(),
        behind: reader.bool(),
      };
    case 'installSnapshot': {
      const snapshot = readSnapshotMetadata(reader);
      return snapshot === null ? null : { kind, ...envelope, snapshot };
    }
    case 'installSnapshotReply':
      return { kind, ...envelope, snapshotIndex: reader.varint(), index: reader.varint() };
    case 'readIndex':
      return { kind, ...envelope, id: reader.varint() };
    case 'readIndexReply': {
      const id = reader.varint();
      const index = reader.varint();
      const refused = readRefused(reader);
      return refused === undefined ? null : { kind, ...envelope, id, index, refused };
    }
    case 'propose':
      return { kind, ...envelope, id: reader.varint(), commands: readCommands(reader) };
    case 'proposeReply': {
      const id = reader.varint();
      const count = reader.varint();
      const index = reader.varint();
      const refused = readRefused(reader);
      return refused === undefined ? null : { kind, ...envelope, id, count, index, refused };
    }
    case 'changeMembers':
      return {
        kind,
        ...envelope,
        id: reader.varint(),
        version: reader.varint(),
        changes: readChanges(reader),
      };
    case 'changeMembersReply': {
      const id = reader.varint();
      const index = reader.varint();
      const refused = readRefusal(reader);
      return refused === undefined ? null : { kind, ...envelope, id, index, refused };
    }
    case 'timeoutNow':
      return { kind, ...envelope };
    case 'fetchEntries':
      return {
        kind,
        ...envelope,
        round: reader.varint(),
        applied: reader.varint(),
        snapshot: reader.varint(),
        wanted: readPositions(reader),
      };
    case 'fetchEntriesReply':
      return { kind, ...envelope, round: reader.varint(), answers: readAnswers(reader) };
  }
}

function writeRefused(writer: ByteWriter, refused: RefusalReason | null): void {
  writer.u8(refused === null ? 0 : refusalNumbers[refused]);
}

/** Undefined for a number that no reason has. */
function readRefused(reader: ByteReader): RefusalReason | null | undefined {
  const number = reader.u8();
  return number === 0 ? null : refusalByNumber.get(number);
}

function readCommands(reader: ByteReader): readonly Uint8Array[] {
  const count = reader.varint();
  if (count > reader.remaining) {
    reader.fail();
    return [];
  }
  const commands: Uint8Array[] = [];
  for (let position = 0; position < count && !reader.failed; position++) {
    commands.push(reader.counted(reader.remaining));
  }
  return commands;
}

export function writeSnapshotMetadata(writer: ByteWriter, snapshot: SnapshotMetadata): void {
  writer.varint(snapshot.index);
  writer.varint(snapshot.term);
  writer.varint(snapshot.configuration.index);
  writer.counted(encodeConfiguration(snapshot.configuration));
}

export function readSnapshotMetadata(reader: ByteReader): SnapshotMetadata | null {
  const index = reader.varint();
  const term = reader.varint();
  const configurationIndex = reader.varint();
  const bytes = reader.counted(reader.remaining);
  if (reader.failed) return null;
  const configuration = decodeConfiguration(bytes, configurationIndex);
  return configuration === null ? null : { index, term, configuration };
}

function invert<Key extends string>(numbers: Readonly<Record<Key, number>>): ReadonlyMap<number, Key> {
  const inverted = new Map<number, Key>();
  for (const key in numbers) inverted.set(numbers[key], key);
  return inverted;
}
