/** Changes of membership as bytes. The numbers stand on the wire and in recordings: never reuse one. */
import type { ChangeRefusal, MemberChange } from '@quorate/raft';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

const opNumbers: Readonly<Record<MemberChange['op'], number>> = {
  add: 1,
  remove: 2,
  promote: 3,
  demote: 4,
  update: 5,
  readmit: 6,
};

const refusalNumbers: Readonly<Record<ChangeRefusal, number>> = {
  noLeader: 1,
  leadershipLost: 2,
  busy: 3,
  tooLarge: 4,
  foreignIncarnation: 5,
  recovering: 6,
  repeated: 7,
  unknownMember: 8,
  alreadyMember: 9,
  alreadyVoter: 10,
  alreadyLearner: 11,
  alreadyBound: 12,
  formerLife: 13,
  malformed: 14,
  noVoters: 15,
  nothingChanges: 16,
  staleView: 17,
  changing: 18,
  unproven: 19,
  quorumWouldBeLost: 20,
  versionTooOld: 21,
  leaderDiskFull: 22,
};
const refusals = new Map(Object.entries(refusalNumbers).map(([reason, number]) => [number, reason as ChangeRefusal]));

/** A wish takes two bytes at least: its kind, and the length of an id. */
const minChangeBytes = 2;
const maxIdBytes = 256;
const maxContextBytes = 4096;

export function writeChanges(writer: ByteWriter, changes: readonly MemberChange[]): void {
  writer.varint(changes.length);
  for (const change of changes) {
    writer.u8(opNumbers[change.op]);
    writer.string(change.id);
    switch (change.op) {
      case 'add':
        writer.string(change.context);
        writer.bool(change.voter);
        break;
      case 'update':
        writer.string(change.context);
        break;
      case 'readmit':
        writer.string(change.incarnation);
        break;
      default:
        break;
    }
  }
}

export function readChanges(reader: ByteReader): readonly MemberChange[] {
  const count = reader.varint();
  if (count * minChangeBytes > reader.remaining) reader.fail();
  const changes: MemberChange[] = [];
  while (changes.length < count && !reader.failed) {
    const change = readChange(reader);
    if (change === null) reader.fail();
    else changes.push(change);
  }
  return changes;
}

function readChange(reader: ByteReader): MemberChange | null {
  const op = reader.u8();
  const id = reader.string(maxIdBytes);
  switch (op) {
    case opNumbers.add:
      return { op: 'add', id, context: reader.string(maxContextBytes), voter: reader.bool() };
    case opNumbers.remove:
      return { op: 'remove', id };
    case opNumbers.promote:
      return { op: 'promote', id };
    case opNumbers.demote:
      return { op: 'demote', id };
    case opNumbers.update:
      return { op: 'update', id, context: reader.string(maxContextBytes) };
    case opNumbers.readmit:
      return { op: 'readmit', id, incarnation: reader.string(maxIdBytes) };
    default:
      return null;
  }
}

/** 0 stands for none. */
export function writeRefusal(writer: ByteWriter, refused: ChangeRefusal | null): void {
  writer.u8(refused === null ? 0 : refusalNumbers[refused]);
}

/** Undefined where the bytes are no refusal. */
export function readRefusal(reader: ByteReader): ChangeRefusal | null | undefined {
  const number = reader.u8();
  return number === 0 ? null : refusals.get(number);
}
