/** The lists in the messages by which faulty entries are fetched. Verdict numbers stand on the wire: never reuse one. */
import { type FetchAnswer, type LogPosition } from '@quorate/raft';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { isEntryKind } from './entries-codec.ts';

const verdictNumbers: Readonly<Record<FetchAnswer['verdict'], number>> = {
  have: 1,
  dontHave: 2,
  haveFaulty: 3,
  compacted: 4,
};

/** A position takes two bytes at least. */
const minPositionBytes = 2;
/** An answer takes three: verdict and position. */
const minAnswerBytes = 3;

export function writePositions(writer: ByteWriter, positions: readonly LogPosition[]): void {
  writer.varint(positions.length);
  for (const position of positions) writePosition(writer, position);
}

export function readPositions(reader: ByteReader): readonly LogPosition[] {
  return readList(reader, minPositionBytes, readPosition);
}

export function writeAnswers(writer: ByteWriter, answers: readonly FetchAnswer[]): void {
  writer.varint(answers.length);
  for (const answer of answers) {
    writer.u8(verdictNumbers[answer.verdict]);
    if (answer.verdict !== 'have') {
      writePosition(writer, answer.position);
      continue;
    }
    writePosition(writer, answer.entry);
    writer.u8(answer.entry.kind);
    writer.counted(answer.entry.data);
  }
}

/** Reads answers. The entries' data are views of the message's bytes. */
export function readAnswers(reader: ByteReader): readonly FetchAnswer[] {
  return readList(reader, minAnswerBytes, readAnswer);
}

function readAnswer(reader: ByteReader): FetchAnswer | null {
  const verdict = verdictOf(reader.u8());
  const position = readPosition(reader);
  if (verdict === null) return null;
  if (verdict !== 'have') return { verdict, position };
  const kind = reader.u8();
  const data = reader.counted(reader.remaining);
  return isEntryKind(kind) ? { verdict, entry: { ...position, kind, data } } : null;
}

function verdictOf(number: number): FetchAnswer['verdict'] | null {
  switch (number) {
    case verdictNumbers.have:
      return 'have';
    case verdictNumbers.dontHave:
      return 'dontHave';
    case verdictNumbers.haveFaulty:
      return 'haveFaulty';
    case verdictNumbers.compacted:
      return 'compacted';
    default:
      return null;
  }
}

function writePosition(writer: ByteWriter, { index, term }: LogPosition): void {
  writer.varint(index);
  writer.varint(term);
}

function readPosition(reader: ByteReader): LogPosition {
  return { index: reader.varint(), term: reader.varint() };
}

/** A count beyond what the rest of the message can hold is a lie and must not size anything. */
function readList<T>(reader: ByteReader, minBytes: number, readOne: (reader: ByteReader) => T | null): readonly T[] {
  const count = reader.varint();
  if (count * minBytes > reader.remaining) {
    reader.fail();
    return [];
  }
  const list: T[] = [];
  for (let position = 0; position < count; position++) {
    const one = readOne(reader);
    if (reader.failed || one === null) {
      reader.fail();
      return [];
    }
    list.push(one);
  }
  return list;
}
